"""However etcd-deb came to this machine, whoever runs it and on what: one digest per compression."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass
from functools import cache
from itertools import combinations, product
from pathlib import Path

import click
import pytest

from builder.settings import COMPRESSIONS
from tests.package.conftest import digest
from tests.package.surroundings import DAYS, Change, installed, surroundings
from tests.support.machines.other_python import other_python
from tests.support.releases.fake_release import VERSION, good_tarball, publish, sha256, tarball_name


@dataclass(frozen=True)
class Row:
    """One way of building. Of each factor the two values that there are stand in FACTORS."""

    form: str
    day: str
    python: str
    user: str
    programs: str
    home: str


FACTORS = (
    ("checkout", "wheel"),
    tuple(DAYS),
    ("the tests' Python", "Python 3.13"),
    ("root", "user"),
    ("programs run", "programs can't run"),
    ("empty home", "hostile home"),
)
ROWS = [Row(*values) for values in product(*FACTORS)]


def sample() -> Iterator[Row]:
    """Six rows in which every two values of different factors meet.

    The factors' columns are different sets of three of five rows, which meet and differ, and one row has none
    (Kleitman and Spencer, Families of k-independent sets, 1973).
    """
    columns = list(combinations(range(1, 6), 3))[: len(FACTORS)]
    for row in range(6):
        yield Row(*(factor[row in column] for factor, column in zip(FACTORS, columns, strict=True)))


Build = Callable[[Row, str], str]


@pytest.fixture(scope="module")
def build(wheel: Path) -> Iterator[Build]:
    """build(row, compression) is the SHA-256 of the package that was built that way."""
    # Another user can enter a stage, and none of pytest's folders.
    with surroundings() as shared:
        another = other_python(shared.stage / "python")
        tarball = good_tarball()
        source = publish(shared.stage / "releases", {"amd64": tarball})
        pins = shared.stage / "SHA256SUMS"
        pins.write_text(f"{sha256(tarball)}  {tarball_name()}\n")

        @cache
        def program(form: str, day: str, python: str) -> Path:
            interpreter = another if python == "Python 3.13" else Path(sys.executable)
            folder = shared.stage / f"{form} {day} {python}".replace(" ", "-").replace("'", "")
            return installed(folder, DAYS[day], interpreter, wheel if form == "wheel" else None)

        def of(row: Row, compression: str) -> str:
            chosen = {
                Change.USER: row.user == "user",
                Change.NOT_RUNNABLE: row.programs == "programs can't run",
                Change.HOME: row.home == "hostile home",
            }
            with surroundings(*(change for change, is_so in chosen.items() if is_so)) as around:
                account = around.account()
                account.program = program(row.form, row.day, row.python)
                # What both need of PyPI is Python alone, and has no other form for another version.
                account.variables["PYTHONPATH"] = str(Path(click.__file__).parents[1])
                account.pins = pins
                words = account.build_words(VERSION, source, "--arch", "amd64", "--compression", compression)
                result = account.run(*words, under=around.under())
                assert result.status == 0, (row, result.err)
                return digest(account.output / f"etcd-ha_{VERSION}-1_amd64.deb")

        yield of


def digests(build: Build, rows: Iterable[Row], compression: str) -> dict[str, list[tuple[str, ...]]]:
    """The rows by the digest that they gave."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for row in rows:
        found.setdefault(build(row, compression), []).append(astuple(row))
    return found


def test_sample_has_every_two_values_of_different_factors() -> None:
    rows = [astuple(row) for row in sample()]
    for (one, values), (other, others) in combinations(enumerate(FACTORS), 2):
        assert {(row[one], row[other]) for row in rows} == set(product(values, others))


@pytest.mark.soak
def test_each_two_circumstances_together_give_one_digest(build: Build) -> None:
    found = digests(build, sample(), "gzip")
    assert len(found) == 1, found


@pytest.mark.soak
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_all_circumstances_give_one_digest(build: Build, compression: str) -> None:
    found = digests(build, ROWS, compression)
    print(f"{compression}: {len(ROWS)} ways, {list(found)}")  # noqa: T201
    assert len(found) == 1, found
