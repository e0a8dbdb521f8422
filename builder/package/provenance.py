"""Where a package's binaries come from and who vouched for them; shipped inside, read back by inspect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from builder import __version__
from builder.errors import EtcdDebError
from builder.package.examine import ExaminedBinaries

FORMAT = 1
BUILDER = f"etcd-deb {__version__}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a package says of its making, which its reader has yet to check.

    format: raised when a reader of the older text would misread the newer one.
    builder: the etcd-deb that built it; empty where the package does not say.
    """

    format: int
    builder: str
    version: str
    architecture: str
    url: str
    tarball: str
    sha256: str
    vouchers: tuple[str, ...]
    programs: Mapping[str, str]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    def with_words_of(self, other: Provenance) -> Provenance:
        """This one, except where the tarball came from and who vouched for it, which can differ."""
        return Provenance(
            format=self.format,
            builder=self.builder,
            version=self.version,
            architecture=self.architecture,
            url=other.url,
            tarball=self.tarball,
            sha256=self.sha256,
            vouchers=other.vouchers,
            programs=self.programs,
        )

    @property
    def control_fields(self) -> Mapping[str, str]:
        """What the package's control file says of it (debian-template/control.j2)."""
        return {
            "Upstream-Release": f"https://github.com/etcd-io/etcd/releases/tag/v{self.version}",
            "Upstream-Tarball": self.tarball,
            "Upstream-Sha256": self.sha256,
            "Upstream-Vouchers": ", ".join(self.vouchers),
        }


def provenance_of(examined: ExaminedBinaries) -> Provenance:
    """The provenance of binaries that are about to be packed."""
    tarball = examined.binaries.tarball
    return Provenance(
        format=FORMAT,
        builder=BUILDER,
        version=str(tarball.file.version),
        architecture=str(tarball.file.architecture),
        url=tarball.url,
        tarball=tarball.file.name,
        sha256=tarball.sha256,
        vouchers=tarball.vouchers,
        programs={program.name: program.sha256 for program in examined.binaries.programs},
    )


def parse_provenance(text: str, where: str) -> Provenance:
    """The provenance that a package carries. Raises EtcdDebError where it is none."""
    try:
        read: object = json.loads(text)
        if not isinstance(read, dict) or read.get("format") != FORMAT:
            raise ValueError(f"expected format {FORMAT}")
        texts = {name: read[name] for name in ("version", "architecture", "url", "tarball", "sha256")}
        vouchers, programs = read["vouchers"], read["programs"]
        if not isinstance(vouchers, list) or not isinstance(programs, dict):
            raise ValueError("vouchers or programs have another type")
        return Provenance(
            format=FORMAT,
            builder=str(read.get("builder", "")),
            **{name: str(value) for name, value in texts.items()},
            vouchers=tuple(str(voucher) for voucher in vouchers),
            programs={str(name): str(digest) for name, digest in programs.items()},
        )
    except (ValueError, KeyError, RecursionError) as error:
        raise EtcdDebError(
            f"can't read the provenance in {where}",
            details=(str(error) or type(error).__name__,),
            hint="use the etcd-deb that built the package, or a newer one",
        ) from error
