"""Whatever cluster.yaml says: a Cluster, or a message with the place; no traceback, no secret."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from builder.cluster.document import MalformedCluster
from builder.cluster.keys import CLUSTER, Key
from builder.cluster.read import read_cluster
from tests.unit.cluster.files import EXAMPLE, FIVE, SMALL

SECRET = "hunter2secret"  # noqa: S105  # what no message may show
PRIVATE = f"-----BEGIN PRIVATE KEY-----\\n{SECRET}\\n-----END PRIVATE KEY-----"
SEEDS = (EXAMPLE.read_text(encoding="utf-8"), SMALL, FIVE)
# By hand: what YAML takes for something else, and what makes parsers fall over.
TRICKY = (
    *("", "~", "yes", "no", "0x10", "1e400", ".nan", "1_000", "010", "2026-01-01", "!!binary aGk=", "!x y"),
    *("&a [*a]", "*a", "<<: {a: b}", "? [a, b]\n: c", "{", "]", "- - - -", "|\n  x", ">\n", "'", '"\\x00"'),
    *("9" * 5000, "[" * 200, "a: " * 50, "%YAML 9.9\n---", "---\n---", "...", "\u2028", "\ufeff", "\u0660"),
    *("192.0.2.1%eth0", "::ffff:192.0.2.1", "256.1.1.1", "https://[::1", "http://a:99999", "1" * 40 + "G"),
    *("12:30:45", "0b1", "190:20:30", "!!python/object:os.system x", "!!int x", "!!bool x", "!!null x"),
)


def names(keys: tuple[Key, ...]) -> list[str]:
    return [name for key in keys for name in (key.name, *names(key.keys))]


KEYS = sorted(set(names(CLUSTER)))


def refusal(file: Path) -> MalformedCluster | None:
    try:
        read_cluster(file)
    except MalformedCluster as error:
        return error
    return None


def judge(folder: Path, text: str) -> None:
    file = folder / "cluster.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    if error := refusal(file):
        found = re.match(rf"{re.escape(str(file))}:(\d+):(\d+): ", error.summary)
        assert found, error.summary
        assert int(found[1]) <= text.count("\n") + 2
        assert [line.split()[0] for line in error.details] == ["expected", "found"]
        assert error.hint
        assert SECRET not in error.render()


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A description with one to three values, keys or lines that are something else."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines()
        at = draw(st.integers(0, len(lines) - 1))
        other = draw(st.one_of(st.sampled_from(TRICKY), st.text(max_size=12)))
        indent = " " * draw(st.integers(0, 6))
        match draw(st.integers(0, 4)):
            case 0:
                lines[at] = lines[at].partition(":")[0] + ": " + other
            case 1:
                lines[at] = indent + draw(st.sampled_from(KEYS)) + ": " + other
            case 2:
                lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
            case 3:
                lines.insert(at, f"{indent}password: {SECRET}")
            case _:
                del lines[at]
        text = "\n".join(lines) or "\n"
    return text


FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(text=changed())
@settings(FOLDER, max_examples=60)
@example(text="token: t\nnodes: &a [*a]\ntls: {authority: own}\n")
def test_a_malformed_file_has_a_message_with_the_place(tmp_path: Path, text: str) -> None:
    judge(tmp_path, text)


@pytest.mark.soak
@given(text=changed())
@settings(FOLDER, max_examples=1000)
def test_a_thousand_malformed_files_have_a_message_with_the_place(tmp_path: Path, text: str) -> None:
    judge(tmp_path, text)


@pytest.mark.parametrize("tricky", TRICKY)
def test_each_value_that_is_something_else_to_yaml_is_judged(tmp_path: Path, tricky: str) -> None:
    for key in (
        "token",
        "nodes",
        "tls",
        "data-dir",
        "ports",
        "kubernetes",
        "repository",
        "patroni",
        "tuning",
    ):
        judge(tmp_path, re.sub(rf"^{key}:.*\n", "", SMALL, flags=re.MULTILINE) + f"{key}: {tricky}\n")
        judge(tmp_path, SMALL.replace("192.0.2.1", tricky))
        judge(tmp_path, SMALL.replace("name: pg1", f"name: {tricky}"))


@pytest.mark.parametrize("key", KEYS)
def test_a_private_key_in_any_place_is_not_shown(tmp_path: Path, key: str) -> None:
    judge(tmp_path, f'{SMALL}{key}: "{PRIVATE}"\n')
    for line in SMALL.splitlines():
        judge(tmp_path, SMALL.replace(line, f'{line.partition(":")[0]}: "{PRIVATE}"'))
    for place in ("patroni", "tuning", "ports", "repository"):
        judge(tmp_path, f'{SMALL}{place}: {{{key}: "{PRIVATE}"}}\n')


def test_bytes_that_are_no_text_have_a_message_with_the_place(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311
    file = tmp_path / "cluster.yaml"
    for _ in range(30):
        content = bytearray(SEEDS[0].encode())
        content[chance.randrange(len(content))] = chance.randrange(256)
        file.write_bytes(content)
        refusal(file)
