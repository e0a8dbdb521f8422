"""ci/package makes a Debian package of etcd-deb that has all it needs; lintian finds nothing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.deb import Deb
from tests.package.package.test_lintian import SUITES, lintian_of, reasons_of
from tests.support.command import run
from tests.support.sample import sampled
from tests.unit.checkout import files as checkout

APPLICATION = Path("usr/share/etcd-deb/builder")


@pytest.fixture
def deb(own_package: Path) -> Deb:
    """The package, taken apart."""
    return Deb(own_package)


@pytest.mark.parametrize("suite", sampled(SUITES, "trixie"))
def test_lintian_finds_nothing_in_our_own_package(own_package: Path, suite: str) -> None:
    with lintian_of(suite) as check:
        assert check([own_package]) == []


def test_each_override_of_our_own_package_has_a_reason(deb: Deb) -> None:
    reasons = reasons_of(deb.contents()["usr/share/lintian/overrides/etcd-deb"].decode())
    assert reasons
    assert {line: reason for line, reason in reasons.items() if len(reason.split()) < 5} == {}


def test_our_own_package_has_each_module_template_and_setting_as_in_the_checkout(deb: Deb) -> None:
    wanted = {
        str(
            APPLICATION / (path.relative_to("builder") if path.parts[0] == "builder" else Path("data") / path)
        ): content
        for path, content in checkout.files().items()
        if path.parts[0] in {"builder", "conf", "debian-template"}
    }
    contents = deb.contents()
    assert {name for name in contents if Path(name).is_relative_to(APPLICATION)} == set(wanted)
    assert [name for name, content in wanted.items() if contents[name] != content] == []


def test_our_own_package_has_the_manual_and_completions_and_no_module_among_pythons_own(deb: Deb) -> None:
    contents = deb.contents()
    assert [member.link for member in deb.members() if member.name == "usr/bin/etcd-deb"] == [
        "../share/etcd-deb/etcd-deb"
    ]
    assert {
        "usr/share/etcd-deb/etcd-deb",
        "usr/share/man/man1/etcd-deb.1.gz",
        "usr/share/doc/etcd-deb/README.md",
        "usr/share/bash-completion/completions/etcd-deb",
        "usr/share/zsh/vendor-completions/_etcd-deb",
        "usr/share/fish/vendor_completions.d/etcd-deb.fish",
    } <= set(contents)
    for name in ("bash-completion/completions/etcd-deb", "zsh/vendor-completions/_etcd-deb"):
        assert b"_ETCD_DEB_COMPLETE" in contents[f"usr/share/{name}"]
    assert [name for name in contents if name.startswith("usr/lib/python3") or name.endswith(".pyc")] == []


@pytest.mark.soak
def test_our_own_package_is_the_same_bytes_another_time(own_package: Path, tmp_path: Path) -> None:
    run([checkout.ROOT / "ci/package", tmp_path], within=300)
    assert (tmp_path / own_package.name).read_bytes() == own_package.read_bytes()
