"""What etcd accepts as its configuration, in every form of YAML that somebody may write, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

PATHS = ("/var/lib/etcd-ha", "/srv/data dir", "/srv/ä", "/x#y", "/x:y", "relative", "")
WORDS = (
    "pg1",
    "pg-2",
    "näme",
    "it's",
    'a "b"',
    "a: b",
    "a #b",
    "yes",
    "5",
    "010",
    "null",
    "~",
    "1:30",
    "2001-01-01",
)
URLS = (
    "http://127.0.0.1:2379",
    "http://10.0.0.1:2379,http://127.0.0.1:2379",
    "http://[fd00::1]:2379",
    "https://10.0.0.1:2379, https://127.0.0.1:2379",
)
CLUSTERS = (
    "pg1=http://pg1:2380",
    "pg1=http://pg1:2380,pg2=http://pg2:2380",
    "a=http://a:1, b=http://b:1",
    "",
)
NUMBERS = (
    "5",
    "100",
    "1000",
    "0",
    "-1",
    "+7",
    "010",
    "0x1f",
    "0o17",
    "0b11",
    "1_000",
    "1e3",
    "2.0",
    "8589934592",
)
SWITCHES = ("true", "false", "yes", "No", "on", "OFF", "y", "n", "TRUE")

KEYS = {
    **dict.fromkeys(("name", "initial-cluster-token"), WORDS),
    **dict.fromkeys(("data-dir", "wal-dir"), PATHS),
    **dict.fromkeys(("listen-peer-urls", "listen-client-urls", "listen-metrics-urls"), URLS),
    **dict.fromkeys(("initial-advertise-peer-urls", "advertise-client-urls"), URLS),
    "initial-cluster": CLUSTERS,
    "initial-cluster-state": ("new", "existing", ""),
    "auto-compaction-mode": ("periodic", "revision"),
    "auto-compaction-retention": ("1h", "1000", "0"),
    **dict.fromkeys(("heartbeat-interval", "election-timeout"), NUMBERS),
    **dict.fromkeys(("quota-backend-bytes", "snapshot-count"), NUMBERS),
    **dict.fromkeys(("pre-vote", "force-new-cluster"), SWITCHES),
}  # fmt: skip
BLOCKS = ("client-transport-security", "peer-transport-security")
PARTS = {
    **dict.fromkeys(
        ("cert-file", "key-file", "trusted-ca-file", "client-cert-file", "client-key-file"), PATHS
    ),
    **dict.fromkeys(("client-cert-auth", "auto-tls"), SWITCHES),
}
READ_KEYS = (*KEYS, *(f"{block}.{part}" for block in BLOCKS for part in PARTS))

# Small numbers are drawn more often than others.
_rarely = st.integers(0, 14).map(lambda number: number == 13)
_gap = st.sampled_from([" ", " ", " ", "  ", "\t", " \t"])
_comment = st.sampled_from(["", "", "", " # c", "\t# c: d", "  #", " #'"])
_between = st.sampled_from(
    ["", "", "", "", "", "\n", "# c\n", "  # c: d\n", "   \n", "\t\n", "\n\n", "# 'q\n"]
)
_foreign = st.sampled_from(
    [
        "x-a: 1\n",
        "x-b: [name, 'data-dir: z']\n",
        "x-c: {name: z, data-dir: z}\n",
        "x-d:\n  name: z\n  data-dir: z\n",
        "x-e: |\n  name: z\n\n  data-dir: z\n",
        "x-f: >+\n  name: z\n\n",
        "x-g:\n- name: z\n- data-dir: z\n",
        "x-h: a\n  b\n",
        "x-i: 'a\n  name: b'\n",
        "x-j: &j z\n",
        "5: z\n",
        "'name ': z\n",
        "x-k:\n  -\n    name: z\n",
        "x-l: [a,\n  name, b]\n",
        "listenPeerUrls: [{Scheme: http, Host: '127.0.0.1:1'}]\n",
        "<<: {name: z}\n",
    ]
)


@st.composite
def _spelled(draw: st.DrawFn, key: str) -> str:
    style = draw(st.integers(0, 39)) - 33
    if style == 0:
        return draw(st.sampled_from([key.title(), key.upper(), key.capitalize()]))
    if style == 1:
        return f'"{key}"'
    if style == 2:
        return f"'{key}'"
    if style == 3:
        return f"{key} "
    if style == 4:
        return f'"\\x{ord(key[0]):02x}{key[1:]}"'
    if style == 5:
        return key.replace("k", "\u212a").replace("s", "\u017f")
    return key


def _double_quoted(text: str, escaped: set[int]) -> str:
    """Between double quotes, with the characters at some places as escapes."""
    written = []
    for number, character in enumerate(text):
        if character in '"\\':
            written.append(f"\\{character}")
        elif number % 7 in escaped:
            code = ord(character)
            written.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04X}")
        else:
            written.append(character)
    return '"' + "".join(written) + '"'


@st.composite
def _quoted(draw: st.DrawFn, text: str) -> str:
    if draw(st.booleans()):
        return "'" + text.replace("'", "''") + "'"
    return _double_quoted(text, draw(st.sets(st.integers(0, 6), max_size=2)))


@st.composite
def _value(draw: st.DrawFn, text: str, indent: str, *, is_text: bool) -> str:
    """A value with what stands between it and its key, and the end of its last line."""
    more = indent + draw(st.sampled_from([" ", "  ", "    "]))
    gap, comment = draw(_gap), draw(_comment)
    line = draw(_quoted(text)) if is_text and (not text or draw(st.booleans())) else text
    style = draw(st.integers(0, 24)) - 16
    if style == 0:
        header = draw(st.sampled_from([">-", "|-", ">", "|", ">+", "|+", "|2-", ">-2", "|-  # c", ">- "]))
        blank = draw(st.sampled_from(["", "", "\n", "   \n"]))
        return (
            f"{gap}{header}\n{blank}{more}{text}\n{draw(st.sampled_from(['', '', chr(10), '   ' + chr(10)]))}"
        )
    if style == 1:
        cut = draw(st.integers(0, len(text)))
        header = draw(st.sampled_from([">-", "|-", ">", "|", ">-"]))
        inner = draw(st.sampled_from(["", "", "", " ", "\n"]))
        tail = text[cut:] or "x"
        return (
            f"{gap}{header}\n{more}{text[:cut] or 'x'}\n{inner if inner == chr(10) else more + inner}{tail}\n"
        )
    if style == 2:
        return f"{comment}\n{draw(_between)}{more}{line}{draw(_comment)}\n"
    if style == 3:
        middle = draw(st.sampled_from(["", "", "", "\n", f"{more}# c\n"]))
        last = draw(st.sampled_from(["b", "b # c", "- b", "5", "[b", ", b"]))
        return f"{gap}{text}{comment}\n{middle}{more}{last}\n"
    if style == 4:
        return f'{gap}"{text.replace(chr(34), "")}\n{more}b"{comment}\n'
    if style == 5:
        return f"{gap}{draw(st.sampled_from(['&a ', '!!str ', '! ', '&a !!str ']))}{line}{comment}\n"
    if style == 6:
        return f"{gap}{draw(st.sampled_from(['*j', '*a', '~', 'null', '', '!!null', '<<', '=']))}{comment}\n"
    if style == 7:
        return f"{comment}\n{more}{draw(st.sampled_from(['>-', '|-', '|']))}\n{more}  {text}\n"
    return f"{gap}{line}{comment}\n"


@st.composite
def _pair(draw: st.DrawFn, key: str, values: tuple[str, ...], indent: str) -> str:
    is_text = values not in (NUMBERS, SWITCHES)
    text = draw(st.sampled_from(values))
    written = draw(_value(text, indent, is_text=is_text))
    spelled = draw(_spelled(key))
    if draw(_rarely) and draw(_rarely):
        return f"{indent}? {spelled}\n{indent}:{written}"
    return f"{indent}{spelled}:{written}"


@st.composite
def _block(draw: st.DrawFn, block: str, indent: str) -> str:
    parts = draw(st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=4))
    if draw(_rarely):
        inner = ", ".join(f"{part}: {draw(_quoted(draw(st.sampled_from(PATHS))))}" for part in parts)
        return f"{indent}{block}: {{{inner}}}\n"
    inner = indent + draw(st.sampled_from([" ", "  ", "    "]))
    lines = [draw(_pair(part, PARTS[part], inner)) + draw(_between) for part in parts]
    return f"{indent}{draw(_spelled(block))}:{draw(_comment)}\n{''.join(lines)}"


_pieces = st.sampled_from(
    [
        *(" ", "  ", "\t", "\n", "\r", "\r\n", ":", ": ", "#", " #", "'", '"', "- ", "? ", "|", ">"),
        *("&a ", "*a", "!!str ", "\\", "{", "}", "[", "]", ",", "---\n", "...\n", "%", "@", "`"),
        *("\x85", "\u2028", "\ufeff", "\xa0", "\x07", "\0", "name: q\n", "data-dir: q\n"),
    ]
)


@st.composite
def etcd_files(draw: st.DrawFn) -> bytes:
    """A file that etcd accepts, most of the time."""
    indent = draw(st.sampled_from(["", "", "", "", "", "  "]))
    pieces: list[str] = []
    for key in draw(st.lists(st.sampled_from([*KEYS, *BLOCKS, *BLOCKS]), min_size=1, max_size=4)):
        pieces.append(draw(_block(key, indent) if key in BLOCKS else _pair(key, KEYS[key], indent)))
        pieces.append(draw(_between))
    if draw(_rarely):
        pieces += [pieces[0]]
    if draw(_rarely):
        pieces.insert(
            draw(st.integers(0, len(pieces))),
            "".join(indent + line for line in draw(_foreign).splitlines(True)),
        )
    text = "".join(pieces)
    if draw(_rarely):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(_pieces) + text[place + draw(st.integers(0, 1)) :]
    if draw(_rarely):
        text = (
            "{"
            + ", ".join(
                f"{key}: {draw(_quoted(draw(st.sampled_from(KEYS[key]))))}" for key in ("name", "data-dir")
            )
            + "}"
        )
    text = (
        draw(
            st.sampled_from(
                ["", "", "", "", "", "", "", "", "---\n", "# top\n---\n", "%YAML 1.1\n---\n", "\ufeff", "\n"]
            )
        )
        + text
    )
    text += draw(
        st.sampled_from(["", "", "", "", "", "", "", "", "", "", "...\n", "---\nname: z\n", "...\nname: z\n"])
    )
    newline = draw(st.sampled_from([*["\n"] * 12, *["\r\n"] * 3, "\r"]))
    if draw(_rarely):
        text = text.removesuffix("\n")
    return text.replace("\n", newline).encode()
