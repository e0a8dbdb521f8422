"""Pushing from tests, and comparing what is there with what should be."""

from __future__ import annotations

from pathlib import Path

from builder.repository.remote.tree import remote_tree
from builder.repository.state.layout import open_repository
from tests.support.account import Result
from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import Publisher
from tests.support.archives.remotes import RemoteStore


def push_words(publisher: Publisher, store: RemoteStore) -> list[str]:
    return ["repo", "push", str(publisher.repository), "--to", store.target, *store.options]


def push(publisher: Publisher, store: RemoteStore) -> Result:
    return publisher.run(*push_words(publisher, store))


def must_push(publisher: Publisher, store: RemoteStore) -> str:
    done = push(publisher, store)
    assert done.status == 0, done.err
    return done.out


def wanted(publisher: Publisher) -> dict[str, bytes]:
    """What a remote of the current state has to hold."""
    repository = open_repository(publisher.repository)
    tree = remote_tree(repository)
    groups = (
        *(tree.keyrings, tree.packages, tree.indices, tree.plain),
        *(tuple(tree.switches.values()), tree.pages),
    )
    return {file.name: file.path.read_bytes() for group in groups for file in group}


def client(publisher: Publisher, folder: Path) -> AptClient:
    """A client that has nothing yet."""
    apt = AptClient(folder)
    apt.use(publisher.sources)
    return apt
