"""What packaging/ and CHANGELOG.md repeat is what pyproject.toml and the modules say."""

from __future__ import annotations

import json
import re
import tomllib

from debian.deb822 import Deb822

import builder
from tests.unit.checkout.files import ROOT
from tests.unit.cli.command import run

# Of Debian 13 alone, or of use where Amazon's buckets are: etcd-deb works without them.
OPTIONAL = {"python3-isal", "python3-boto3"}


def libraries() -> dict[str, str]:
    """The Debian package that each line of pyproject.toml names in its comment, with the oldest version."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\ntest = ")[0]
    named = re.findall(r'^ *"[\w-]+>=([0-9.]+)[^"]*", +# (python3-[\w-]+)', text, re.MULTILINE)
    return {package: oldest for oldest, package in named}


def relations(field: str) -> dict[str, str]:
    """Packages of a field of packaging/debian/control, with the oldest version where there is one."""
    text = (ROOT / "packaging/debian/control").read_text(encoding="utf-8")
    _source, binary = Deb822.iter_paragraphs(text)
    return dict(re.findall(r"([a-z0-9][a-z0-9.+-]+)(?: \(>= ([^)]+)\))?[ \n]*(?:,|$)", binary[field]))


def named_by_doctor() -> tuple[set[str], set[str]]:
    """The packages that a build needs, but for those of dpkg-dev and every system; and the optional ones."""
    needs = json.loads(run("doctor", "--json").stdout)
    needed = {need["package"] for need in needs if need["required"]} - {"dpkg", "gzip", "make"}
    return needed, {need["package"] for need in needs if not need["required"]}


def test_the_package_depends_on_the_libraries_that_pip_would_install() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert len(libraries()) == len(project["dependencies"]) + 1, "each line names its Debian package"
    depends = relations("Depends") | relations("Recommends") | relations("Suggests")
    assert {name: depends.get(name) for name in libraries()} == libraries()
    assert set(libraries()) - set(relations("Depends")) <= OPTIONAL
    assert f">={relations('Depends')['python3']}" == project["requires-python"]


def test_the_package_depends_on_the_programs_that_doctor_says_a_build_needs() -> None:
    needed, optional = named_by_doctor()
    assert needed <= set(relations("Depends"))
    assert optional <= set(relations("Recommends") | relations("Suggests"))


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest, *_ = re.findall(r"^## \[([0-9.]+)\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$", text, re.MULTILINE)
    assert newest == builder.__version__


def test_readme_names_the_package_of_this_version_and_for_pipx_what_a_build_needs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"apt install ./dist/etcd-deb_{builder.__version__}_all.deb" in text
    (line,) = re.findall(r"^    apt install (.* pipx .*)$", text, re.MULTILINE)
    needed, _optional = named_by_doctor()
    # Of every Debian that has dpkg-dev.
    assert needed - {"xz-utils"} <= set(line.split())
