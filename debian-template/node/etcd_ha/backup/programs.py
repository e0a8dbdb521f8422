"""etcd's own programs and the shell library of this package, as a backup and a restore need them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etcd_ha.backup.manifest import Checked
from etcd_ha.errors import EtcdHaError, on_one_line
from etcd_ha.gateway import Failed, Fields
from etcd_ha.identity import Identity

# Seconds: for a snapshot of 8 GiB over 1 Gbit/s and more than that, for reading one, for a short question.
SAVE, READ, ASK = 900, 900, 30
_MESSAGE = re.compile(r'"(?:error|msg)":"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Programs:
    """folder: of etcd's programs; library: of the shell parts."""

    folder: Path
    library: Path

    @property
    def judge(self) -> Path:
        """Reads snapshots: etcdutl, which etcd 3.4 does not have yet."""
        etcdutl = self.folder / "etcdutl"
        return etcdutl if etcdutl.exists() else self.folder / "etcdctl"

    def save(self, url: str, identity: Identity, target: Path) -> None:
        """Save a snapshot of the member at a client URL. Raises EtcdHaError."""
        presented = {
            "ETCDCTL_ENDPOINTS": url,
            "ETCDCTL_CACERT": identity.authority,
            "ETCDCTL_CERT": identity.certificate,
            "ETCDCTL_KEY": identity.key,
            "ETCDCTL_USER": identity.user,
        }
        variables = {name: value for name, value in presented.items() if value}
        self._run(
            [self.folder / "etcdctl", "snapshot", "save", target], SAVE, f"no snapshot of {url}", variables
        )

    def check(self, file: Path) -> Checked:
        """What etcd's program says of a snapshot or a copied database. Raises EtcdHaError."""
        said = self._run(
            [self.judge, "snapshot", "status", file, "-w", "json"], READ, f"{file} can't be used"
        )
        try:
            found = Fields(json.loads(said))
            numbers = [found.number(name) for name in ("hash", "revision", "totalKey", "totalSize")]
        except (ValueError, Failed) as error:
            raise EtcdHaError(
                f"{file} can't be used",
                details=("expected  its revision and keys in JSON", f"found     {on_one_line(said)}"),
            ) from error
        checksum, revision, keys, size = numbers
        return Checked(checksum, revision, keys, size, self.version(), self.data_version(file))

    def version(self) -> str:
        """Of etcd's programs, such as 3.6.7. Raises EtcdHaError."""
        said = self._run([self.judge, "version"], ASK, f"{self.judge} does not run")
        return said.partition(":")[2].split("\n")[0].strip()

    def data_version(self, file: Path) -> str:
        """The minor version that wrote a database, such as 3.6; empty where it does not tell.

        Raises EtcdHaError where it can't be read.
        """
        script = 'bbolt_get "$1" cluster clusterVersion'
        done = self._shell(("bbolt",), script, str(file))
        if done.returncode == 2:
            raise EtcdHaError(
                f"{file} can't be read",
                details=("expected  a database of etcd", f"found     {on_one_line(done.stdout)}"),
            )
        return ".".join(done.stdout.strip().split(".")[:2])

    def member_in(self, log: Path) -> tuple[str, str] | None:
        """The ids, in hexadecimal, of the member and the cluster that a log names.

        None where there is no log, or it can't be read, which may be the reason for a restore; that keeps it.
        """
        done = self._shell(("wal",), 'wal_identity "$1"', str(log))
        member, _, cluster = done.stdout.strip().partition(" ")
        return (member, cluster) if done.returncode == 0 else None

    def require_room(self, folder: Path, needed: int, hint: str) -> None:
        """Raises EtcdHaError unless so many bytes leave enough of the disk free for the member."""
        done = self._shell(("snapshot",), 'space_of "$1"', str(folder))
        words = done.stdout.split()
        if len(words) != 2:
            raise EtcdHaError(f"the free space of {folder} is unknown", hint=f"df -h {folder}")
        free, reserve = map(int, words)
        if free - needed < reserve:
            raise EtcdHaError(
                f"{folder} has too little space",
                details=(
                    f"expected  {megabytes(needed + reserve)} free: {megabytes(needed)} for the data, "
                    f"{megabytes(reserve)} in reserve",
                    f"found     {megabytes(free)} free",
                ),
                hint=hint,
            )

    def restore(self, words: Sequence[str | Path]) -> None:
        """etcdutl snapshot restore. Raises EtcdHaError."""
        self._run(
            [self.folder / "etcdutl", "snapshot", "restore", *words],
            READ,
            "the snapshot could not be restored",
        )

    def restore_options(self) -> str:
        """What etcdutl of this version says of its restore. Raises EtcdHaError."""
        return self._run(
            [self.folder / "etcdutl", "snapshot", "restore", "--help"], ASK, "etcdutl does not run"
        )

    def _shell(self, parts: Sequence[str], script: str, *words: str) -> subprocess.CompletedProcess[str]:
        lines = [f'. "{self.library}/{part}.sh"' for part in parts]
        return subprocess.run(
            ["sh", "-uc", "; ".join([*lines, script]), "sh", *words],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")},
        )

    def _run(
        self,
        words: Sequence[str | Path],
        bound: int,
        summary: str,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        try:
            done = subprocess.run(
                list(map(str, words)),
                capture_output=True,
                text=True,
                check=False,
                timeout=bound,
                env={"PATH": "/usr/bin:/bin", **(variables or {})},
            )
        except subprocess.TimeoutExpired as error:
            raise EtcdHaError(summary, details=(f"found     no result within {bound} s",)) from error
        except OSError as error:
            raise EtcdHaError(summary, details=(f"found     {error}",)) from error
        if done.returncode:
            raise EtcdHaError(summary, details=(f"found     {_complaint(done.stderr)}",))
        return done.stdout


def _complaint(said: str) -> str:
    """The last thing that a program of etcd complains of, out of its log or its last line."""
    lines = [line for line in said.splitlines() if line.strip()]
    plain = [line for line in lines if not line.startswith("{")]
    found = plain[-1:] or _MESSAGE.findall(said)[-1:] or ["no reason"]
    return on_one_line(found[0].removeprefix("Error: "))


def megabytes(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / (1 << 20):.1f} MiB"
