"""What apt knows of the package etcd-ha on this node."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from etcd_ha.errors import EtcdHaError, on_one_line

# Seconds for apt to read its lists.
BOUND = 60


def installation(minor: str, environment: Mapping[str, str]) -> str:
    """What to type for the newest etcd-ha of a minor version, or what to do first. Raises EtcdHaError."""
    found = [one for one in _versions(environment) if one.startswith(f"{minor}.")]
    if found:
        return f"apt install -y --allow-downgrades etcd-ha={found[0]}"
    return (
        f"apt knows no etcd-ha {minor} here; add that component of its repository and run apt update, "
        f"or install the file: apt install -y --allow-downgrades ./etcd-ha_{minor}.*.deb"
    )


def _versions(environment: Mapping[str, str]) -> list[str]:
    """Those that apt can install, the newest first: "etcd-ha | 3.6.16-1 | URL …"."""
    words = ["apt-cache", "madison", "etcd-ha"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=dict(environment), timeout=BOUND
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unread(str(error)) from error
    if done.returncode:
        raise _unread(on_one_line(done.stderr) or f"status {done.returncode}")
    columns = (line.split("|") for line in done.stdout.splitlines())
    return [on_one_line(column[1].strip()) for column in columns if len(column) > 1]


def _unread(got: str) -> EtcdHaError:
    return EtcdHaError(
        "which versions of etcd-ha apt knows can't be told",
        details=(f"found     {got}",),
        hint="apt-cache madison etcd-ha",
    )
