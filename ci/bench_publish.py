"""etcd-deb, reprepro and aptly at the same work: an empty repository, N small packages, then a real one more.

Every tool signs with the same key. reprepro keeps one version of a name, so its packages have N names; the
others get N versions of one name. wall in seconds, the median; memory of the largest single process in MiB,
the worst. Ratios are medians of the rounds' own ratios.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from builder.deb.repack import Member, packed_archive
from tests.support.archives.publisher import signing_home
from tests.support.faults.versions import relabel
from tests.support.machines.package import build_package

COUNTS = (100, 1000, 5000)
ARCHITECTURES = ("amd64", "arm64", "s390x")
CONTROL = """Package: {package}
Version: {version}
Architecture: {architecture}
Maintainer: nobody <nobody@example.org>
Installed-Size: 60000
Section: database
Priority: optional
Description: a package of the benchmark
 It has a control file of the usual length and nothing in it, so that what is
 measured is the work of the publisher.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One command, measured."""

    wall: float
    memory: float


Runs = Mapping[tuple[int, str, str], Sequence[Run]]


@dataclass(frozen=True, slots=True)
class Tool:
    """How a tool makes an empty repository, fills it, and adds one: command lines, each a step."""

    name: str
    names_differ: bool
    make: Callable[[Path], list[list[str]]]
    scratch: Callable[[Path, Path], list[list[str]]]
    add: Callable[[Path, Path], list[list[str]]]


def make_package(folder: Path, package: str, version: str, architecture: str) -> None:
    """A .deb as dpkg-deb would make it."""

    def tar(content: dict[str, bytes]) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name, data in content.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return out.getvalue()

    control = CONTROL.format(package=package, version=version, architecture=architecture).encode()
    parts = (
        Member("debian-binary", 0, b"2.0\n"),
        Member("control.tar.gz", 0, tar({"./control": control})),
        Member("data.tar.gz", 0, tar({})),
    )
    (folder / f"{package}_{version}_{architecture}.deb").write_bytes(packed_archive(parts))


def make_packages(folder: Path, count: int, *, names_differ: bool) -> None:
    """Small packages, in the series of the real one that is added to them."""
    folder.mkdir()
    for number in range(count):
        package = f"etcd-ha-{number}" if names_differ else "etcd-ha"
        version = "3.6.7-1" if names_differ else f"3.6.{number}-1"
        make_package(folder, package, version, ARCHITECTURES[number % len(ARCHITECTURES)])


def debs(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.glob("*.deb"))


def tools(key: str, gnupg_home: Path) -> Iterator[Tool]:
    """The three, each with a repository of its own below a folder."""

    def etcd_deb(repository: Path, packages: Path) -> list[list[str]]:
        return [["etcd-deb", "publish", *debs(packages), "--repo", str(repository), "--suite", "trixie"]]

    def etcd_deb_make(repository: Path) -> list[list[str]]:
        init = ["etcd-deb", "repo", "init", str(repository), "--suite", "trixie", "--key", key]
        return [[*init, "--gnupg-home", str(gnupg_home)]]

    def reprepro(repository: Path, packages: Path) -> list[list[str]]:
        return [["reprepro", "-b", str(repository), "includedeb", "trixie", *debs(packages)]]

    def reprepro_make(repository: Path) -> list[list[str]]:
        (repository / "conf").mkdir(parents=True)
        (repository / "conf/distributions").write_text(
            "Codename: trixie\nSuite: trixie\nComponents: main\n"
            f"Architectures: {' '.join(ARCHITECTURES)}\nSignWith: {key}\n"
        )
        return []

    def aptly(repository: Path, *words: str) -> list[str]:
        return ["aptly", f"-config={repository}/aptly.conf", *words]

    def aptly_make(repository: Path) -> list[list[str]]:
        repository.mkdir(parents=True)
        settings = {
            "rootDir": str(repository / "root"),
            "architectures": list(ARCHITECTURES),
            "gpgProvider": "gpg",
        }
        (repository / "aptly.conf").write_text(json.dumps(settings))
        return [aptly(repository, "repo", "create", "-distribution=trixie", "etcd")]

    def aptly_scratch(repository: Path, packages: Path) -> list[list[str]]:
        return [
            aptly(repository, "repo", "add", "etcd", *debs(packages)),
            aptly(repository, "publish", "repo", "-batch", f"-gpg-key={key}", "etcd"),
        ]

    def aptly_add(repository: Path, packages: Path) -> list[list[str]]:
        return [
            aptly(repository, "repo", "add", "etcd", *debs(packages)),
            aptly(repository, "publish", "update", "-batch", f"-gpg-key={key}", "trixie"),
        ]

    yield Tool("etcd-deb", False, etcd_deb_make, etcd_deb, etcd_deb)
    yield Tool("reprepro", True, reprepro_make, reprepro, reprepro)
    yield Tool("aptly", False, aptly_make, aptly_scratch, aptly_add)


def measure(steps: list[list[str]], environment: dict[str, str], log: Path) -> Run:
    """The steps one after the other: their time together, and the largest of their processes."""
    wall, memory = 0.0, 0.0
    # Who syncs a file system would pay for what others left to be written.
    os.sync()
    for argv in steps:
        with log.open("wb") as out:
            started = time.monotonic()
            child = subprocess.Popen(argv, env=environment, stdout=out, stderr=out)
            _, status, usage = os.wait4(child.pid, 0)
            wall += time.monotonic() - started
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{' '.join(argv[:4])} … failed:\n{log.read_text()[-2000:]}")
        memory = max(memory, usage.ru_maxrss / 1024)
    return Run(wall, memory)


def main() -> None:
    """Print the table; `--json FILE` also keeps each run."""
    parser = argparse.ArgumentParser(prog="ci/bench publish", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    runs: dict[tuple[int, str, str], list[Run]] = {}
    with tempfile.TemporaryDirectory(prefix="etcd-deb-bench-") as temporary:
        work = Path(temporary)
        (work / "real").mkdir()
        # The package of a real release, labelled as one more of the series that the others are of.
        relabel(build_package("3.5.30", work / "built"), f"3.6.{max(arguments.counts) + 1}-1", work / "real")
        with signing_home() as gnupg_home:
            environment = {**os.environ, "GNUPGHOME": str(gnupg_home), "HOME": str(work)}
            for number in range(arguments.rounds):
                print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
                for count in arguments.counts:
                    for tool in tools(_key(gnupg_home), gnupg_home):
                        packages = work / f"packages-{count}-{tool.names_differ}"
                        if not packages.exists():
                            make_packages(packages, count, names_differ=tool.names_differ)
                        # They stay to the end: ext4 takes several times as long to make files where as many
                        # were removed in the last minutes, and whoever comes next would pay for that.
                        repository = work / f"{tool.name}-{count}-{number}"
                        works = {
                            "make": tool.make(repository),
                            "scratch": tool.scratch(repository, packages),
                            "add one": tool.add(repository, work / "real"),
                        }
                        for step, steps in works.items():
                            if not steps:
                                # reprepro is given a file of settings, and begins with the first package.
                                continue
                            run = measure(steps, environment, work / "log")
                            runs.setdefault((count, step, tool.name), []).append(run)
    print(table(runs))
    print()
    print(limits(runs))
    if arguments.json:
        kept = [
            {"count": c, "step": s, "tool": t, **asdict(run)} for (c, s, t), rs in runs.items() for run in rs
        ]
        arguments.json.write_text(json.dumps(kept, indent=1))


def _key(gnupg_home: Path) -> str:
    """The fingerprint of the benchmark's key, made at the first call."""
    gpg = ["gpg", "--homedir", str(gnupg_home), "--batch"]
    listed = subprocess.run(
        [*gpg, "--with-colons", "--list-secret-keys"], capture_output=True, text=True, check=True
    )
    if "fpr:" not in listed.stdout:
        new = ["--passphrase", "", "--quick-generate-key", "bench", "rsa3072", "sign", "never"]
        subprocess.run([*gpg, *new], check=True, capture_output=True)
        return _key(gnupg_home)
    return next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr:"))


