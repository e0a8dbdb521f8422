"""The bill of materials: valid SPDX, of the same bytes for the same binaries."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from spdx_tools.spdx.model.document import Document
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from builder.package.examine import ExaminedBinaries
from builder.package.go_modules import GoModule
from builder.package.sbom import software_bill
from builder.version import Architecture
from tests.support.releases.fake_release import MTIME
from tests.unit.samples import examined

MODULES = (
    GoModule("github.com/form3tech-oss/jwt-go", "v3.2.3+incompatible", "h1:7Z="),
    GoModule("go.etcd.io/etcd/api/v3", "v3.6.99", ""),
    GoModule("go.etcd.io/bbolt", "v1.4.3", "h1:bb="),
)


def with_modules(found: ExaminedBinaries, modules: tuple[GoModule, ...]) -> ExaminedBinaries:
    return replace(
        found,
        programs=tuple(
            replace(program, build=replace(program.build, modules=modules)) for program in found.programs
        ),
    )


def bill_of(found: ExaminedBinaries) -> str:
    return software_bill(found, found.binaries.tarball.url)


def parsed(text: str) -> Document:
    """The document as spdx-tools reads it, with nothing to complain of."""
    document: Document = JsonLikeDictParser().parse(json.loads(text))  # type: ignore[no-untyped-call]
    complaints = [message.validation_message for message in validate_full_spdx_document(document)]
    assert complaints == []
    return document


@pytest.mark.parametrize("text", ["3.6.99", "3.4.99", "3.7.0-rc.0"])
@pytest.mark.parametrize("architecture", [Architecture.ARM64, Architecture.S390X])
def test_the_document_is_valid_spdx_2_3(tmp_path: Path, text: str, architecture: Architecture) -> None:
    bill = bill_of(with_modules(examined(tmp_path, text, architecture), MODULES))
    info = parsed(bill).creation_info
    assert (info.spdx_version, info.name) == ("SPDX-2.3", f"etcd-ha-{text}-{architecture}")
    assert info.created.timestamp() == MTIME


def test_each_program_is_described_with_its_digest_and_all_its_modules(tmp_path: Path) -> None:
    found = with_modules(examined(tmp_path), MODULES)
    document = parsed(bill_of(found))
    digests = {package.name: package.checksums[0].value for package in document.packages if package.checksums}
    assert digests == {program.program.name: program.program.sha256 for program in found.programs}
    kinds = Counter(
        (relation.spdx_element_id, relation.relationship_type.name) for relation in document.relationships
    )
    assert kinds == {
        ("SPDXRef-DOCUMENT", "DESCRIBES"): 3,
        # The modules, and the standard library.
        **{(f"SPDXRef-Program-{name}", "DEPENDS_ON"): len(MODULES) + 1 for name in digests},
    }


def test_a_module_is_listed_once_with_its_package_url(tmp_path: Path) -> None:
    document = parsed(bill_of(with_modules(examined(tmp_path), MODULES)))
    locators = [package.external_references[0].locator for package in document.packages]
    assert locators == [
        "pkg:golang/go.etcd.io/etcd/server/v3@v3.6.99",
        "pkg:golang/go.etcd.io/etcd/etcdctl/v3@v3.6.99",
        "pkg:golang/go.etcd.io/etcd/etcdutl/v3@v3.6.99",
        "pkg:golang/github.com/form3tech-oss/jwt-go@v3.2.3%2Bincompatible",
        "pkg:golang/go.etcd.io/bbolt@v1.4.3",
        "pkg:golang/go.etcd.io/etcd/api/v3@v3.6.99",
        "pkg:golang/stdlib@1.24.11",
    ]


def test_the_order_of_modules_in_the_binary_does_not_matter(tmp_path: Path) -> None:
    found = examined(tmp_path)
    assert bill_of(with_modules(found, MODULES)) == bill_of(with_modules(found, MODULES[::-1]))


def test_the_same_binaries_in_another_folder_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = bill_of(examined(tmp_path / "a")), bill_of(examined(tmp_path / "b"))
    assert one == other
    assert str(tmp_path) not in one


def test_other_binaries_have_another_name_space(tmp_path: Path) -> None:
    one = parsed(bill_of(examined(tmp_path / "a", "3.6.98")))
    other = parsed(bill_of(examined(tmp_path / "b", "3.6.98", Architecture.S390X)))
    assert one.creation_info.document_namespace != other.creation_info.document_namespace


def test_a_folder_as_source_is_no_download_location(tmp_path: Path) -> None:
    bill = json.loads(bill_of(examined(tmp_path, url="file:etcd.tar.gz")))
    assert {package["downloadLocation"] for package in bill["packages"]} == {"NOASSERTION"}
