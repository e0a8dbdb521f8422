"""The source tree of etcd-ha: binaries, what is made from them, and debian/, rendered from the template."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from builder import shipped
from builder.known_faults import KnownFault, shipped_faults
from builder.package.completions import write_completions
from builder.package.examine import ExaminedBinaries, program_folder
from builder.package.provenance import Provenance
from builder.package.sbom import software_bill
from builder.system.files import disk_full_named
from builder.version import Architecture, PackageVersion, Series

# Left out of debian/: completions go beside it, those of the release's programs alone.
NOT_COPIED = ("completions", "__pycache__")


@dataclass(frozen=True, slots=True)
class TemplateContext:
    """All that a template of debian-template/ may use."""

    debian_version: str
    upstream_tag: str
    tarball: str
    tarball_sha256: str
    vouchers: str
    series: str
    maintainer: str
    changelog_date: str
    priority: int
    has_etcdutl: bool
    is_static: bool
    architectures: str
    config_keys: tuple[tuple[str, str], ...]
    known_faults: tuple[KnownFault, ...]
    faults_as_of: str


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A tree that dpkg-buildpackage builds. released: its SOURCE_DATE_EPOCH."""

    root: Path
    version: PackageVersion
    architecture: Architecture
    released: int

    @property
    def package(self) -> str:
        """The name of the file that dpkg-buildpackage leaves beside the tree."""
        return f"etcd-ha_{self.version}_{self.architecture}.deb"


def assemble(
    examined: ExaminedBinaries,
    provenance: Provenance,
    version: PackageVersion,
    maintainer: str,
    folder: Path,
) -> SourceTree:
    """folder/etcd-ha-VERSION, complete, every time in it the release's.

    provenance: what the package will say of its making.
    Raises DiskFull; jinja2's TemplateError for a broken template.
    """
    root = folder / f"etcd-ha-{version.upstream.debian}"
    binaries = examined.binaries
    with disk_full_named(root, "assembling the source tree"):
        (root / "doc").mkdir(parents=True)
        write_completions([program.name for program in binaries.programs], root / "completions")
        program_folder(examined).rename(root / "bin")
        (root / "doc/sbom.spdx.json").write_text(software_bill(examined, provenance.url), encoding="utf-8")
        (root / "doc/provenance.json").write_text(provenance.to_json(), encoding="utf-8")
        _render(template_context(examined, provenance, version, maintainer), root / "debian")
        # Those of the installed etcd-deb would reveal the day of its installation.
        for path in (root, *root.rglob("*")):
            os.utime(path, (binaries.released, binaries.released), follow_symlinks=False)
    return SourceTree(root, version, binaries.tarball.file.architecture, binaries.released)


def template_context(
    examined: ExaminedBinaries, provenance: Provenance, version: PackageVersion, maintainer: str
) -> TemplateContext:
    """What the templates may know of this release."""
    upstream = version.upstream
    day = datetime.fromtimestamp(examined.binaries.released, UTC)
    # Not GitHub's later advisories: the same etcd-deb makes the same bytes on every day.
    faults = shipped_faults()
    return TemplateContext(
        debian_version=str(version),
        upstream_tag=upstream.tag,
        tarball=provenance.tarball,
        tarball_sha256=provenance.sha256,
        vouchers=", ".join(provenance.vouchers),
        series=str(upstream.series),
        maintainer=maintainer,
        changelog_date=format_datetime(day),
        priority=upstream.priority,
        has_etcdutl="etcdutl" in upstream.programs,
        is_static=all(found.is_static for found in examined.programs),
        architectures=" ".join(Architecture),
        config_keys=config_keys(upstream.series),
        known_faults=faults.warnings(upstream),
        faults_as_of=str(faults.as_of),
    )


def config_keys(series: Series) -> tuple[tuple[str, str], ...]:
    """The keys that etcd reads from its configuration file, with their types; nested ones are dotted.

    A series that the table doesn't know yet gets the newest one's keys.
    """
    table: dict[str, dict[str, dict[str, object]]] = json.loads(
        (shipped.CONF / "etcd-config-keys.json").read_text(encoding="utf-8")
    )
    known = sorted(Series(*map(int, name.split("."))) for name in table if name != "_meta")
    chosen = series if series in known else known[-1]
    return tuple(sorted(_flattened(table[str(chosen)], "")))


def _flattened(keys: object, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, entry in keys.items() if isinstance(keys, dict) else ():
        found.append((f"{prefix}{name}", _TYPES[entry["type"]]))
        found.extend(_flattened(entry.get("keys"), f"{prefix}{name}."))
    return found


_TYPES = {
    "string": "string",
    "int": "int",
    "bool": "bool",
    "list[string]": "list",
    "list[none]": "list",
    "duration_ns": "duration",
    "map": "map",
}


def _render(context: TemplateContext, debian: Path) -> None:
    environment = Environment(  # noqa: S701  # the output is no HTML
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    shutil.copytree(shipped.DEBIAN_TEMPLATE, debian, ignore=shutil.ignore_patterns(*NOT_COPIED))
    values = asdict(context)
    for template in sorted(debian.rglob("*.j2")):
        text = environment.from_string(template.read_text(encoding="utf-8")).render(values)
        template.with_suffix("").write_text(text, encoding="utf-8")
        template.unlink()
    # A wheel forgets the execute bit, and a checkout under umask 077 has others than ours.
    for path in debian.rglob("*"):
        runs = path.is_dir() or path.read_bytes().startswith(b"#!")
        path.chmod(0o755 if runs else 0o644)
