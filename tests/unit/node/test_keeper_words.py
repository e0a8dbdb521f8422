"""What every command of the keeper's takes, asks and refuses; its lock and its record."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from etcd_ha.errors import EtcdHaError, WrongUsage
from etcd_ha.keeper import waiting
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.plan import Step, carry_out
from etcd_ha.keeper.record import Record
from etcd_ha.keeper.waiting import until
from etcd_ha.keeper.words import Words, confirm, read_words, require_root

FILE = """\
#!/bin/sh
# etcd-ha keep [--to DIR] [--dry-run] [--yes]: keep it
# etcd-ha keep list [--json]: show what is kept
# etcd-ha keep verify FILE...: read them
#
# etcd-ha: no usage
"""


@pytest.fixture
def there(tmp_path: Path) -> Mapping[str, str]:
    (tmp_path / "keep").write_text(FILE)
    return {"ETCD_HA_COMMANDS": str(tmp_path)}


def typed(*words: str) -> Words:
    return Words(words[0], dict.fromkeys(words[1:], ""), (), words)


def test_the_usage_line_says_which_words_a_command_takes(there: Mapping[str, str]) -> None:
    found = read_words("keep", ["--to", "/a b", "--yes"], there)
    assert (found.command, found.options) == ("keep", {"--to": "/a b", "--yes": ""})
    assert found.again("--yes", "--dry-run") == "etcd-ha keep --to '/a b' --yes --dry-run"
    assert read_words("keep", ["list", "--json"], there).command == "keep list"
    assert read_words("keep", ["verify", "a", "b"], there).operands == ("a", "b")


@pytest.mark.parametrize(
    "words",
    [["--ye"], ["--to"], ["--yes=no"], ["--wait", "1"], ["x"], ["list", "--yes"], ["verify"], ["--json"]],
    ids=" ".join,
)
def test_other_words_are_refused_with_the_usage(there: Mapping[str, str], words: list[str]) -> None:
    with pytest.raises(WrongUsage) as refused:
        read_words("keep", words, there)
    assert "usage: etcd-ha keep" in refused.value.hint


def test_seconds_are_digits() -> None:
    assert Words("keep", {"--wait": "07"}, (), ("keep",)).seconds("--wait", 1) == 7
    assert Words("keep", {}, (), ("keep",)).seconds("--wait", 300) == 300
    for value in ("", "-1", "1.5", "²"):
        with pytest.raises(WrongUsage):
            Words("keep", {"--wait": value}, (), ("keep",)).seconds("--wait", 1)


def test_nobody_but_root_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    require_root(typed("keep"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EtcdHaError, match="only root"):
        require_root(typed("keep"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_destroys_is_asked_at_a_terminal_and_without_one_is_done_with_yes_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(EtcdHaError) as refused:
        confirm(typed("keep"), ["it goes"], "Sure?")
    assert refused.value.hint == "to do it: etcd-ha keep --yes"
    confirm(typed("keep", "--yes"), ["it goes"], "Sure?")
    assert capsys.readouterr().out == ""
    for answer, wanted in (("y\n", True), ("Yes\n", True), ("\n", False), ("", False), ("n\n", False)):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        if wanted:
            confirm(typed("keep"), ["it goes"], "Sure?")
        else:
            with pytest.raises(EtcdHaError, match="nothing was changed"):
                confirm(typed("keep"), ["it goes"], "Sure?")
        assert capsys.readouterr().out == "it goes\nSure? [y/N] "


def test_one_command_at_a_time_and_the_other_is_told_who_is_at_work(tmp_path: Path) -> None:
    with (
        only_one(typed("keep"), tmp_path),
        pytest.raises(EtcdHaError) as refused,
        only_one(typed("other", "--yes"), tmp_path),
    ):
        pytest.fail("two at once")
    assert f"etcd-ha keep (process {os.getpid()}) is running on this node" in refused.value.summary
    assert refused.value.hint.endswith("etcd-ha other --yes")
    with only_one(typed("other"), tmp_path):
        pass


def test_who_waits_long_is_told_for_what_once_for_each_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "PAUSE", 0)
    reasons = ["it is a learner", "it is a learner", "it has no leader", ""]
    until("pg1 to vote", 60, iter(reasons).__next__)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(waiting, "SILENT", 0)
    until("pg1 to vote", 60, iter(reasons).__next__)
    assert capsys.readouterr().err.splitlines() == [
        "etcd-ha: still waiting for pg1 to vote: it is a learner",
        "etcd-ha: still waiting for pg1 to vote: it has no leader",
    ]


def test_a_killed_command_gives_the_lock_back_though_what_it_started_lives(tmp_path: Path) -> None:
    program = f"""
import os, pathlib, subprocess, signal
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.waiting import until
from etcd_ha.keeper.words import Words
with only_one(Words("keep", {{}}, (), ("keep",)), pathlib.Path({str(tmp_path)!r})):
    nowhere = subprocess.DEVNULL
    print(subprocess.Popen(["sleep", "60"], stdout=nowhere, stderr=nowhere).pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    try:
        with only_one(typed("other"), tmp_path):
            pass
    finally:
        os.kill(int(done.stdout), 9)


def test_a_record_is_whole_or_not_there_and_one_that_can_not_be_read_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(tmp_path / "begun/keep.json")
    assert record.read() == {}
    record.write({"member": "a1"})
    assert record.read() == {"member": "a1"}
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", lambda *_: pytest.fail("torn"))
        with pytest.raises(BaseException, match="torn"):
            record.write({"member": "b2"})
    assert record.read() == {"member": "a1"}
    for text in ("{", "[]", '{"member": 1}'):
        record.file.write_text(text)
        with pytest.raises(EtcdHaError, match="it is unknown what an interrupted run has done"):
            record.read()
    (tmp_path / "begun/keep.json.new").unlink()
    record.clear()
    record.clear()
    assert list(tmp_path.iterdir()) == []


def test_steps_that_are_done_are_left_out_and_a_dry_run_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = {"first"}

    def step(name: str) -> Step:
        return Step(f"do the {name}", lambda: name in done, lambda: done.add(name))

    steps = [step("first"), step("second")]
    carry_out(Words("keep", {"--dry-run": ""}, (), ("keep",)), steps)
    assert done == {"first"}
    assert capsys.readouterr().out == "already done: do the first\nto do: do the second\n"
    carry_out(typed("keep"), steps)
    assert done == {"first", "second"}
    assert capsys.readouterr().err == "etcd-ha: do the second\n"


def test_what_does_not_come_about_in_time_is_an_error_with_the_last_reason() -> None:
    reasons = ["not yet", "nearly", ""]
    until("it", 60, lambda: reasons.pop(0))
    assert reasons == []
    with pytest.raises(EtcdHaError) as refused:
        until("it", 0, lambda: "never")
    assert refused.value.summary == "waited 0 s in vain for it"
    assert refused.value.details == ("found     never",)
