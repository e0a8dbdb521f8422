"""What the commands of a repository found and did, as text for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from builder.cli.terminal import as_json

if TYPE_CHECKING:
    # Each command loads what it needs.
    from builder.repository.look import Suite
    from builder.repository.publish import Published
    from builder.repository.remote.push import Pushed
    from builder.repository.rotate import Rotated
    from builder.repository.state.generation import Generation
    from builder.repository.state.index import Entry
    from builder.repository.state.layout import Repository
    from builder.repository.upkeep import Removed
    from builder.sync import Synced


def published_as_text(published: Published, pushed: Sequence[Pushed] = ()) -> str:
    rows = _added(published.suite, published.added) or [f"{published.suite} is already up to date"]
    return "\n".join([*rows, *map(_pushed, pushed)])


def published_as_json(published: Published, pushed: Sequence[Pushed] = ()) -> str:
    return as_json(
        {
            "suite": published.suite,
            "generation": published.generation,
            "added": _entries(published.added),
            "pushed": [asdict(each) for each in pushed],
        }
    )


def synced_as_text(synced: Synced, pushed: Sequence[Pushed]) -> str:
    rows = [
        *_added(synced.suite, synced.added),
        *(f"failed    {failure.missing}: {failure.error.summary}" for failure in synced.failures),
        *(f"withheld  {missing}; to allow it, use repo release" for missing in synced.withheld),
    ]
    return "\n".join([*(rows or [f"{synced.suite} has all upstream releases"]), *map(_pushed, pushed)])


def synced_as_json(synced: Synced, pushed: Sequence[Pushed]) -> str:
    failed = [
        {
            "version": str(failure.missing.version),
            "architecture": failure.missing.architecture,
            "error": failure.error.render(),
        }
        for failure in synced.failures
    ]
    return as_json(
        {
            "suite": synced.suite,
            "added": _entries(synced.added),
            "failed": failed,
            "withheld": _pairs((str(missing.version), missing.architecture) for missing in synced.withheld),
            "pushed": [asdict(each) for each in pushed],
        }
    )


def pushed_as_text(pushed: Sequence[Pushed]) -> str:
    return "\n".join(map(_pushed, pushed))


def pushed_as_json(pushed: Sequence[Pushed]) -> str:
    return as_json({"pushed": [asdict(each) for each in pushed]})


def suites_as_text(suites: tuple[Suite, ...]) -> str:
    rows = [
        f"{suite.name:<12}{entry.component:<8}{entry.version:<18}{entry.architecture}"
        for suite in suites
        for entry in suite.entries
    ] + [
        f"{suite.name:<12}{'-':<8}{version:<18}{architecture}  withheld; to allow it, use repo release"
        for suite in suites
        for version, architecture in suite.withheld
    ]
    return "\n".join([f"{'SUITE':<12}{'SERIES':<8}{'VERSION':<18}ARCHITECTURE", *rows])


def suites_as_json(suites: tuple[Suite, ...]) -> str:
    return as_json({suite.name: _suite(suite) for suite in suites})


def suite_as_text(suite: Suite) -> str:
    return "\n".join(
        [
            f"suite        {suite.name}",
            f"generation   {suite.generation.number} of {suite.generation.date:%Y-%m-%d %H:%M:%S} UTC",
            *(f"kept         {g.number} of {g.date:%Y-%m-%d %H:%M:%S} UTC" for g in reversed(suite.kept)),
            *(
                f"package      {e.version} {e.architecture}  {e.filename}  sha256 {e.sha256}"
                for e in suite.entries
            ),
            *(f"withheld     {version} {architecture}" for version, architecture in suite.withheld),
        ]
    )


def suite_as_json(suite: Suite) -> str:
    return as_json(_suite(suite))


def _suite(suite: Suite) -> dict[str, object]:
    return {
        "suite": suite.name,
        "generation": suite.generation.number,
        "date": suite.generation.date.isoformat(),
        "kept": [generation.number for generation in suite.kept],
        "packages": _entries(suite.entries),
        "withheld": _pairs(suite.withheld),
    }


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"version": version, "architecture": architecture} for version, architecture in pairs]


def made_as_text(repository: Repository) -> str:
    files = (f"{suite}  {repository.sources_file(suite)}" for suite in repository.suites)
    return "\n".join([f"key     {repository.settings.key}", *files])


def made_as_json(repository: Repository) -> str:
    files = {suite: str(repository.sources_file(suite)) for suite in repository.suites}
    return as_json({"key": repository.settings.key, "sources": files})


def released_as_text(suite: str, released: Sequence[tuple[str, str]]) -> str:
    return "\n".join(
        f"{suite}  {version} {architecture} is no longer withheld" for version, architecture in released
    )


def released_as_json(suite: str, released: Sequence[tuple[str, str]]) -> str:
    return as_json({"suite": suite, "released": _pairs(released)})


def generations_as_text(generations: Iterable[Generation]) -> str:
    return "\n".join(f"{generation.suite}  generation {generation.number}" for generation in generations)


def generations_as_json(generations: Iterable[Generation]) -> str:
    return as_json({generation.suite: generation.number for generation in generations})


def rotated_as_text(rotated: Rotated) -> str:
    gone = [f"retired {rotated.gone}"] if rotated.gone else []
    return "\n".join([*(f"signs   {fingerprint}" for fingerprint in rotated.keys), *gone])


def rotated_as_json(rotated: Rotated) -> str:
    return as_json({"keys": rotated.keys, "gone": rotated.gone or None})


def removed_as_text(removed: Removed) -> str:
    rows = [
        *(f"removed  {entry.version} {entry.architecture}" for entry in removed.removed),
        *(f"deleted  {filename}" for filename in removed.deleted),
    ]
    return "\n".join(rows) or "nothing to remove"


def removed_as_json(removed: Removed) -> str:
    return as_json(
        {
            "suite": removed.suite,
            "generation": removed.generation,
            "removed": _entries(removed.removed),
            "deleted": removed.deleted,
        }
    )


def problems_as_text(problems: tuple[str, ...]) -> str:
    return "\n".join(problems) or "no problems found"


def problems_as_json(problems: tuple[str, ...]) -> str:
    return as_json({"problems": problems})


def _added(suite: str, added: Iterable[Entry]) -> list[str]:
    return [
        f"{suite}  {entry.component}  {entry.package} {entry.version} {entry.architecture}" for entry in added
    ]


def _pushed(pushed: Pushed) -> str:
    if not pushed.sent and not pushed.deleted:
        return f"{pushed.target} is already up to date"
    return f"{pushed.target}  {len(pushed.sent)} files sent, {len(pushed.deleted)} deleted"


def _entries(entries: Iterable[Entry]) -> list[dict[str, object]]:
    return [
        {
            "package": entry.package,
            "version": entry.version,
            "architecture": entry.architecture,
            "component": entry.component,
            "filename": entry.filename,
            "size": entry.size,
            "sha256": entry.sha256,
        }
        for entry in entries
    ]
