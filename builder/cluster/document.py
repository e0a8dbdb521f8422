"""YAML whose values know their place: PyYAML's nodes with their marks, read by a description of the keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from builder.cluster.keys import Key, Kind
from builder.errors import EtcdDebError, UsageError
from builder.settings import read_small

_STRING = "tag:yaml.org,2002:str"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_BOOLEAN = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"
# Characters of a value that a message shows.
_SHOWN = 60
_SECRET = ("-----BEGIN", "PRIVATE KEY")
REFERENCE = "docs/reference/cluster.md shows each key with an example"


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the file. line, column: from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class MalformedCluster(UsageError):
    """cluster.yaml says something that means nothing, or can't work. The message begins with the place."""

    def __init__(self, place: Place, what: str, *, expected: str, found: str, hint: str = REFERENCE) -> None:
        super().__init__(
            f"{place}: {what}", details=(f"expected  {expected}", f"found     {found}"), hint=hint
        )
        self.place = place


@dataclass(frozen=True, slots=True)
class Text:
    """A value as it was written, and its place."""

    text: str
    place: Place

    def refused(self, what: str, *, expected: str, hint: str = REFERENCE) -> MalformedCluster:
        """The error that names this value."""
        return MalformedCluster(self.place, what, expected=expected, found=shown(self.text), hint=hint)


