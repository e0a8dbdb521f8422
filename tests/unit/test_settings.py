"""Settings: what comes with etcd-deb, then a file, then variables, then options."""

from __future__ import annotations

import pwd
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

import pytest

from builder import shipped
from builder.cli.options import sources_of
from builder.errors import EtcdDebError, UsageError
from builder.release.cache import cache_folder
from builder.release.pins import read_pins
from builder.settings import Settings, Value, load_settings, read_settings_file, user_file
from builder.version import Architecture

NAMES = [field.name for field in fields(Settings)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "etcd-deb.toml"


def load(
    file: Path | None = None, environment: Mapping[str, str] | None = None, **options: Value | None
) -> Settings:
    return load_settings(file, environment or {}, options)


def test_the_shipped_file_has_every_setting_and_a_comment_for_each() -> None:
    assert list(read_settings_file(shipped.CONF / "etcd-deb.toml")) == NAMES
    blocks = (shipped.CONF / "etcd-deb.toml").read_text().strip().split("\n\n")[1:]
    assert [block.splitlines()[-1].partition(" =")[0] for block in blocks] == NAMES
    assert all(block.startswith("# ") for block in blocks)


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(file: Path) -> None:
    file.write_text('output = "file"\ncompression = "gzip"\nkey = "file"\n')
    variables = {"ETCD_DEB_OUTPUT": "variable", "ETCD_DEB_COMPRESSION": "zstd"}
    settings = load(file, variables, output="option")
    assert (settings.output, settings.compression, settings.key) == ("option", "zstd", "file")
    assert settings.witness == load().witness


def test_an_option_that_was_not_given_changes_nothing(file: Path) -> None:
    file.write_text('output = "file"\n')
    assert load(file, output=None).output == "file"


def test_the_users_own_file_is_read_where_no_other_is_named(file: Path) -> None:
    user_file().parent.mkdir(parents=True)
    user_file().write_text('output = "own"\n')
    file.write_text('key = "other"\n')
    assert load().output == "own"
    assert load(file).output == "dist"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("arches", "amd64, arm64", (Architecture.AMD64, Architecture.ARM64)),
        ("arches", "s390x", (Architecture.S390X,)),
        ("timeout", "5", 5),
        ("cache_limit", "0", 0),
        ("maintainer", "Jane Doe <jane@example.org>", "Jane Doe <jane@example.org>"),
        ("source", "/srv/releases", "/srv/releases"),
        ("pins", "", ""),
    ],
)
def test_every_kind_of_setting_can_be_a_variable(name: str, text: str, value: object) -> None:
    assert getattr(load(None, {f"ETCD_DEB_{name.upper()}": text}), name) == value


@pytest.mark.parametrize(
    ("typed", "nearest"), [("sorce", "source"), ("compresion", "compression"), ("arch", "arches")]
)
def test_an_unknown_key_names_the_nearest_one_and_the_file(file: Path, typed: str, nearest: str) -> None:
    file.write_text(f'{typed} = "x"\n')
    with pytest.raises(UsageError) as caught:
        load(file)
    assert caught.value.summary == f"unknown setting {typed!r} in {file}"
    assert caught.value.hint == f"did you mean {nearest}?"


