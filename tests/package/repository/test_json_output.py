"""--json of each command against its schema in docs/reference/json, by what the command really prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from builder import shipped
from builder.cli.main import cli
from tests.support.archives.publisher import SUITE, Publisher, signing_home
from tests.support.releases.fake_release import VERSION, good_tarball, publish, tarball_name

SCHEMAS = Path(__file__).parents[3] / "docs/reference/json"
# Named by others alone.
PARTS = {"package", "pushed", "provenance", "known-faults"}
# Have members to look at in tests of their own.
ELSEWHERE = {"cluster-check": "package/cluster/test_check.py", "etcd-ha-status": "system/test_status.py"}
# Of commands on a node.
ON_NODES = {"etcd-ha-status"}


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Each command, its words joined as its schema is named."""
    for words, command in spelt(group, before):
        yield "-".join(words), command


def spelt(
    group: click.Group, before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command with its words."""
    for name, command in group.commands.items():
        words = (*before, name)
        if isinstance(command, click.Group):
            yield from spelt(command, words)
        elif not command.hidden:
            yield words, command


def reports() -> set[str]:
    return {name for name, command in commands(cli) if any("--json" in each.opts for each in command.params)}


def test_every_command_reports_as_json_but_those_that_report_nothing() -> None:
    assert {name for name, _ in commands(cli)} - reports() == {"serve", "completion"}


def test_every_report_has_a_schema_and_no_other_is_there() -> None:
    there = {path.stem for path in SCHEMAS.glob("*.json")}
    assert there - PARTS - ON_NODES == reports()
    for path in SCHEMAS.glob("*.json"):
        Draft202012Validator.check_schema(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """What each command printed, once or several times, in a world where it has something to say."""
    folder = tmp_path_factory.mktemp("json")
    found: dict[str, list[str]] = {}
    with signing_home() as home:
        publisher = Publisher(folder / "publisher", home)
        account, root = publisher.account, publisher.repository
        release = publish(folder / "releases", {"amd64": good_tarball()})
        (tags,) = release.iterdir()
        (tags / "SHA256SUMS.storage.invalid").write_bytes((tags / "SHA256SUMS").read_bytes())
        account.trusts(tags / tarball_name())
        cached = account.cache / f"etcd-deb/releases/a.invalid/v{VERSION}/{tarball_name()}"

        spellings = {"-".join(words): words for words, _ in spelt(cli)}

        def take(name: str, *words: str | Path, status: int = 0) -> None:
            done = account.run(*spellings[name], *words, "--json")
            assert done.status == status, f"{name}: {done.err}"
            found.setdefault(name, []).append(done.out)

        take("repo-init", root, "--gnupg-home", home, "--new-key", "--suite", SUITE, "--suite", "testing")
        sources = ("--source", release, "--pins", account.pins)
        take("build", f"v{VERSION}", *sources, "--arch", "amd64", "--output", account.output)
        (deb,) = account.output.glob("*-1_amd64.deb")
        take("inspect", deb, *sources)
        take("versions", *sources)
        take("source", f"v{VERSION}", *sources, "--arch", "amd64", "--output", folder / "tree")
        take("fetch", f"v{VERSION}", *sources, "--arch", "amd64", "--output", folder / "kept")
        take("pin", f"v{VERSION}", "--source", release, "--pins", folder / "own-pins")
        take("doctor")
        in_suite = ("--repo", root, "--suite", SUITE)
        debs = [publisher.deb(version) for version in ("3.6.7-1", "3.6.8-1", "3.7.3-1")]
        take("publish", *debs, *in_suite, "--to", folder / "www")
        take("repo-promote", root, SUITE, "testing")
        take("repo-remove", root, SUITE, "3.6.8-1")
        take("repo-rollback", root, SUITE)
        take("repo-remove", root, SUITE, "3.6.7-1")
        take("repo-list", root)
        take("repo-list", root, SUITE)
        take("repo-release", root, SUITE, "3.6.7-1")
        take("repo-prune", root, "testing", "--keep", "1")
        take("repo-resign", root)
        take("sync", *in_suite, *sources, "--arch", "amd64", "--series", "3.6")
        take("repo-rotate-key", root, "--new-key")
        take("repo-rotate-key", root, "--finish")
        take("repo-push", root, "--to", folder / "www")
        take("repo-verify", root)
        (root / "index.html").unlink()
        take("repo-verify", root, status=3)
        cached.parent.mkdir(parents=True)
        cached.write_bytes(good_tarball())
        take("cache-list")
        take("cache-prune")
        described = folder / "cluster.yaml"
        described.write_bytes((shipped.CONF / "cluster.example.yaml").read_bytes())
        (folder / "archive-key.asc").write_bytes(next(root.glob("*.asc")).read_bytes())
        made = ("--output", folder / "cluster")
        take("cluster-show", described)
        take("cluster-certs-list", described, *made, status=1)
        take("cluster-certs-make", described, *made)
        take("cluster-certs-list", described, *made)
        take("cluster-certs-rotate-ca", described, "trust-both", *made)
        for name in ("preseed", "cloud-init", "patroni"):
            take(f"cluster-{name}", described, *made)
        yield found


def check(name: str, text: str) -> None:
    """Raises ValidationError."""
    registry = Registry[bool | Mapping[str, object]]().with_resources(
        (path.name, Resource.from_contents(json.loads(path.read_text()))) for path in SCHEMAS.glob("*.json")
    )
    Draft202012Validator({"$ref": f"{name}.json"}, registry=registry).validate(json.loads(text))


@pytest.mark.parametrize("name", sorted(reports() - set(ELSEWHERE)))
def test_what_a_command_prints_has_the_form_of_its_schema(printed: dict[str, list[str]], name: str) -> None:
    for text in printed[name]:
        check(name, text)


def test_a_report_that_is_not_printed_here_is_checked_elsewhere() -> None:
    for name, test in ELSEWHERE.items():
        assert f'check("{name}", ' in (Path(__file__).parents[2] / test).read_text(encoding="utf-8")


def test_a_list_has_what_a_suite_withholds(printed: dict[str, list[str]]) -> None:
    for text in printed["repo-list"]:
        assert json.loads(text)[SUITE]["withheld"] == [{"version": "3.6.7-1", "architecture": "amd64"}]


def test_what_was_removed_from_the_cache_is_told(printed: dict[str, list[str]]) -> None:
    (listed,), (pruned,) = printed["cache-list"], printed["cache-prune"]
    assert json.loads(pruned)["removed"] == json.loads(listed)["files"]
    assert json.loads(pruned)["freed"] == json.loads(listed)["size"] == len(good_tarball())