class Section:
    """A mapping of the file: each key is known and appears once. Raises MalformedCluster."""

    def __init__(self, file: Path, node: yaml.Node, keys: Sequence[Key], title: str) -> None:
        self._file = file
        self.place = _place(file, node)
        self._keys = {key.name: key for key in keys}
        self._values = self._checked(node, title)
        for key in keys:
            if key.required and key.name not in self._values:
                raise MalformedCluster(
                    self.place,
                    f"{title} has no {key.name}",
                    expected=f"{key.name}: {key.example}",
                    found=f"the keys {', '.join(self._values)}" if self._values else "no key",
                )

    def _checked(self, node: yaml.Node, title: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise MalformedCluster(
                self.place,
                f"{title} is not a section",
                expected=f"KEY: VALUE lines; keys are {', '.join(self._keys)}",
                found=_described(node),
            )
        values: dict[str, yaml.Node] = {}
        for key, value in node.value:
            place = _place(self._file, key)
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in self._keys:
                nearest = difflib.get_close_matches(name, self._keys, n=1)
                raise MalformedCluster(
                    place,
                    f"unknown key in {title}",
                    expected=f"one of {', '.join(self._keys)}",
                    found=_described(key),
                    hint=f"did you mean {nearest[0]}?" if nearest else "remove the key",
                )
            if name in values:
                raise MalformedCluster(
                    place,
                    f"{name} appears twice in {title}",
                    expected="each key once",
                    found=f"another {name} on line {_place(self._file, values[name]).line}",
                    hint=f"remove one of the two {name}",
                )
            values[name] = value
        return values

    def __contains__(self, name: str) -> bool:
        return self._keys[name].name in self._values

    def text(self, name: str) -> Text:
        """The value of a key, its default where the file does not have it."""
        key = self._keys[name]
        node = self._values.get(name)
        return Text(key.default, self.place) if node is None else self._scalar(node, key, name)

    def optional(self, name: str) -> Text | None:
        """The value of a key, None where the file does not have it."""
        return self.text(name) if name in self else None

    def number(self, name: str) -> int:
        """A whole number within the bounds of its key."""
        key, value = self._keys[name], self.text(name)
        # 20 digits are more than any bound; Python refuses to read thousands of them.
        number = int(value.text) if value.text.isdecimal() and len(value.text) <= 20 else -1
        # YAML 1.1 takes 010 for 8, people take it for 10.
        number = number if str(number) == value.text else -1
        if not key.least <= number <= key.most:
            raise value.refused(
                f"{name} is out of bounds", expected=f"a whole number from {key.least} to {key.most}"
            )
        return number

    def flag(self, name: str) -> bool:
        """true or false."""
        return self.text(name).text == "true"

    def texts(self, name: str) -> tuple[Text, ...]:
        """The values of a list."""
        return tuple(
            self._scalar(node, self._keys[name], f"a value of {name}") for node in self._listed(name)
        )

    def sections(self, name: str) -> tuple[Section, ...]:
        """The sections of a list."""
        key = self._keys[name]
        return tuple(
            Section(self._file, node, key.keys, f"an entry of {name}") for node in self._listed(name)
        )

    def section(self, name: str) -> Section | None:
        """A section, None where the file does not have it."""
        if name not in self:
            return None
        return Section(self._file, self._values[name], self._keys[name].keys, name)

    def section_or_empty(self, name: str) -> Section:
        """A section; without it one that has defaults alone."""
        found = self.section(name)
        if found is not None:
            return found
        return Section(self._file, yaml.MappingNode("", [], *_marks()), self._keys[name].keys, name)

    def _listed(self, name: str) -> Iterator[yaml.Node]:
        node = self._values.get(name)
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            raise MalformedCluster(
                _place(self._file, node),
                f"{name} is not a list",
                expected=f"lines that begin with '-', such as - {self._keys[name].example}",
                found=_described(node),
            )
        yield from node.value

    def _scalar(self, node: yaml.Node, key: Key, title: str) -> Text:
        place = _place(self._file, node)
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _TAGS[key.kind]:
            wanted, hint = _WANTED[key.kind], REFERENCE
            if key.kind in (Kind.TEXT, Kind.LIST) and isinstance(node, yaml.ScalarNode) and node.tag != _NULL:
                hint = f"if this is the intended value, quote it: {shown(node.value)}"
            raise MalformedCluster(
                place, f"{title} is not {wanted}", expected=wanted, found=_described(node), hint=hint
            )
        value = Text(node.value, place)
        if not node.value.isprintable():
            raise value.refused(f"{title} has a control character", expected="one line of printable text")
        if key.choices and node.value not in key.choices:
            nearest = difflib.get_close_matches(node.value, key.choices, n=1)
            raise value.refused(
                f"unknown {title}",
                expected=f"one of {', '.join(key.choices)}",
                hint=f"did you mean {nearest[0]}?" if nearest else REFERENCE,
            )
        return value


_TAGS = {
    Kind.TEXT: (_STRING,),
    # 3.10 as it is written, not as the number 3.1.
    Kind.WORD: (_STRING, *_NUMBERS),
    Kind.NUMBER: _NUMBERS[:1],
    Kind.FLAG: (_BOOLEAN,),
    Kind.LIST: (_STRING,),
    Kind.SECTION: (),
    Kind.SECTIONS: (),
}
_WANTED = {
    Kind.TEXT: "a string",
    Kind.WORD: "a string",
    Kind.NUMBER: "a whole number",
    Kind.FLAG: "true or false",
    Kind.LIST: "a string",
    Kind.SECTION: "a section",
    Kind.SECTIONS: "a section",
}


def read_document(file: Path, keys: Sequence[Key]) -> Section:
    """The top of the file. Raises MalformedCluster, EtcdDebError for a file that can't be read."""
    try:
        text = read_small(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        content = error.object[: error.start]
        place = Place(file, content.count(b"\n") + 1, error.start - content.rfind(b"\n"))
        raise MalformedCluster(
            place, "not UTF-8", expected="text in UTF-8", found=f"the byte 0x{error.object[error.start]:02x}"
        ) from error
    except OSError as error:
        raise EtcdDebError(
            f"can't read {file}",
            details=("expected  a description of a cluster", f"found     {error.strerror or error}"),
            hint="name another file; conf/cluster.example.yaml is an example",
        ) from error
    node = _composed(file, text)
    if node is None:
        raise MalformedCluster(
            Place(file, 1, 1), "the file is empty", expected=f"the keys {_required(keys)}", found="nothing"
        )
    return Section(file, node, keys, "the file")


def _required(keys: Sequence[Key]) -> str:
    return ", ".join(key.name for key in keys if key.required)


def _composed(file: Path, text: str) -> yaml.Node | None:
    try:
        found: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        raise MalformedCluster(
            place, "not YAML", expected="one YAML document", found=_problem(error)
        ) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(file, before.count("\n") + 1, error.position - before.rfind("\n"))
        raise MalformedCluster(
            place, "not YAML", expected="printable characters", found=f"the character {error.character!r}"
        ) from error
    except RecursionError as error:
        raise MalformedCluster(
            Place(file, 1, 1), "nested too deeply", expected="sections of two levels", found="many more"
        ) from error
    return found


def _problem(error: yaml.MarkedYAMLError) -> str:
    # A word quoted from the file may be part of an unquoted password.
    return re.sub(r" '[^']{2,}'", "", error.problem or "something else")


def _marks() -> tuple[yaml.Mark, yaml.Mark]:
    mark = yaml.Mark("", 0, 0, 0, None, 0)
    return mark, mark


def _place(file: Path, node: yaml.Node) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


def shown(text: str) -> str:
    """The text as a message may show it: short, and never a key."""
    if any(part in text for part in _SECRET):
        return "a private key or certificate, which is not shown"
    return repr(text[:_SHOWN]) + "…" * (len(text) > _SHOWN)


def _described(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a section"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if node.tag == _NULL:
        return "no value"
    return shown(node.value)
