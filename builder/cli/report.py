"""Results as text for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from builder.cli.terminal import as_json
from builder.errors import on_one_line
from builder.inspection.inspect import Inspection
from builder.known_faults import Faults, KnownFault, full_version
from builder.package.source_tree import SourceTree
from builder.pipeline import Built
from builder.release.cache import MEGABYTE, CachedFile, Pruned
from builder.release.listing import ListedRelease

# Differences of a package that are shown; JSON has all.
SHOWN = 20


def built_as_text(built: tuple[Built, ...]) -> str:
    """The path of each .changes; the packages are next to it under the names it gives."""
    return "\n".join(str(one.upload.changes) for one in built)


def built_as_json(built: tuple[Built, ...]) -> str:
    return as_json(
        [
            {
                "version": str(one.upload.version),
                "architecture": one.upload.architecture,
                "deb": str(one.upload.deb),
                "buildinfo": str(one.upload.buildinfo),
                "changes": str(one.upload.changes),
                "size": one.upload.deb.stat().st_size,
                "provenance": asdict(one.provenance),
                "known_faults": _faults(one.faults),
            }
            for one in built
        ]
    )


def tree_as_json(tree: SourceTree) -> str:
    return as_json({"version": str(tree.version), "architecture": tree.architecture, "tree": str(tree.root)})


def kept_as_text(kept: tuple[Path, ...]) -> str:
    return "\n".join(map(str, kept))


def kept_as_json(kept: tuple[Path, ...]) -> str:
    return as_json({"files": [str(path) for path in kept]})


def pinned_as_json(pin_list: Path, digests: Mapping[str, str]) -> str:
    return as_json({"list": str(pin_list), "sha256": dict(digests)})


def cache_as_text(files: tuple[CachedFile, ...], limit: int) -> str:
    rows = [f"{_megabytes(file.size):>8}  {file.used:%Y-%m-%d}  {file.path}" for file in files]
    total = sum(file.size for file in files)
    return "\n".join([*rows, f"{_megabytes(total):>8}  of {limit} MB"])


def cache_as_json(folder: Path, files: tuple[CachedFile, ...], limit: int) -> str:
    return as_json(
        {
            "folder": str(folder),
            "size": sum(file.size for file in files),
            "limit": limit * MEGABYTE,
            "files": _cached(files),
        }
    )


def pruned_as_text(pruned: Pruned) -> str:
    freed, kept = (sum(file.size for file in files) for files in (pruned.removed, pruned.kept))
    return "\n".join(
        [
            *(f"removed  {_megabytes(file.size):>8}  {file.path}" for file in pruned.removed),
            *(f"in use   {_megabytes(file.size):>8}  {file.path}" for file in pruned.in_use),
            f"{_megabytes(freed)} removed, {_megabytes(kept)} kept",
        ]
    )


def pruned_as_json(pruned: Pruned) -> str:
    return as_json(
        {
            "removed": _cached(pruned.removed),
            "freed": sum(file.size for file in pruned.removed),
            "kept": _cached(pruned.kept),
            "in_use": [str(file.path) for file in pruned.in_use],
        }
    )


def _cached(files: tuple[CachedFile, ...]) -> list[dict[str, object]]:
    return [{"path": str(file.path), "size": file.size, "used": file.used.isoformat()} for file in files]


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB"


def releases_as_text(releases: tuple[ListedRelease, ...], faults: Faults) -> str:
    rows = [
        f"{release.version.tag:<16}{release.day or '-'!s:<12}{'pinned' if release.pinned else '-':<8}"
        f"{'supported' if release.supported else 'end of life':<13}"
        f"{_faults_in_short(faults.of(release.version))}"
        for release in releases
    ]
    return "\n".join([f"{'VERSION':<16}{'DATE':<12}{'PIN':<8}{'SUPPORT':<13}KNOWN FAULTS", *rows])


def releases_as_json(releases: tuple[ListedRelease, ...], faults: Faults) -> str:
    return as_json(
        [
            {
                "version": str(release.version),
                "date": release.day and release.day.isoformat(),
                "pinned": release.pinned,
                "supported": release.supported,
                "known_faults": _faults(faults.of(release.version)),
            }
            for release in releases
        ]
    )


def inspection_as_text(found: Inspection, faults: Sequence[KnownFault]) -> str:
    said, finding = found.provenance, found.finding
    rows = [
        ("file", f"sha256 {found.sha256}"),
        ("it says", f"{found.package} {found.version} {found.architecture}, etcd v{said.version}"),
        ("", f"built by {said.builder or '(not stated)'} on {found.toolchain or '(not stated)'}"),
        ("", f"from {said.url}"),
        ("", f"sha256 {said.sha256}"),
        ("", f"vouched for by {' and '.join(said.vouchers)}"),
        *(("found", f"{name} sha256 {digest}") for name, digest in sorted(found.programs.items())),
        *(("compared", what) for what in finding.compared),
        *(("not compared", what) for what in finding.not_compared),
        *(("differs", str(difference)) for difference in finding.differences[:SHOWN]),
        *([("", f"and {more} more")] if (more := len(finding.differences) - SHOWN) > 0 else []),
        *(("known fault", str(fault)) for fault in faults),
        ("result", f"{finding.verdict}: {finding.reason}"),
    ]
    shown = [("" if i and rows[i - 1][0] == title else title, text) for i, (title, text) in enumerate(rows)]
    return "\n".join(f"{title:<13} {on_one_line(text)}" for title, text in shown)


def inspection_as_json(found: Inspection, faults: Sequence[KnownFault]) -> str:
    finding = found.finding
    return as_json(
        {
            "package": found.package,
            "version": found.version,
            "architecture": found.architecture,
            "provenance": asdict(found.provenance),
            "toolchain": None if found.toolchain is None else asdict(found.toolchain),
            "sha256": found.sha256,
            "programs": found.programs,
            "verdict": finding.verdict.name.lower(),
            "reason": finding.reason,
            "compared": finding.compared,
            "not_compared": finding.not_compared,
            "differences": [asdict(difference) for difference in finding.differences],
            "known_faults": _faults(faults),
        }
    )


def _faults(faults: Sequence[KnownFault]) -> list[dict[str, str | None]]:
    return [{"what": fault.what, "source": fault.source, "fixed_in": fault.fixed or None} for fault in faults]


def _faults_in_short(faults: Sequence[KnownFault]) -> str:
    if not faults:
        return "-"
    fixed = [full_version(fault.fixed) for fault in faults if fault.fixed]
    whole = f"all fixed in {max(fixed)}" if len(fixed) == len(faults) else "not all fixed"
    return f"{len(faults)}, {whole}"