def test_an_unknown_key_like_no_other_lists_them_all(file: Path) -> None:
    file.write_text("qqqq = 1\n")
    with pytest.raises(UsageError) as caught:
        load(file)
    assert all(name in caught.value.render() for name in NAMES)
    assert caught.value.hint == "remove the line"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('timeout = "30"', "a whole number"),
        ("timeout = true", "a whole number"),
        ('cache_limit = "2 GB"', "a whole number"),
        ("timeout = 1.5", "a whole number"),
        ('arches = "amd64"', "a list of strings"),
        ("arches = [1]", "a list of strings"),
        ("source = 1", "a string"),
        ("key = false", "a string"),
        ("[pins]", "a string"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(file: Path, line: str, kind: str) -> None:
    file.write_text(f"{line}\n")
    with pytest.raises(UsageError) as caught:
        load(file)
    name = line.strip("[]").partition(" ")[0]
    assert caught.value.summary == f"setting {name!r} in {file} is not {kind}"


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "30s"])
def test_a_timeout_that_is_no_number_names_its_variable(text: str) -> None:
    with pytest.raises(UsageError, match="ETCD_DEB_TIMEOUT is not a whole number"):
        load(None, {"ETCD_DEB_TIMEOUT": text})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout is not a number of seconds from 1 to 86400"),
        ({"arches": ()}, "no architecture is given"),
        ({"arches": ("amd65",)}, "upstream publishes no etcd for 'amd65'"),
        ({"compression": "bzip2"}, "unknown compression 'bzip2'"),
        ({"maintainer": "Jane Doe"}, "maintainer 'Jane Doe' is not a name with an address"),
        ({"maintainer": "jane@example.org"}, "is not a name with an address"),
        ({"maintainer": "Jane <jane>"}, "is not a name with an address"),
        ({"maintainer": "Jane Doe <j@example.org> x"}, "is not a name with an address"),
        ({"maintainer": "Jane\nDoe <j@example.org>"}, "contains a control character"),
        ({"maintainer": "Jane\u2028Doe <j@example.org>"}, "is not a name with an address"),
        ({"maintainer": f"{'J' * 300} <j@example.org>"}, "is not a name with an address"),
        ({"output": "a\0b"}, "contains a control character"),
        ({"output": ""}, "no output folder"),
        ({"cache_limit": -1}, "cache_limit is not a number of MB from 0 to"),
        ({"timeout": 10**5000}, "timeout is not a number of seconds"),
        ({"maintainer": "Jane, Doe <j@example.org>"}, "is not a name with an address"),
    ],
)
def test_a_value_without_meaning_is_a_usage_error(options: dict[str, Value], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(None, {}, options)
    assert message in caught.value.summary


def test_a_file_that_is_not_toml_says_where(file: Path) -> None:
    file.write_text("output = dist\n")
    with pytest.raises(UsageError) as caught:
        load(file)
    assert caught.value.summary == f"{file} is not TOML"
    assert "line 1" in caught.value.render()


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(EtcdDebError) as caught:
        load(file)
    assert caught.value.summary == f"can't read the settings in {file}"


@pytest.mark.parametrize("name", ["witness", "api"])
@pytest.mark.parametrize("url", ["http://a.invalid", "https://", "https://[::1", "/srv", ""])
def test_witness_and_api_are_https_alone(name: str, url: str) -> None:
    with pytest.raises(UsageError):
        sources_of(load_settings(None, {}, {name: url}))


def test_the_witness_stands_in_for_the_default_source_alone() -> None:
    assert sources_of(load()).witness_has_tarballs
    assert not sources_of(load(source="https://mirror.invalid")).witness_has_tarballs


@pytest.mark.parametrize("find", [user_file, cache_folder])
def test_a_user_without_a_home_is_told_what_to_set(
    find: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(uid: int) -> NoReturn:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(EtcdDebError) as caught:
        find()
    assert caught.value.summary == "this user has no home directory"
    assert "set HOME" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        f"timeout = {'9' * 5000}\n",
        f"arches = {'[' * 50_000}\n",
        'output = "\\u0000"\n',
        "a = 2024-13-45\n",
    ],
    ids=["number", "brackets", "NUL", "date"],
)
def test_a_file_that_no_reader_can_be_expected_to_take_is_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(UsageError):
        load_settings(tmp_path / "settings.toml", {}, {})


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(EtcdDebError, match="can't read the settings in /dev/zero"):
        load_settings(Path("/dev/zero"), {}, {})
    with pytest.raises(EtcdDebError, match="can't read the pins in /dev/zero"):
        read_pins("/dev/zero")
