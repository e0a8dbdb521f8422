"""Versions and architectures, in etcd's spelling and in Debian's."""

from __future__ import annotations

import platform
import random

import pytest
from debian.debian_support import Version
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import LONGEST, UsageError
from builder.version import (
    Architecture,
    Latest,
    PackageVersion,
    Series,
    UpstreamVersion,
    VersionRequest,
    parse_architectures,
    parse_revision,
    parse_version,
)
from tests.unit.samples import version

ORDERED = (
    *(
        "3.4.23",
        "3.5.0-alpha.0",
        "3.5.0-alpha.2",
        "3.5.0-alpha.10",
        "3.5.0-beta.4",
        "3.5.0-rc.0",
        "3.5.0-rc.1",
    ),
    *("3.5.0", "3.5.1", "3.5.30", "3.6.0-rc.5", "3.6.0", "3.6.7", "3.6.10", "3.7.0-rc.0", "3.7.0", "3.10.0"),
)
NUMBER = st.integers(min_value=0, max_value=120)
VERSIONS = st.one_of(
    st.builds(UpstreamVersion, NUMBER, NUMBER, NUMBER),
    st.builds(UpstreamVersion, NUMBER, NUMBER, NUMBER, st.sampled_from(["alpha", "beta", "rc"]), NUMBER),
)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("v3.6.7", UpstreamVersion(3, 6, 7)),
        ("3.6.7", UpstreamVersion(3, 6, 7)),
        ("v3.7.0-rc.0", UpstreamVersion(3, 7, 0, "rc", 0)),
        ("3.5.0-alpha.12", UpstreamVersion(3, 5, 0, "alpha", 12)),
        ("3.6", Series(3, 6)),
        ("v3.6", Series(3, 6)),
        ("latest", Latest()),
    ],
)
def test_a_request_is_a_version_a_series_or_latest(text: str, means: VersionRequest) -> None:
    assert parse_version(text) == means


@pytest.mark.parametrize(
    "text",
    [
        *("", "v", "3", "3.", "3.6.", "3.6.7.8", "3.6.x", "V3.6.7", " 3.6.7", "3.6.7\n", "3.6.7-1", "Latest"),
        *(
            "3.7.0-rc",
            "3.7.0-rc.",
            "3.7.0rc.0",
            "3.7.0~rc.0",
            "3.7.0-gamma.1",
            "-3.6.7",
            "../3.6.7",
            "03.6.7",
            "3.06",
            "3.6.07",
            "3.6.12345",
            f"3.6.{'9' * 5000}",
            f"3.7.0-rc.{'9' * 5000}",
            "v٣.6.7",
        ),
    ],
)
def test_anything_else_is_a_usage_error_that_shows_the_forms(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_version(text)
    assert "v3.6.7, 3.6.7, 3.6, latest or v3.7.0-rc.0" in caught.value.render()
    assert repr(text)[:LONGEST] in caught.value.summary


def test_versions_sort_by_number_and_pre_releases_before_their_release() -> None:
    shuffled = [version(text) for text in ORDERED]
    random.Random(7).shuffle(shuffled)  # noqa: S311
    assert [str(found) for found in sorted(shuffled)] == list(ORDERED)


@given(VERSIONS, VERSIONS)
def test_the_order_is_dpkgs_order_of_the_debian_versions(
    one: UpstreamVersion, other: UpstreamVersion
) -> None:
    assert (one < other) == (Version(one.debian) < Version(other.debian))
    assert (one == other) == (Version(one.debian) == Version(other.debian))


@given(VERSIONS)
def test_a_version_reads_back_from_its_tag(one: UpstreamVersion) -> None:
    assert parse_version(one.tag) == one
    assert parse_version(str(one)) == one


def test_a_pre_release_has_a_tilde_in_debian_and_a_dash_upstream() -> None:
    pre_release = version("v3.7.0-rc.0")
    assert (pre_release.tag, pre_release.debian) == ("v3.7.0-rc.0", "3.7.0~rc.0")
    assert str(PackageVersion(pre_release, "1")) == "3.7.0~rc.0-1"


def test_the_series_of_a_version_is_its_minor() -> None:
    assert str(version("3.6.7").series) == "3.6"
    assert sorted([Series(3, 10), Series(3, 4)]) == [Series(3, 4), Series(3, 10)]


def test_the_priority_grows_with_the_version_and_is_above_the_hand_made_100() -> None:
    releases = [version(text) for text in ORDERED if "-" not in text]
    priorities = [release.priority for release in releases]
    assert version("3.6.7").priority == 30607
    assert priorities == sorted(set(priorities))
    assert min(priorities) > 100


def test_etcdutl_belongs_to_releases_from_3_5_on() -> None:
    assert version("3.4.23").programs == ("etcd", "etcdctl")
    assert version("3.5.0-alpha.0").programs == ("etcd", "etcdctl", "etcdutl")
    assert version("3.6.7").programs == ("etcd", "etcdctl", "etcdutl")


@pytest.mark.parametrize("text", ["1", "1~bpo13+1", "0ubuntu1", "12.3"])
def test_a_debian_revision_is_taken_as_it_is(text: str) -> None:
    assert parse_revision(text) == text


@pytest.mark.parametrize("text", ["", "a1", "1-1", "1_1", "1 ", "1\n", "~1", "1:2"])
def test_a_revision_outside_of_policy_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a Debian revision"):
        parse_revision(text)


def test_architectures_have_debians_names_and_upstreams() -> None:
    assert [architecture.value for architecture in Architecture] == ["amd64", "arm64", "ppc64el", "s390x"]
    assert [architecture.upstream for architecture in Architecture] == ["amd64", "arm64", "ppc64le", "s390x"]
    assert len({architecture.elf_machine for architecture in Architecture}) == len(Architecture)


def test_architectures_are_taken_once_each_in_the_order_asked_for() -> None:
    assert parse_architectures(("s390x", "amd64", "s390x")) == (Architecture.S390X, Architecture.AMD64)


def test_all_means_every_architecture() -> None:
    assert parse_architectures(("amd64", "all")) == tuple(Architecture)


@pytest.mark.parametrize(
    ("machine", "name"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("ppc64le", "ppc64el")]
)
def test_host_means_this_machines_architecture(
    machine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert parse_architectures(("host",)) == (Architecture(name),)


@pytest.mark.parametrize("name", ["x86_64", "ppc64le", "armhf", ""])
def test_an_unknown_architecture_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_architectures((name,))
    assert "amd64, arm64, ppc64el, s390x or all" in caught.value.render()
