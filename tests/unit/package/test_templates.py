"""debian-template/: what is rendered, from what, and whether Debian's own parsers read it."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from debian.changelog import Changelog
from debian.deb822 import Deb822
from jinja2 import Environment
from jinja2.meta import find_undeclared_variables

from builder import shipped
from builder.advisories import kept_file, known_faults
from builder.known_faults import shipped_faults
from builder.package.examine import ExaminedBinaries
from builder.package.provenance import provenance_of
from builder.package.source_tree import TemplateContext, assemble, config_keys, template_context
from builder.system.progress import Progress
from builder.version import PackageVersion, Series
from tests.support.releases.fake_release import MTIME
from tests.unit.samples import examined, version

TEMPLATES = sorted(shipped.DEBIAN_TEMPLATE.rglob("*.j2"))
FIELDS = {field.name for field in fields(TemplateContext)}
MAINTAINER = "Jane Doe <jane@example.org>"
VERSIONS = ("3.6.99", "3.4.99", "3.7.0-rc.0")
KEYS = json.loads((shipped.CONF / "etcd-config-keys.json").read_text())
SERIES = sorted(name for name in KEYS if name != "_meta")


def used(template: Path) -> set[str]:
    return find_undeclared_variables(Environment().parse(template.read_text()))  # noqa: S701


def package_version(found: ExaminedBinaries, revision: str = "1") -> PackageVersion:
    return PackageVersion(found.binaries.tarball.file.version, revision)


def dotted(keys: dict[str, Any], prefix: str = "") -> set[str]:
    """Every key of the table, nested ones by their whole path."""
    found = {f"{prefix}{name}" for name in keys}
    return found.union(*(dotted(entry.get("keys") or {}, f"{prefix}{name}.") for name, entry in keys.items()))


def debian(folder: Path, text: str, *, is_static: bool = True) -> Path:
    """debian/ of a tree that was assembled from tiny binaries."""
    found = examined(folder, text)
    programs = tuple(replace(program, is_static=is_static) for program in found.programs)
    found = replace(found, programs=programs)
    return assemble(found, provenance_of(found), package_version(found), MAINTAINER, folder).root / "debian"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_uses_only_what_the_context_has(template: Path) -> None:
    assert used(template) <= FIELDS


def test_every_field_of_the_context_is_used_by_a_template() -> None:
    assert set().union(*map(used, TEMPLATES)) == FIELDS


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_file_is_a_template_only_where_something_differs(template: Path) -> None:
    assert used(template)


@pytest.mark.parametrize("text", VERSIONS)
def test_control_parses_and_names_the_release(tmp_path: Path, text: str) -> None:
    with (debian(tmp_path, text) / "control").open() as file:
        source, package = Deb822.iter_paragraphs(file)
    assert (source["Source"], source["Maintainer"]) == ("etcd-ha", MAINTAINER)
    assert package["Package"] == "etcd-ha"
    assert package["Architecture"] == "amd64 arm64 ppc64el s390x"
    provided = set(re.split(r",\s*", package["Provides"].strip().rstrip(",")))
    version = f"{text.replace('-', '~')}-1"
    assert provided == {f"{name} (= {version})" for name in ("etcd", "etcd-client", "etcd-server")}
    assert "\n\n" not in package["Description"]


@pytest.mark.parametrize("text", VERSIONS)
def test_the_changelog_parses_and_carries_the_releases_date(tmp_path: Path, text: str) -> None:
    with (debian(tmp_path, text) / "changelog").open() as file:
        changelog = Changelog(file, strict=True)
    assert (changelog.package, str(changelog.version)) == ("etcd-ha", f"{text.replace('-', '~')}-1")
    assert changelog.author == MAINTAINER
    assert changelog.date is not None
    assert parsedate_to_datetime(changelog.date).timestamp() == MTIME


def test_only_a_static_release_does_without_shared_libraries(tmp_path: Path) -> None:
    static, dynamic = (
        (debian(tmp_path / name, "3.6.99", is_static=is_static) / "control").read_text()
        for name, is_static in (("static", True), ("dynamic", False))
    )
    assert "${shlibs:Depends}" not in static
    assert "${shlibs:Depends}" in dynamic


def test_one_dynamic_program_makes_a_dynamic_package(tmp_path: Path) -> None:
    found = examined(tmp_path)
    first, *others = found.programs
    mixed = replace(found, programs=(replace(first, is_static=False), *others))
    provenance, version = provenance_of(found), package_version(found)
    assert template_context(found, provenance, version, MAINTAINER).is_static
    assert not template_context(mixed, provenance, version, MAINTAINER).is_static


@pytest.mark.parametrize("text", VERSIONS)
def test_there_is_an_alternative_for_each_program_of_the_release(tmp_path: Path, text: str) -> None:
    folder = debian(tmp_path, text)
    lines = [line for line in (folder / "alternatives").read_text().splitlines() if line[:1] != "#"]
    found = {program: (link, int(priority)) for program, link, priority in map(str.split, lines)}
    assert set(found) == {path.name for path in (folder.parent / "bin").iterdir()}
    assert {link.rpartition("/")[2] for link, _ in found.values()} == set(found)
    assert min(priority for _, priority in found.values()) > 100


def test_the_package_has_the_known_faults_of_its_version_as_etcd_deb_ships_them(tmp_path: Path) -> None:
    lines = (debian(tmp_path, "3.6.14") / "known-faults").read_text().splitlines()
    assert lines[0].startswith(f"# Known faults of etcd v3.6.14 as of {shipped_faults().as_of}: ")
    assert lines[1:] == [
        f"{fault.fixed}|{fault.what}|{fault.source}" for fault in shipped_faults().of(version("3.6.14"))
    ]
    assert len(lines) > 1


def test_the_bytes_of_a_package_do_not_change_with_what_github_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (debian(tmp_path / "before", "3.6.16") / "known-faults").read_text()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = [{"vulnerable_version_range": "< 3.6.17", "patched_versions": "3.6.17"}]
    found = {"ghsa_id": "GHSA-aaaa-bbbb-cccc", "summary": "Something", "vulnerabilities": rows}
    kept_file().parent.mkdir()
    kept_file().write_text(json.dumps({"read": "2026-12-01", "advisories": [found]}))
    assert known_faults(Progress()).of(version("3.6.16"))
    assert (debian(tmp_path / "after", "3.6.16") / "known-faults").read_text() == before


def test_no_template_is_left_and_modes_do_not_depend_on_the_checkout(tmp_path: Path) -> None:
    folder = debian(tmp_path, "3.6.99")
    assert list(folder.rglob("*.j2")) == []
    assert not (folder / "completions").exists()
    for path in folder.rglob("*"):
        runs = path.is_dir() or path.read_bytes().startswith(b"#!")
        assert path.stat().st_mode & 0o777 == (0o755 if runs else 0o644), path


def test_the_tree_is_complete(tmp_path: Path) -> None:
    root = debian(tmp_path, "3.6.99").parent
    assert root.name == "etcd-ha-3.6.99"
    assert {path.name for path in root.iterdir()} == {"bin", "completions", "debian", "doc"}
    assert {path.name for path in (root / "doc").iterdir()} == {"provenance.json", "sbom.spdx.json"}


@pytest.mark.parametrize("text", VERSIONS)
def test_there_are_completions_of_each_program_for_each_shell(tmp_path: Path, text: str) -> None:
    root = debian(tmp_path, text).parent
    programs = {"etcd-ha", *(path.name for path in (root / "bin").iterdir())}
    found = {str(path.relative_to(root / "completions")) for path in root.glob("completions/*/*")}
    assert found == {
        name.format(program) for program in programs for name in ("bash/{}", "zsh/_{}", "fish/{}.fish")
    }


def test_a_pre_release_has_its_tilde_in_the_trees_name(tmp_path: Path) -> None:
    assert debian(tmp_path, "3.7.0-rc.0").parent.name == "etcd-ha-3.7.0~rc.0"


@pytest.mark.parametrize("name", SERIES)
def test_the_keys_of_a_series_are_sorted_dotted_and_typed(name: str) -> None:
    keys = config_keys(Series(*map(int, name.split("."))))
    assert list(keys) == sorted(set(keys))
    assert {kind for _, kind in keys} <= {"string", "int", "bool", "list", "duration", "map"}
    assert {key for key, _ in keys} == dotted(KEYS[name])


def test_the_table_knows_what_differs_between_series() -> None:
    old, new = dict(config_keys(Series(3, 4))), dict(config_keys(Series(3, 6)))
    assert "enable-v2" in old
    assert "enable-v2" not in new
    assert new["client-transport-security.cert-file"] == "string"


def test_a_series_that_is_not_known_yet_gets_the_newest_ones_keys() -> None:
    newest = Series(*map(int, SERIES[-1].split(".")))
    assert config_keys(Series(3, 99)) == config_keys(newest)
