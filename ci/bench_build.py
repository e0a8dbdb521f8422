"""Builders of one package from one tarball, in turn each round: medians, and paired ratios.

Every builder does the whole way: check the digest, unpack, make the .deb. wall and cpu in seconds, memory
(of the largest single process) in MiB, size in bytes.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from builder.deb.repack import members, packed_archive

VERSION = "v3.5.1"
TARBALL = f"etcd-{VERSION}-linux-amd64.tar.gz"
CONTROL = """Package: etcd-ha
Version: 3.5.1-1
Architecture: amd64
Maintainer: nobody <nobody@localhost>
Description: the same binaries, packed by a peer
"""
NFPM = """name: etcd-ha
arch: amd64
version: 3.5.1
maintainer: nobody <nobody@localhost>
description: the same binaries, packed by a peer
deb:
  compression: {compression}
contents:
  - src: {unpacked}/etcd
    dst: /usr/lib/etcd-ha/bin/etcd
  - src: {unpacked}/etcdctl
    dst: /usr/lib/etcd-ha/bin/etcdctl
  - src: {unpacked}/etcdutl
    dst: /usr/lib/etcd-ha/bin/etcdutl
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One build, measured."""

    wall: float
    cpu: float
    memory: float
    size: int


def main() -> None:
    arguments = _arguments()
    builders = _builders(arguments.releases, arguments.nfpm)
    runs: dict[str, list[Run]] = {name: [] for name in (*builders, "repack xz", "repack zstd")}
    with tempfile.TemporaryDirectory(prefix="etcd-deb-bench-") as work:
        for number in range(1, arguments.rounds + 1):
            print(f"round {number} of {arguments.rounds}", file=sys.stderr)
            for name, argv in builders.items():
                folder = Path(work) / name.replace(" ", "-")
                runs[name].append(_measure(argv(folder), folder))
            for compression in ("xz", "zstd"):
                # In a process of its own: a child's peak memory begins with its parent's.
                with ProcessPoolExecutor(max_workers=1) as pool:
                    plain = pool.submit(_uncompressed, Path(work) / "etcd-deb-xz").result()
                repack = [sys.executable, "-m", "builder.deb.repack", str(plain), compression]
                runs[f"repack {compression}"].append(_measure(repack, plain.parent, keep=True))
    print(_table(runs))
    if arguments.json:
        text = {name: [asdict(run) for run in measured] for name, measured in runs.items()}
        arguments.json.write_text(json.dumps(text, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=Path, required=True)
    parser.add_argument("--nfpm", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _builders(releases: Path, nfpm: Path) -> dict[str, Callable[[Path], list[str]]]:
    tarball = releases / VERSION / TARBALL

    def etcd_deb(compression: str) -> Callable[[Path], list[str]]:
        return lambda folder: [
            *("etcd-deb", "build", VERSION, "--arch", "amd64", "--compression", compression),
            *("--source", str(releases), "--pins", str(releases / "SHA256SUMS"), "--output", str(folder)),
        ]

    def unpacked(folder: Path) -> str:
        return (
            f"set -e; cd {tarball.parent}; grep {TARBALL} SHA256SUMS | sha256sum --quiet -c; "
            f"mkdir -p {folder}/unpacked; "
            f"tar xzf {TARBALL} -C {folder}/unpacked --strip-components=1 --no-same-owner; cd {folder}; "
        )

    def dpkg_deb(folder: Path) -> list[str]:
        return [
            "sh",
            "-c",
            f"{unpacked(folder)} mkdir -p tree/DEBIAN tree/usr/lib/etcd-ha/bin; "
            "mv unpacked/etcd unpacked/etcdctl unpacked/etcdutl tree/usr/lib/etcd-ha/bin; "
            f"printf %s {shlex.quote(CONTROL)} > tree/DEBIAN/control; "
            "dpkg-deb --root-owner-group --build tree peer.deb >/dev/null",
        ]

    def nfpm_with(compression: str) -> Callable[[Path], list[str]]:
        def argv(folder: Path) -> list[str]:
            config = NFPM.format(compression=compression, unpacked=folder / "unpacked")
            return [
                "sh",
                "-c",
                f"{unpacked(folder)} printf %s {shlex.quote(config)} > nfpm.yaml; "
                f"{nfpm}/bin/nfpm package -f nfpm.yaml -p deb -t peer.deb >/dev/null",
            ]

        return argv

    return {
        "etcd-deb xz": etcd_deb("xz"),
        "etcd-deb zstd": etcd_deb("zstd"),
        "dpkg-deb": dpkg_deb,
        "nfpm gzip": nfpm_with("gzip"),
        "nfpm xz": nfpm_with("xz"),
        "nfpm zstd": nfpm_with("zstd"),
    }


def _measure(argv: list[str], folder: Path, *, keep: bool = False) -> Run:
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    started = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    if status:
        error = child.stderr.read().decode() if child.stderr else ""
        raise SystemExit(f"{shlex.join(argv)} failed\n{error}")
    (package,) = (path for path in folder.glob("*.deb") if not path.is_symlink())
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, usage.ru_maxrss / 1024, package.stat().st_size)


def _uncompressed(built: Path) -> Path:
    """The package that repack gets from dpkg-deb, made back from what it left."""
    (package,) = (path for path in built.glob("*.deb") if not path.is_symlink())
    plain = built.parent / "plain" / package.name
    plain.parent.mkdir(exist_ok=True)
    with package.open("rb") as source:
        plain.write_bytes(
            packed_archive(
                member.with_content(member.name.removesuffix(".xz"), lzma.decompress(member.content))
                if member.name.endswith(".xz")
                else member
                for member in members(source)
            )
        )
    return plain


def _table(runs: dict[str, list[Run]]) -> str:
    lines = [f"{'builder':<14}{'wall s':>8}{'cpu s':>8}{'MiB':>8}{'bytes':>12}"]
    for name, measured in runs.items():
        wall, cpu, memory, size = (
            median(getattr(run, field) for run in measured) for field in ("wall", "cpu", "memory", "size")
        )
        lines.append(f"{name:<14}{wall:>8.2f}{cpu:>8.2f}{memory:>8.0f}{size:>12.0f}")
    lines.append("")
    lines.append("paired ratios and differences, median of the rounds")

    def paired(title: str, ours: str, theirs: str, *, of: str) -> None:
        pairs = zip(runs[ours], runs[theirs], strict=True)
        value = median(getattr(a, of) / getattr(b, of) for a, b in pairs)
        lines.append(f"{title:<52}{value:>8.3f}")

    def rest(title: str, build: str, compression: str) -> None:
        pairs = zip(runs[build], runs[compression], strict=True)
        lines.append(f"{title:<52}{median(a.wall - b.wall for a, b in pairs):>8.2f}")

    paired("wall, etcd-deb xz / dpkg-deb", "etcd-deb xz", "dpkg-deb", of="wall")
    paired("size, etcd-deb xz / dpkg-deb", "etcd-deb xz", "dpkg-deb", of="size")
    paired("wall, etcd-deb xz / nfpm gzip (its default)", "etcd-deb xz", "nfpm gzip", of="wall")
    paired("wall, etcd-deb zstd / nfpm zstd", "etcd-deb zstd", "nfpm zstd", of="wall")
    paired("size, etcd-deb zstd / nfpm zstd", "etcd-deb zstd", "nfpm zstd", of="size")
    rest("seconds that are not compression, xz", "etcd-deb xz", "repack xz")
    rest("seconds that are not compression, zstd", "etcd-deb zstd", "repack zstd")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
