"""What runs on this node, and whose data lies on its disk."""

from __future__ import annotations

import subprocess

from etcd_ha.errors import EtcdHaError, on_one_line
from etcd_ha.keeper.here import Here

# Seconds for systemd to do what it is told; etcd itself may take 90 to stop.
BOUND = 120
_IDENTITY = """
LIB=$1
for part in message yaml member wal; do . "$LIB/$part.sh"; done
directory=$(wal_dir) && status=0 || status=$?
if [ "$status" = 0 ]; then member_has_data >/dev/null || exit 1; else echo "$directory"; exit 2; fi
wal_identity "$directory" && exit
echo "the log in $directory has no readable member ID"
exit 2
"""


def data_identity(here: Here) -> tuple[str, str] | None:
    """Ids of the member and the cluster whose data is here; None where there is none. Raises EtcdHaError."""
    library = here.environment.get("ETCD_HA_LIB", "/usr/lib/etcd-ha/lib")
    done = subprocess.run(
        ["sh", "-c", _IDENTITY, "sh", library],
        capture_output=True, text=True, check=False, env=dict(here.environment),
    )  # fmt: skip
    if done.returncode == 1:
        return None
    words = done.stdout.split()
    if done.returncode or len(words) != 2:
        got = on_one_line(done.stdout + done.stderr)
        raise EtcdHaError(
            "can't tell which member the data on this node belongs to",
            details=(f"found     {got}",),
            hint="etcd-ha config lint",
        )
    return words[0], words[1]


def etcd_version(here: Here) -> str:
    """Of the etcd that is installed, such as 3.6.7. Raises EtcdHaError where it does not tell."""
    program = f"{here.environment.get('ETCD_BIN', '/usr/lib/etcd-ha/bin')}/etcd"
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True, env=dict(here.environment)
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise EtcdHaError("the version of etcd on this node is unknown", details=(str(error),)) from error
    return said.partition("etcd Version: ")[2].partition("\n")[0]


def is_running(here: Here) -> bool:
    """Whether etcd.service runs or is being started. Raises EtcdHaError where systemd does not tell."""
    return _systemctl(here, "show", "--property=ActiveState", "--value", "etcd.service").strip() not in (
        "inactive",
        "failed",
    )


def start(here: Here) -> None:
    """Start the service now and at each boot, without waiting for it. Raises EtcdHaError."""
    _systemctl(here, "enable", "etcd.service")
    _systemctl(here, "reset-failed", "etcd.service")
    _systemctl(here, "--no-block", "start", "etcd.service")


def stop(here: Here) -> None:
    """Stop the service until it is started again by hand or at a boot. Raises EtcdHaError."""
    _systemctl(here, "stop", "etcd.service")


def disable(here: Here) -> None:
    """Start it no more at a boot. Raises EtcdHaError."""
    _systemctl(here, "disable", "etcd.service")


def _systemctl(here: Here, *words: str) -> str:
    try:
        done = subprocess.run(
            ["systemctl", *words],
            capture_output=True, text=True, check=False, env=dict(here.environment), timeout=BOUND,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EtcdHaError(f"systemctl {' '.join(words)} failed", details=(f"found     {error}",)) from error
    if done.returncode:
        got = on_one_line(done.stderr or f"status {done.returncode}")
        raise EtcdHaError(
            f"systemctl {' '.join(words)} failed", details=(f"found     {got}",), hint="systemctl status etcd"
        )
    return done.stdout
