"""The JSON Schema for editors and docs/reference/cluster.md against the keys that the reader knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from builder import shipped
from builder.cluster.keys import CLUSTER, Key, Kind
from builder.cluster.schema import json_schema
from tests.unit.cluster.files import EXAMPLE, FIVE, SMALL, described

REFERENCE = Path(__file__).parents[3] / "docs/reference"
SCHEMA = json.loads((shipped.CONF / "cluster.schema.json").read_text(encoding="utf-8"))
# What editors can't know: how values go together.
OTHERS = ("name: pg2", "name: pg_2"), ("authority: own", "authority: mine"), ("token: t1", "tokens: t1")


def keys_below(keys: tuple[Key, ...], before: str = "") -> Iterator[tuple[str, Key]]:
    for key in keys:
        yield f"{before}{key.name}", key
        yield from keys_below(key.keys, f"{before}{key.name}.")


def test_the_shipped_schema_is_made_from_the_keys() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json_schema() == SCHEMA


@pytest.mark.parametrize("text", [EXAMPLE.read_text(encoding="utf-8"), SMALL, FIVE])
def test_what_the_reader_takes_the_schema_takes(tmp_path: Path, text: str) -> None:
    described(tmp_path, text)
    Draft202012Validator(SCHEMA).validate(yaml.safe_load(text))


@pytest.mark.parametrize(("old", "new"), OTHERS)
def test_the_schema_refuses_unknown_keys_and_values(old: str, new: str) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(SMALL.replace(old, new)))


@pytest.mark.parametrize(("path", "key"), list(keys_below(CLUSTER)), ids=lambda value: str(value)[:40])
def test_the_reader_takes_the_example_of_each_key(tmp_path: Path, path: str, key: Key) -> None:
    """Each key of a scalar, beside what it needs."""
    if key.kind in (Kind.SECTION, Kind.SECTIONS):
        return
    section, _, name = path.rpartition(".")
    example = f"[{key.example}]" if key.kind is Kind.LIST else key.example
    whole = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8").replace("pg1, address", "pg1 , address"))
    value = yaml.safe_load(example)
    if section == "nodes":
        whole["nodes"][2 if name == "role" else 0][name] = value
        whole["patroni"]["nodes"] = ["pg1", "pg2"]
    elif section:
        whole.setdefault(section, {})[name] = value
    else:
        whole[name] = value
    described(tmp_path, yaml.safe_dump(whole))


def test_the_reference_has_each_key() -> None:
    text = (REFERENCE / "cluster.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.-]+)` \| (.*?) \| (.*?) \| (.*) \|$", text, re.MULTILINE)
    expected = []
    for path, key in keys_below(CLUSTER):
        kind = " or ".join(f"`{choice}`" for choice in key.choices) if key.choices else str(key.kind)
        default = "required" if key.required else f"`{key.default}`" if key.default else "-"
        expected.append((path, kind, default, key.meaning))
    assert rows == expected
