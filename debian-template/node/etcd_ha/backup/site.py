"""What a backup and a restore need of this node beside what each of the keeper's commands needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etcd_ha.backup.programs import Programs
from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.here import Here, here_of


@dataclass(frozen=True, slots=True)
class Site:
    """file: etcd.yaml, in the folder with the settings of backups."""

    here: Here
    file: Path
    programs: Programs

    @property
    def etc(self) -> Path:
        """Of the settings and the hooks."""
        return self.file.parent

    @property
    def state(self) -> Path:
        """Of what `etcd-ha status` reads."""
        return self.here.kept.parent

    def required(self, key: str) -> str:
        """A value of etcd.yaml. Raises EtcdHaError where it has none."""
        value = self.here.configuration.get(key)
        if value is None:
            raise EtcdHaError(f"{self.file} has no {key}", hint="dpkg-reconfigure etcd-ha, or edit the file")
        return value


def site_of(environment: Mapping[str, str]) -> Site:
    """By the variables of the other commands."""
    programs = Programs(
        Path(environment.get("ETCD_BIN", "/usr/lib/etcd-ha/bin")),
        Path(environment.get("ETCD_HA_LIB", "/usr/lib/etcd-ha/lib")),
    )
    return Site(here_of(environment), Path(environment.get("CONFIG", "/etc/etcd/etcd.yaml")), programs)
