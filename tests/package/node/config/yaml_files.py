"""What administrators write into etcd.yaml, in many styles, for hypothesis."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.package.node.node_shell import Edit

TEXT_KEYS = (
    "name",
    "data-dir",
    "initial-cluster",
    "initial-cluster-token",
    "listen-client-urls",
    "auto-compaction-mode",
)
NUMBER_KEYS = ("heartbeat-interval", "election-timeout", "quota-backend-bytes")
BLOCKS = ("client-transport-security", "peer-transport-security")
TEXT_PARTS = ("cert-file", "key-file", "trusted-ca-file")
SWITCH_PART = "client-cert-auth"

# Words that YAML 1.1 takes for something else than text, or that need care.
TRICKY = (
    "",
    *[
        "y",
        "n",
        "Yes",
        "no",
        "on",
        "OFF",
        "true",
        "False",
        "null",
        "~",
        "Null",
        "010",
        "0x1f",
        "1_000",
        "1e3",
        "1.5",
        "-1",
        "+3",
        ".5",
        ".inf",
        ".nan",
        "1:30",
        "190:20:30",
        "2001-01-01",
        "2001-01-01T00:00:00Z",
        "0o7",
        "-",
        "?",
        ":",
        "#",
        "a:",
        ":a",
        "a#b",
        "a:b",
        "@a",
        "`a",
        "%a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "{a}",
        "[a]",
        '"',
        "'",
        '"a"',
        "it's",
        "\\",
        "a\\",
        "\\n",
        "\\x41",
        ",",
        "=",
        "<<",
        "a,b",
        "ä€",
        "101",
        "0b1",
        "http://[fd00::1]:2380",
        "pg1=http://pg1:2380,pg2=http://10.0.0.2:2380",
        "http://127.0.0.1:2379",
        "---",
        "...",
    ],
)
_PRINTABLE = st.characters(
    min_codepoint=0x20, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp", "Cf")
)
texts = st.one_of(st.sampled_from(TRICKY), st.text(_PRINTABLE, max_size=20).map(str.strip))
numbers = st.integers(min_value=0, max_value=2**62)
blanks = st.sampled_from([" ", " ", "  "])
comments = st.sampled_from(["", "", " # a comment", "  #", " # key: value", " # 'quote"])


@dataclass(frozen=True)
class Line:
    """A line of the file; key: the managed key it says, comment: what must survive on it."""

    text: str
    key: str = ""
    comment: str = ""


@dataclass(frozen=True)
class AdminFile:
    """Lines, and how they end."""

    lines: tuple[Line, ...]
    newline: str = "\n"
    last_newline: bool = True
    prefix: str = field(default="", repr=False)

    @property
    def content(self) -> bytes:
        text = self.newline.join(line.text for line in self.lines)
        if self.lines and self.last_newline:
            text += self.newline
        return (self.prefix + text).encode()


def is_about_a_block_of_text(refusal: str, file: AdminFile, gone: Set[str]) -> bool:
    """The edits that can't be made without a change to a block of text before them. gone: keys taken out."""
    has_block = any(line.text.endswith((" |", " |+", " >-")) for line in file.lines)
    if "ends in a block of text" in refusal:
        return has_block and not file.last_newline
    behind = {"the comment after it": " +#", "the empty lines after it": r"\s*$"}
    forms = [form for said, form in behind.items() if said in refusal]
    is_gone = any(line.key in gone for line in file.lines)
    return has_block and is_gone and any(re.match(form, line.text) for form in forms for line in file.lines)


def _is_plain(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z/][A-Za-z0-9/._-]*", text) is not None


@st.composite
def written(draw: st.DrawFn, text: str) -> str:
    """A text as YAML: plain where that is right, else in one of the quotes."""
    styles = ["double", "single", *(["plain"] if _is_plain(text) else [])]
    style = draw(st.sampled_from(styles))
    if style == "plain":
        return text
    if style == "single":
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def spelled(draw: st.DrawFn, key: str) -> str:
    """A key as etcd still knows it: any case, quoted or not."""
    word = draw(st.sampled_from([key, key, key, key.title(), key.upper()]))
    return draw(st.sampled_from(["{}", "{}", "{}", '"{}"', "'{}'", "{} "])).format(word)


@st.composite
def _pair(draw: st.DrawFn, key: str, identity: str, indent: str, value: str) -> Line:
    comment = draw(comments)
    gap = draw(blanks) if value else ""
    return Line(f"{indent}{draw(spelled(key))}:{gap}{value}{comment}", identity, comment)


_other_values = st.sampled_from(
    [
        *(
            (" plain text",),
            (" 5",),
            (" [a, 'b: c', \"d]\"]",),
            (" {a: 1, b: [x]}",),
            ("",),
            (" it's",),
            (" a#b",),
        ),
        *(
            ("", "- item", "- 'name: x'", "- a: 1", "  b: 2"),
            ("", "  - item", "  -", "    - deep", "  - [1]"),
        ),
        *((" |", "    name: not a key", "", "    # not a comment", "  "), (" >-", "  folded", "", "  text")),
        *(
            (" |+", "  kept", ""),
            (" plain", "  goes on", "  # no more"),
            ("", "  name: nested", "  deep:", "    x: 1"),
        ),
        *(
            (" # a comment", "  cert-file: nested"),
            ("", "    'quoted':  \"x\" # c", "", "    last: y"),
            ("", "  text below"),
        ),
    ]
)


