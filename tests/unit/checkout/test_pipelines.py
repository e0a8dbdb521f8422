"""The ready pipelines of ci/pipelines: each by the linter or the schema of who runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from builder.cli.main import cli

PIPELINES = Path(__file__).parents[3] / "ci/pipelines"
UNITS = [path.name for path in sorted(PIPELINES.glob("etcd-deb-*"))]
_COMMAND = re.compile(r"etcd-deb (repo \w+|[a-z]+)((?: [^\n#]*)?)")


@pytest.mark.parametrize(
    ("file", "schema"),
    [("github-actions.yml", "vendor.github-workflows"), ("gitlab-ci.yml", "vendor.gitlab-ci")],
)
def test_pipeline_follows_the_schema_of_its_service(file: str, schema: str) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    transform = ["--data-transform", "gitlab-ci"] if "gitlab" in file else []
    done = subprocess.run(
        [checker, "--builtin-schema", schema, *transform, PIPELINES / file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = tmp_path / "usr/bin/etcd-deb"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = []
    for name in UNITS:
        unit = tmp_path / name
        unit.write_text((PIPELINES / name).read_text().replace("/usr/bin/etcd-deb", str(program)))
        units.append(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "etcd-deb" in line]
    assert (done.returncode, said) == (0, []), done.stderr


@pytest.mark.parametrize("file", sorted(PIPELINES.iterdir()), ids=lambda file: file.name)
def test_pipeline_uses_commands_and_options_that_there_are(file: Path) -> None:
    for name, words in _COMMAND.findall(file.read_text()):
        first, _, second = name.partition(" ")
        command = cli.commands.get(first)
        if command is None:
            continue
        if isinstance(command, click.Group):
            command = command.commands[second]
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert {word for word in words.split() if word.startswith("--")} <= known, name


def test_each_unit_has_one_command_and_a_timer_so_that_none_waits_for_another() -> None:
    services = [name for name in UNITS if name.endswith(".service")]
    assert services == ["etcd-deb-resign.service", "etcd-deb-sync.service"]
    for service in services:
        text = (PIPELINES / service).read_text()
        assert len(re.findall("^ExecStart=", text, re.MULTILINE)) == 1
        assert not re.search("^(After|Requires|Wants|BindsTo)=.*etcd-deb", text, re.MULTILINE)
        assert service.replace(".service", ".timer") in UNITS


def test_new_signatures_of_gitlab_need_no_build() -> None:
    job = re.split(r"^(\w+):$", (PIPELINES / "gitlab-ci.yml").read_text(), flags=re.MULTILINE)
    resign = job[job.index("resign") + 1]
    assert "needs: []" in resign
    assert "repo resign" in resign
