"""What is inside the package: fields, files with their modes and owners, and nothing else."""

from __future__ import annotations

import json
import re

from debian.deb822 import Deb822
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from tests.package.deb import CONTROL, Deb

DOC = "usr/share/doc/etcd-ha"


def control(deb: Deb) -> Deb822:
    return Deb822(deb.contents(CONTROL)["control"])


def test_fields_name_what_the_package_takes_the_place_of(deb: Deb) -> None:
    fields = control(deb)
    version = fields["Version"]
    assert (fields["Package"], fields["Architecture"]) == ("etcd-ha", "amd64")
    for field in ("Conflicts", "Replaces"):
        assert set(re.split(r",\s*", fields[field])) >= {"etcd", "etcd-client", "etcd-server"}
    provided = set(re.split(r",\s*", fields["Provides"]))
    assert provided >= {f"{name} (= {version})" for name in ("etcd-client", "etcd-server")}


def test_static_binaries_need_no_library(static_deb: Deb) -> None:
    assert "libc6" not in control(static_deb)["Depends"]


def test_every_file_belongs_to_root_and_nobody_else_may_write_it(deb: Deb) -> None:
    for member in deb.members():
        assert (member.owner, member.group, member.uid, member.gid) == ("root", "root", 0, 0), member
        assert member.kind in ("file", "directory", "link"), member
        if member.kind != "link":
            assert member.mode & 0o7022 == 0, member


def test_only_programs_and_scripts_are_executable(deb: Deb) -> None:
    texts = deb.contents()
    for member in deb.members():
        if member.kind == "file":
            runs = texts[member.name].startswith((b"\x7fELF", b"#!"))
            assert member.mode == (0o755 if runs else 0o644), member


def test_files_lie_where_they_belong(deb: Deb) -> None:
    places = (
        r"etc/(etcd|apt/apt\.conf\.d/80etcd-ha|needrestart/conf\.d/etcd-ha\.conf)",
        r"usr/lib/etcd-ha/.*",
        r"usr/lib/(sysusers|tmpfiles)\.d/etcd-ha\.conf",
        r"usr/lib/systemd/(system/etcd(\.path|(-ha-backup)?\.(service|timer))|system-generators/etcd-ha)",
        r"usr/sbin/etcd-ha",
        r"usr/share/etcd-ha/(alternatives|config-keys|known-faults|etcd_ha/(\w+/)?\w+\.py)",
        r"usr/share/doc/etcd-ha/.*",
        r"usr/share/man/man[18]/etcd(-ha|ctl|utl)?\.[18]\.gz",
        r"usr/share/(bash-completion/completions|zsh/vendor-completions|fish/vendor_completions\.d)/.*",
        r"usr/share/lintian/overrides/etcd-ha",
    )
    stray = [
        member.name
        for member in deb.members()
        if member.kind != "directory" and not any(re.fullmatch(place, member.name) for place in places)
    ]
    assert stray == []


def test_configuration_of_etcd_is_neither_shipped_nor_a_conffile(deb: Deb) -> None:
    assert [name for name in deb.contents() if name.startswith("etc/etcd/")] == []
    assert deb.contents(CONTROL)["conffiles"].decode().split() == [
        "/etc/apt/apt.conf.d/80etcd-ha",
        "/etc/needrestart/conf.d/etcd-ha.conf",
    ]


def test_every_file_but_conffiles_has_its_checksum(deb: Deb) -> None:
    # dpkg keeps those of conffiles itself: debsums would call one that an admin has changed damaged.
    sums = deb.contents(CONTROL)["md5sums"].decode().splitlines()
    named = {line.split("  ", 1)[1] for line in sums}
    conffiles = {name.lstrip("/") for name in deb.contents(CONTROL)["conffiles"].decode().split()}
    assert named == set(deb.contents()) - conffiles


def test_programs_are_the_provenances_and_the_bill_of_materials_is_spdx(deb: Deb) -> None:
    contents = deb.contents()
    provenance = json.loads(contents[f"{DOC}/provenance.json"])
    inside = {
        member.name.rpartition("/")[2]: member.digest
        for member in deb.members()
        if member.kind == "file" and member.name.startswith("usr/lib/etcd-ha/bin/")
    }
    assert inside == provenance["programs"]
    parser = JsonLikeDictParser()  # type: ignore[no-untyped-call]
    document = parser.parse(json.loads(contents[f"{DOC}/sbom.spdx.json"]))
    assert validate_full_spdx_document(document) == []
    assert {package.name for package in document.packages} >= {*inside, "stdlib"}


def test_control_file_tells_the_provenance_that_a_repository_shows(deb: Deb) -> None:
    provenance = json.loads(deb.contents()[f"{DOC}/provenance.json"])
    told = {name: value for name, value in control(deb).items() if name.startswith("Upstream-")}
    assert told == {
        "Upstream-Release": f"https://github.com/etcd-io/etcd/releases/tag/v{provenance['version']}",
        "Upstream-Tarball": provenance["tarball"],
        "Upstream-Sha256": provenance["sha256"],
        "Upstream-Vouchers": ", ".join(provenance["vouchers"]),
    }


def test_documents_that_debian_wants_are_there(deb: Deb) -> None:
    names = {name.removeprefix(f"{DOC}/") for name in deb.contents() if name.startswith(DOC)}
    assert names >= {"copyright", "changelog.Debian.gz", "NEWS.Debian.gz", "provenance.json"}
    assert {name.removesuffix(".gz") for name in names} >= {"README.Debian", "examples/preseed.example"}