def ratio(runs: Runs, count: int, step: str, tool: str) -> float:
    """The time of etcd-deb in that of another, round by round; the median."""
    pairs = zip(runs[count, step, "etcd-deb"], runs[count, step, tool], strict=True)
    return median(own.wall / other.wall for own, other in pairs)


def table(runs: Runs) -> str:
    """A line for each tool at each work."""
    lines = [f"{'packages':>8}  {'step':8} {'tool':9} {'wall s':>8} {'MiB':>6} {'etcd-deb / it':>14}"]
    for (count, step, tool), measured in runs.items():
        wall, memory = median(run.wall for run in measured), max(run.memory for run in measured)
        compared = ratio(runs, count, step, tool)
        lines.append(f"{count:>8}  {step:8} {tool:9} {wall:8.2f} {memory:6.0f} {compared:14.2f}")
    return "\n".join(lines)


def limits(runs: Runs) -> str:
    """What was promised, and whether this run keeps to it."""
    counts = sorted({count for count, _, _ in runs})
    largest = counts[-1]
    memory = max(
        run.memory for (_, _, tool), measured in runs.items() if tool == "etcd-deb" for run in measured
    )
    measured = [
        (f"add one to {largest}, etcd-deb / aptly", ratio(runs, largest, "add one", "aptly"), 0.4),
        (f"add one to {largest}, etcd-deb / reprepro", ratio(runs, largest, "add one", "reprepro"), 2.5),
        *(
            (f"{count} from scratch, etcd-deb / aptly", ratio(runs, count, "scratch", "aptly"), 1.5)
            for count in counts
        ),
        ("memory of etcd-deb, MiB", memory, 100.0),
    ]
    lines = [f"{'limit':42} {'measured':>9} {'at most':>8}"]
    for what, value, most in measured:
        lines.append(f"{what:42} {value:9.2f} {most:8.2f}  {'holds' if value <= most else 'does NOT hold'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
