"""What a repository holds, for people and scripts to read."""

from __future__ import annotations

from dataclasses import dataclass

from builder.repository.state.generation import Generation, current_generation, kept_generations
from builder.repository.state.index import Entry
from builder.repository.state.layout import Repository


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite as clients see it. kept: the generations that rollback can go to."""

    name: str
    generation: Generation
    entries: tuple[Entry, ...]
    kept: tuple[Generation, ...]

    @property
    def withheld(self) -> tuple[tuple[str, str], ...]:
        """Versions that were taken back, each with its architecture."""
        pairs = (one.rpartition("_") for one in sorted(self.generation.withheld))
        return tuple((version, architecture) for version, _, architecture in pairs)


def look(repository: Repository) -> tuple[Suite, ...]:
    """Every suite, sorted by name."""
    return tuple(look_at(repository, suite) for suite in repository.suites)


def look_at(repository: Repository, suite: str) -> Suite:
    """One suite, its packages sorted by component, version and architecture. Raises UsageError."""
    generation = current_generation(repository, suite)
    entries = sorted(
        generation.all_entries(), key=lambda entry: (entry.component, entry.order(), entry.architecture)
    )
    kept = tuple(g for g in kept_generations(repository, suite) if g.number < generation.number)
    return Suite(suite, generation, tuple(entries), kept)
