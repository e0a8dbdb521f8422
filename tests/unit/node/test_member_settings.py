"""What a command needs of etcd.yaml is read in one pass, with the values of one reading after the other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE

LIBRARY = DEBIAN_TEMPLATE / "node/lib"
FILE = """\
name: "a\tname\t1"
Data-Dir: /srv/it's here
wal-dir:
quota-backend-bytes: 0x10
client-transport-security:
  cert-file: 'c''s * $(id)'
  auto-tls: on
listen-client-urls: |+
  http://10.0.0.1:1
"""
SHELL = r"""
LIB=$1 CONFIG=$2
for part in yaml member; do . "$LIB/$part.sh"; done
eval "$3"
for key in $MEMBER_KEYS unknown; do
    status=0
    value=$(setting "$key" none) || status=$?
    printf '%s %s=%s\n' "$status" "$key" "$value"
done
"""


def read(folder: Path, before: str) -> tuple[list[str], int]:
    """The settings, and how often awk was started for them."""
    config, started, awk = (folder / name for name in ("etcd.yaml", "started", "awk"))
    config.write_text(FILE)
    started.write_text("")
    awk.write_text(f'#!/bin/sh\necho >>{started}\nPATH=/usr/bin:/bin exec awk "$@"\n')
    awk.chmod(0o755)
    words = ["sh", "-uc", SHELL, "sh", str(LIBRARY), str(config), before]
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines(), len(started.read_text())


def test_settings_of_one_pass_are_those_of_one_after_the_other(tmp_path: Path) -> None:
    one_by_one, times = read(tmp_path, ":")
    at_once, passes = read(tmp_path, "read_settings")
    assert at_once == one_by_one
    # The key that was not asked for beforehand is read for itself.
    assert (passes, times) == (2, len(one_by_one))


@pytest.mark.parametrize("command", ["preflight", "status", "reset"])
def test_a_setting_that_a_command_needs_is_one_of_those_that_are_read_at_once(command: str) -> None:
    keys = re.search(r'^MEMBER_KEYS="([^"]+)"', (LIBRARY / "member.sh").read_text(), re.MULTILINE)
    assert keys
    parts = [DEBIAN_TEMPLATE / f"node/commands/{command}", LIBRARY / "member.sh", LIBRARY / "client.sh"]
    text = "\n".join(path.read_text() for path in parts)
    assert sorted(set(re.findall(r"\bsetting ([a-z][a-z.-]+)\b", text)) - set(keys[1].split())) == []