@st.composite
def _other(draw: st.DrawFn, number: int, indent: str) -> list[Line]:
    """A key that is none of ours, with lines of its own."""
    first, *more = draw(_other_values)
    return [
        Line(f"{indent}x-other-{number}:{first}"),
        *(Line(indent + line if line else line) for line in more),
    ]


@st.composite
def _block(draw: st.DrawFn, block: str, indent: str) -> list[Line]:
    step = indent + draw(st.sampled_from(["  ", "    ", " "]))
    lines = [draw(_pair(block, block, indent, ""))]
    for part in draw(st.lists(st.sampled_from([*TEXT_PARTS, SWITCH_PART]), unique=True, max_size=4)):
        value = (
            draw(st.sampled_from(["yes", "true", "no"]))
            if part == SWITCH_PART
            else draw(written(draw(texts)))
        )
        lines.append(draw(_pair(part, f"{block}.{part}", step, value)))
        lines += draw(
            st.sampled_from([[], [Line("")], [Line(step + "# inside")], [Line(step + "x-more: 1")]])
        )
        if lines[-1].text.endswith("x-more: 1") and any(
            line.text.endswith("x-more: 1") for line in lines[:-1]
        ):
            lines.pop()
    return lines


@st.composite
def admin_files(draw: st.DrawFn) -> AdminFile:
    """A file that can be edited safely."""
    indent = draw(st.sampled_from(["", "", "", "", "  "]))
    keys = draw(st.lists(st.sampled_from([*TEXT_KEYS, *NUMBER_KEYS, *BLOCKS]), unique=True, max_size=6))
    pieces: list[list[Line]] = []
    for key in keys:
        if key in BLOCKS:
            pieces.append(draw(_block(key, indent)))
        else:
            value = str(draw(numbers)) if key in NUMBER_KEYS else draw(written(draw(texts)))
            value = draw(st.sampled_from([value, value, value, "", "~"]))
            pieces.append([draw(_pair(key, key, indent, value))])
    pieces += [draw(_other(number, indent)) for number in range(draw(st.integers(0, 3)))]
    pieces += draw(
        st.lists(st.sampled_from([[Line("")], [Line(indent + "# said")], [Line("   ")]]), max_size=3)
    )
    lines = [line for piece in draw(st.permutations(pieces)) for line in piece]
    header = draw(st.sampled_from([[], [], [Line("---")], [Line("# top"), Line("--- # doc")]]))
    return AdminFile(
        (*header, *lines),
        newline=draw(st.sampled_from(["\n", "\n", "\r\n"])),
        last_newline=draw(st.booleans()),
        prefix=draw(st.sampled_from(["", "", "", "\ufeff"])),
    )


@st.composite
def edit_lists(draw: st.DrawFn) -> list[Edit]:
    """Some of the managed keys, each set or taken out."""
    every = [
        *TEXT_KEYS,
        *NUMBER_KEYS,
        *(f"{block}.{part}" for block in BLOCKS for part in (*TEXT_PARTS, SWITCH_PART)),
    ]
    edits = []
    for key in draw(st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=8)):
        if draw(st.integers(0, 5)) == 0:
            edits.append(Edit(key, operation="unset"))
        elif key in NUMBER_KEYS:
            edits.append(Edit(key, "int", str(draw(numbers))))
        elif key.endswith(SWITCH_PART):
            edits.append(Edit(key, "bool", draw(st.sampled_from(["true", "false"]))))
        else:
            edits.append(Edit(key, "string", draw(texts)))
    return edits


# Forms of one value that etcd reads, and that are read as etcd reads them.
READ = {
    "folded": "data-dir: >-\n  /srv/data\n",
    "on the next line": "data-dir:\n  /srv/data\n",
    "twice": "data-dir: /srv/old\ndata-dir: /srv/data\n",
    "twice the same": "data-dir: /srv/data\ndata-dir: /srv/data\n",
    "escaped": 'data-dir: "\\x2fsrv\\u002fdata"\n',
    "in capitals": "DATA-DIR: /srv/data\n",
    "quoted below": "data-dir: # here\n  # or there\n  '/srv/data'\n",
}
# Forms that etcd reads as well, and that are said to be unreadable.
UNREAD = {
    "in two spellings": "data-dir: /srv/a\nData-Dir: /srv/data\n",
    "with an anchor": "data-dir: &data /srv/data\n",
    "in flow style": "{data-dir: /srv/data}\n",
    "with a last newline": "data-dir: |\n  /srv/data\n",
    "over two paragraphs": "data-dir: /srv\n\n  /data\n",
    "explicit": "? data-dir\n: /srv/data\n",
    "merged": "x: &x {data-dir: /srv/data}\n<<: *x\n",
}
