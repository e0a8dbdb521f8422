"""The table of etcd's configuration keys against what the newest real etcd of each series does with them.

etcd reads its file as JSON. A value of a wrong type ends it with the key and the type that it wanted; a file
that is right ends it a little later here, since /dev/null is no data directory. It never opens a port.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

import pytest

from builder import shipped
from tests.package.manual import unpack_programs
from tests.package.node.config.test_lint import FINE, REFUSED
from tests.support.releases.releases import NEWEST
from tests.support.sample import sampled


class Entry(TypedDict, total=False):
    """What the table says of a key."""

    type: str
    min: int
    keys: dict[str, Entry]


TABLE = cast(dict[str, dict[str, Entry]], json.loads((shipped.CONF / "etcd-config-keys.json").read_text()))
SERIES = sorted(name for name in TABLE if name != "_meta")
# A value of each type; the names are those that the table has for the types that take it.
VALUES: dict[str, object] = {
    **{"string": "text", "int": 5, "number": 1.5, "bool": True, "list": ["text"], "map": {"a": 1}},
}
TAKES = {
    **{"string": "string", "int": "int", "duration_ns": "int", "bool": "bool", "map": "map"},
    **{"list[string]": "list", "list[none]": ""},
}
# What Go calls the types.
GO = {
    "string": r"string|config\.V2DeprecationEnum",
    "int": r"u?int(32|64)?",
    "duration_ns": r"time\.Duration",
    "bool": "bool",
    "map": r"embed\.securityConfig|transport\.SocketOpts|v3discovery\.DiscoveryConfig|clientv3\.\w+",
    "list[string]": r"\[\]string",
    "list[none]": r"(\[\])?grpc\.ServerOption",
}
WANTED = re.compile(
    r"cannot unmarshal \S+(?: \S+)? into Go struct field \w+\.(?:Config\.|configJSON\.)?(\S+)"
    r" of type ([^\s\"]+)"
)
TAKEN = "failed to list data directory"
# What it finds out when it opens its ports alone.
AT_THE_PORT = "listen-client-urls: https://10.0.0.1:2379"
# The v2 proxy's own reader makes a text of a number first, and refuses it then by the name of the flag.
FLAG = re.compile(r"unexpected error setting up (?:(proxy)Flag|([\w-]+) flag): invalid value")


def flattened(keys: dict[str, Entry], prefix: str = "") -> dict[str, Entry]:
    """Every key with its entry; nested ones are dotted."""
    found: dict[str, Entry] = {}
    for name, entry in keys.items():
        found[prefix + name] = entry
        found |= flattened(entry.get("keys", {}), f"{prefix}{name}.")
    return found


@dataclass(frozen=True)
class Etcd:
    """The newest real etcd of a series, and what the table says of it."""

    series: str
    program: Path
    folder: Path

    @property
    def table(self) -> dict[str, Entry]:
        return flattened(TABLE[self.series])

    def says(self, given: dict[str, object]) -> str:
        """What it prints about a file of dotted keys and their values."""
        document: dict[str, object] = {"data-dir": "/dev/null"}
        for key, value in given.items():
            *outer, last = key.split(".")
            block = document
            for name in outer:
                block = cast(dict[str, object], block.setdefault(name, {}))
            block[last] = value
        return self.says_of(json.dumps(document))

    def says_of(self, document: str) -> str:
        """What it prints about a file."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".yaml") as file:
            file.write(document)
            file.flush()
            words = [str(self.program), "--config-file", file.name]
            done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def takes(self, given: dict[str, object]) -> bool:
        """Whether it reads the file to its end and finds nothing wrong."""
        return TAKEN in self.says(given)

    def refusals(self, given: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """For each key with a type of value: the Go type that etcd wanted of the key, else its own words."""

        def refusal(pair: tuple[str, str]) -> str:
            key, kind = pair
            said = self.says({key: VALUES[kind]})
            wanted, flag = WANTED.search(said), FLAG.search(said)
            if wanted and wanted.group(1) == key:
                return wanted.group(2)
            if flag and key in flag.groups():
                return "string"
            return said[-300:]

        pairs = list(given)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return dict(zip(pairs, threads.map(refusal, pairs), strict=True))


@pytest.fixture(scope="module", params=sampled(NEWEST, "3.7"))
def etcd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Etcd:
    series: str = request.param
    folder = tmp_path_factory.mktemp(series)
    program = unpack_programs(NEWEST[series], folder)["etcd"]
    return Etcd(series, program, folder)


def test_a_value_of_a_wrong_type_is_refused_by_the_name_of_its_key_and_the_tables_type(etcd: Etcd) -> None:
    wrong = [
        (key, kind) for key, entry in etcd.table.items() for kind in VALUES if kind != TAKES[entry["type"]]
    ]
    assert len(wrong) > 400
    assert {
        pair: wanted
        for pair, wanted in etcd.refusals(wrong).items()
        if not re.fullmatch(GO[etcd.table[pair[0]]["type"]], wanted)
    } == {}


def test_a_number_below_zero_is_refused_where_the_table_has_that_for_the_least(etcd: Etcd) -> None:
    numbers = {key: entry for key, entry in etcd.table.items() if entry["type"] == "int"}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        said = dict(zip(numbers, threads.map(lambda key: etcd.says({key: -1}), numbers), strict=True))
    refused = {
        key for key, words in said.items() if (found := WANTED.search(words)) and found.group(1) == key
    }
    assert refused == {key for key, entry in numbers.items() if entry.get("min") == 0}


def test_every_key_that_the_table_does_not_have_is_ignored(etcd: Etcd) -> None:
    """All names that the program itself has for what it reads or writes as JSON, and other series' keys."""
    tags = re.findall(rb'json:"([a-z][a-z0-9-]*)[",]', etcd.program.read_bytes())
    names = {tag.decode() for tag in tags} | {key for series in SERIES for key in flattened(TABLE[series])}
    blocks = [f"{key}." for key, entry in etcd.table.items() if entry.get("keys")]
    single = {name for name in names if "." not in name}
    unknown = {block + name for block in ["", *blocks] for name in single} - etcd.table.keys()
    assert len(unknown) > 100
    for value in (VALUES["map"], VALUES["list"]):
        assert etcd.takes(dict.fromkeys(sorted(unknown), value)), etcd.says(dict.fromkeys(unknown, value))


def test_a_key_that_the_table_lacks_would_be_found(etcd: Etcd) -> None:
    assert not etcd.takes({"nonsense": {"a": 1}, "name": {"a": 1}})
    assert etcd.takes({"nonsense": {"a": 1}, "Name": "text"})


def test_files_that_lint_refuses_are_refused_and_those_that_it_takes_are_taken(etcd: Etcd) -> None:
    assert AT_THE_PORT in REFUSED
    for document in REFUSED.keys() - {AT_THE_PORT}:
        said = etcd.says_of(f"{document}\ndata-dir: /dev/null\n")
        assert TAKEN not in said, said
        assert "failed to verify flags" in said or "panic: unrecognized level" in said
    assert TAKEN in etcd.says_of(FINE.replace("data-dir: /var/lib/etcd-ha", "data-dir: /dev/null"))
