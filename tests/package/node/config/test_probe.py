"""The probe that asks etcd about a file: what it runs as, and that it changes nothing."""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.package.node.node_functions import call
from tests.support.releases import releases

# Tells by the refusal how it was run: lib/etcd-refusal.sh takes a panic for the reason.
SPY = """#!/bin/sh
interfaces=$(grep -c : /proc/net/dev)
writes=$(touch "$SPIED" && echo yes)
echo "panic: uid $(id -u) interfaces $interfaces notify '${NOTIFY_SOCKET-}' in $(pwd) writes $writes"
"""
# Forms in which a file may name its log. Those of the second list must not be run at all.
APPENDED = [
    "log-outputs: [{log}]\n",
    "log-outputs:\n- {log}\nenable-log-rotation: true\n",
    "Log-Outputs: [{log}]\n",
    '"log-outputs": [{log}]',
    "log-outputs: [{log}]\ndata-dir: {folder}\n",
    "# c\n--- # d\nlog-outputs: [{log}]\n",
    "log-outputs: [{log}]\r\nlog-level: info\r\n",
]
NOT_RUN = [
    "x: &x\n  log-outputs: [{log}]\n<<: *x\n",
    "log-outputs: [\n{log}\n]\n",
    "{{log-outputs: [{log}]}}\n",
    "--- {{log-outputs: [{log}]}}\n",
    "log-outputs: [{log}]\n---\nname: b\n",
    "log-outputs: [{log}]\n...\n",
    "log-outputs: [{log}]\rname: x\r---\rname: b\r",
    '"log-output\\u017f": [{log}]\n',
    "log-output\u017f: [{log}]\n",
    "log-outputs: [{log}]\u2028---\u2028name: x\n",
    "  log-outputs: [{log}]\n",
    "? log-outputs\n: [{log}]\n",
    "~\n",
    # etcd reads it, the reader of etcd.yaml does not.
    "log-outputs: [\n  {log}\n]\n",
]


@pytest.fixture(scope="module", params=["3.7.3", "3.5.35", "3.4.23"])
def etcd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real etcd that everybody may run."""
    version: str = request.param
    releases.ensure(version)
    folder = tmp_path_factory.mktemp(f"etcd-{version}")
    let_in(folder)
    name = f"etcd-v{version}-linux-amd64"
    with tarfile.open(releases.RELEASES / f"v{version}" / f"{name}.tar.gz") as archive:
        archive.extract(f"{name}/etcd", folder, filter="data")
    return folder / name / "etcd"


def let_in(folder: Path) -> None:
    """Let everybody enter a folder of pytest's; what it is made in, such as /tmp, stays as it is."""
    own = len(folder.relative_to(tempfile.gettempdir()).parts)
    for path in (folder, *folder.parents[: own - 1]):
        path.chmod(0o755)


def refusal(etcd: Path, config: Path, **variables: str) -> str:
    """What the probe says of a file."""
    answer = call(
        "yaml etcd-refusal",
        'etcd_refusal "$1" "$2"',
        str(etcd),
        str(config),
        config=config,
        variables=variables,
    )
    assert (answer.status, answer.err) == (0, "")
    return answer.out


@pytest.mark.parametrize("form", [*APPENDED, *NOT_RUN])
def test_a_log_that_the_file_names_is_not_touched(etcd: Path, form: str, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    folder.chmod(0o777)
    config = tmp_path / "etcd.yaml"
    config.write_bytes(form.format(log=folder / "etcd.log", folder=folder / "data").encode())
    assert refusal(etcd, config) == ""
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("form", APPENDED)
def test_what_etcd_refuses_beside_it_is_still_told(etcd: Path, form: str, tmp_path: Path) -> None:
    config = tmp_path / "etcd.yaml"
    written = form.format(log=tmp_path / "etcd.log", folder=tmp_path / "data").replace(
        "log-level: info", "x: y"
    )
    config.write_text(f"{written.rstrip()}\nlog-level: loud\n")
    assert "loud" in refusal(etcd, config)


@pytest.mark.skipif(os.geteuid() != 0, reason="root gives up what it may, nobody else can")
def test_root_runs_it_as_somebody_else_without_a_network(tmp_path: Path) -> None:
    spy = tmp_path / "etcd"
    spy.write_text(SPY)
    spy.chmod(0o755)
    let_in(tmp_path)
    config = tmp_path / "etcd.yaml"
    config.write_text("name: pg1\n")
    config.chmod(0o640)
    said = refusal(spy, config, NOTIFY_SOCKET="/run/none", SPIED=str(tmp_path / "spied"))
    assert not said.startswith("uid 0 ")
    assert " interfaces 1 notify '' in /tmp/" in said
    assert said.endswith(" writes \n")


def test_it_ends_in_time_whatever_etcd_does(tmp_path: Path) -> None:
    spy = tmp_path / "etcd"
    spy.write_text("#!/bin/sh\nexec sleep 60\n")
    spy.chmod(0o755)
    config = tmp_path / "etcd.yaml"
    config.write_text("name: pg1\n")
    assert refusal(spy, config) == ""
