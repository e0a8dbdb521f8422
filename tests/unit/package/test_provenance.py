"""What a package says of where its binaries come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import builder
from builder.errors import EtcdDebError
from builder.package.provenance import Provenance, parse_provenance, provenance_of
from tests.unit.samples import FILE, URL, examined

GOOD = Provenance(
    format=1,
    builder="etcd-deb 0.1",
    version="3.6.99",
    architecture="amd64",
    url=URL,
    tarball=FILE.name,
    sha256="1" * 64,
    vouchers=("SHA256SUMS of one", "asset digests of two"),
    programs={"etcd": "2" * 64},
)


def test_it_reads_back_as_it_was_written() -> None:
    assert parse_provenance(GOOD.to_json(), "here") == GOOD


def test_it_tells_of_the_binaries_that_are_packed(tmp_path: Path) -> None:
    found = examined(tmp_path, "3.7.0-rc.0")
    provenance = provenance_of(found)
    tarball = found.binaries.tarball
    assert provenance.builder == f"etcd-deb {builder.__version__}"
    assert (provenance.version, provenance.architecture) == ("3.7.0-rc.0", "arm64")
    assert (provenance.url, provenance.tarball) == (tarball.url, tarball.file.name)
    assert (provenance.sha256, provenance.vouchers) == (tarball.sha256, ("pin in SHA256SUMS",))
    assert set(provenance.programs) == {"etcd", "etcdctl", "etcdutl"}


def test_no_folder_of_the_builders_gets_into_it(tmp_path: Path) -> None:
    assert str(tmp_path) not in provenance_of(examined(tmp_path)).to_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        json.dumps({**json.loads(GOOD.to_json()), "format": 2}),
        json.dumps({**json.loads(GOOD.to_json()), "vouchers": "one"}),
        json.dumps({**json.loads(GOOD.to_json()), "programs": []}),
        json.dumps({"format": 1, "version": "3.6.99"}),
    ],
)
def test_a_text_that_is_none_is_refused_with_the_package(text: str) -> None:
    with pytest.raises(EtcdDebError) as caught:
        parse_provenance(text, "a.deb")
    assert caught.value.summary == "can't read the provenance in a.deb"
