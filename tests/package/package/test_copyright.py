"""The copyright file against its format and against what is linked into the programs."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from debian.copyright import Copyright, FilesParagraph, License, LicenseParagraph
from elftools.elf.elffile import ELFFile

from builder import shipped
from builder.package.go_modules import read_build_info
from tests.package.manual import unpack_programs
from tests.support.releases.releases import NEWEST

FILE = shipped.DEBIAN_TEMPLATE / "copyright"
COMMON_LICENSES = Path("/usr/share/common-licenses")


@pytest.fixture(scope="module")
def copyright_file() -> Copyright:
    with FILE.open(encoding="utf-8") as lines:
        return Copyright(lines, strict=True)


def license_of(paragraph: FilesParagraph | LicenseParagraph | None) -> License:
    assert paragraph is not None
    # python-debian's fields are descriptors that its annotations don't tell of.
    return cast(License, paragraph.license)


@pytest.mark.parametrize(
    ("path", "holder", "license_name"),
    [
        ("bin/etcdctl", "The etcd Authors", "Apache-2.0 and BSD-2-clause and BSD-3-clause and Expat"),
        ("debian/rules", "etcd-deb contributors", "Apache-2.0"),
        ("completions/zsh/_etcdctl", "The Cobra Authors", "Apache-2.0"),
        ("completions/zsh/_etcd-ha", "etcd-deb contributors", "Apache-2.0"),
        ("doc/sbom.spdx.json", "The etcd Authors", "Apache-2.0"),
    ],
)
def test_each_part_of_the_tree_has_its_holder_and_licence(
    copyright_file: Copyright, path: str, holder: str, license_name: str
) -> None:
    paragraph = copyright_file.find_files_paragraph(path)
    assert license_of(paragraph).synopsis == license_name
    assert holder in str(paragraph.copyright if paragraph else None)


def test_each_licence_that_is_named_has_its_text(copyright_file: Copyright) -> None:
    named = {
        name
        for paragraph in copyright_file.all_files_paragraphs()
        for name in license_of(paragraph).synopsis.split(" and ")
    }
    licenses = map(license_of, copyright_file.all_license_paragraphs())
    texts = {found.synopsis: found.text for found in licenses}
    assert set(texts) == named
    assert all(len(text or "") > 500 for text in texts.values())
    assert str(COMMON_LICENSES / "Apache-2.0") in (texts["Apache-2.0"] or "")
    assert (COMMON_LICENSES / "Apache-2.0").is_file()


@pytest.mark.parametrize("version", ["3.5.1", *NEWEST.values()])
@pytest.mark.parametrize("program", ["etcd", "etcdctl", "etcdutl"])
def test_each_module_that_upstream_links_in_stands_there(
    copyright_file: Copyright, tmp_path: Path, program: str, version: str
) -> None:
    programs = copyright_file.find_files_paragraph("bin/etcd")
    assert programs is not None
    words = set(str(programs.comment).split())
    with unpack_programs(version, tmp_path)[program].open("rb") as binary:
        linked = read_build_info(ELFFile(binary), program).modules
    modules = {module.path for module in linked if not module.path.startswith("go.etcd.io/etcd/")}
    assert len(modules) > 10
    assert modules - words == set()
