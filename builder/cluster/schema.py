"""The JSON Schema of cluster.yaml, made from the description that the reader follows."""

from __future__ import annotations

from collections.abc import Sequence

from builder.cluster.keys import CLUSTER, Key, Kind

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, object]:
    """For editors, which complete and check cluster.yaml by it. The reader refuses more."""
    return {"$schema": DRAFT, "title": "etcd-deb cluster.yaml", **_object(CLUSTER)}


def _object(keys: Sequence[Key]) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in keys if key.required],
        "properties": {key.name: _value(key) for key in keys},
    }


def _value(key: Key) -> dict[str, object]:
    described: dict[str, object] = {"description": key.meaning.replace("`", "")}
    match key.kind:
        case Kind.SECTION:
            return described | _object(key.keys)
        case Kind.SECTIONS:
            return described | {"type": "array", "minItems": 1, "items": _object(key.keys)}
        case Kind.LIST:
            return described | {"type": "array", "items": {"type": "string"}}
        case Kind.FLAG:
            return described | {"type": "boolean", "default": key.default == "true"}
        case Kind.NUMBER:
            found = described | {"type": "integer", "minimum": key.least, "maximum": key.most}
            return found | ({"default": int(key.default)} if key.default else {})
        case Kind.TEXT | Kind.WORD:
            found = described | {"type": "string" if key.kind is Kind.TEXT else ["string", "number"]}
            found |= {"enum": list(key.choices)} if key.choices else {}
            found |= {"pattern": key.pattern} if key.pattern else {}
            return found | ({"default": str(key.default)} if key.default else {})
