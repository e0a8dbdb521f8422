"""The lease of the restart slot: what its renewal makes of etcdctl's answers."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE

# Each call takes the next answer; the last one stays. On standard output what is a success, else an error.
ETCDCTL = """\
#!/bin/sh
cd "${0%/*}"
read -r answer <answers
[ "$(wc -l <answers)" = 1 ] || sed -i 1d answers
case $answer in
    *keepalived*) echo "$answer" ;;
    *) echo "Error: $answer" >&2; exit 5 ;;
esac
"""
RENEWAL = r"""
for part in message yaml host member client cluster-view turn slot; do . "$1/$part.sh"; done
other_rows() { echo 2\|pg2; }
TURN_LEASE=65cfa21d6711ac0e
if leave_leadership; then echo renewed; else echo "$why"; fi
echo "${TURN_LEASE:-no lease}"
"""
RENEWED = "lease 65cfa21d6711ac0e keepalived with TTL(20)"
NOT_YET = "etcdserver: invalid auth token"


def renewal(folder: Path, answers: Sequence[str]) -> list[str]:
    """What leaving leadership, without having it, says of the slot; and the lease after it."""
    (folder / "answers").write_text("".join(f"{one}\n" for one in answers))
    (folder / "etcdctl").write_text(ETCDCTL)
    (folder / "etcdctl").chmod(0o755)
    done = subprocess.run(
        ["sh", "-euc", RENEWAL, "sh", str(DEBIAN_TEMPLATE / "node/lib")],
        env={"PATH": "/usr/bin:/bin", "ETCD_BIN": str(folder), "view": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("refusals", [0, 1, 4])
def test_a_token_that_the_member_does_not_know_yet_costs_no_slot(tmp_path: Path, refusals: int) -> None:
    answers = [*[NOT_YET] * refusals, RENEWED]
    assert renewal(tmp_path, answers) == ["renewed", "65cfa21d6711ac0e"]


def test_a_token_that_no_member_ever_knows_is_named(tmp_path: Path) -> None:
    said = f"its restart slot could not be renewed: {NOT_YET}"
    assert renewal(tmp_path, [NOT_YET]) == [said, "65cfa21d6711ac0e"]


def test_a_lease_that_has_ended_is_said_to_have_expired(tmp_path: Path) -> None:
    answers = ["etcdserver: requested lease not found"]
    assert renewal(tmp_path, answers) == ["its restart slot expired too soon", "no lease"]


def test_a_renewal_without_an_answer_is_not_said_to_be_an_expiry(tmp_path: Path) -> None:
    said = "its restart slot could not be renewed: context deadline exceeded"
    assert renewal(tmp_path, ["context deadline exceeded"]) == [said, "65cfa21d6711ac0e"]
