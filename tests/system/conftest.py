"""Nodes and packages for the tests on booted systems."""

import hashlib
import json
import os
import re
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FrameType

import pytest

from tests.support.cache import CACHE, locked, new_folder, shared_folder
from tests.support.machines.cluster import Cluster
from tests.support.machines.lab import Lab, open_lab, why_no_nodes
from tests.support.machines.machine import Machine
from tests.support.machines.site import Site, open_site
from tests.support.releases import releases
from tests.support.upload import Upload
from tests.system.debian_etcd import Debian, debian_installer
from tests.system.upgrades import formed

JOURNALS = CACHE / "lab" / "journals"
LAB = pytest.StashKey[Lab]()
KEPT = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """No nodes are kept so far."""
    config.stash[KEPT] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How to enter and end the nodes that are kept."""
    for text in config.stash[KEPT]:
        terminalreporter.write_line(text)


def _on_sigterm(number: int, _frame: FrameType | None) -> None:
    pytest.exit("SIGTERM", 128 + number)


@pytest.fixture(scope="session", autouse=True)
def _ended_in_order() -> Iterator[None]:
    """SIGTERM takes the nodes down as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _on_sigterm)
    yield
    signal.signal(signal.SIGTERM, before)


def _can_boot() -> None:
    reason = why_no_nodes()
    if reason is not None:
        pytest.fail(f"can't boot nodes here: {reason}", pytrace=False)


def _keep_where_asked(request: pytest.FixtureRequest, lab: Lab) -> None:
    if os.environ.get("ETCD_DEB_KEEP") == "1":
        request.config.stash[KEPT].append(f"{request.node.name}: {lab.keep()}")


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """An empty lab; ETCD_DEB_KEEP=1 leaves its nodes up."""
    _can_boot()
    with open_lab() as lab:
        request.node.stash[LAB] = lab
        yield lab
        _keep_where_asked(request, lab)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, package: Callable[[str], Path]) -> Iterator[Site]:
    """The network of conf/cluster.example.yaml, with the package in its repository; one for a module."""
    _can_boot()
    with open_site(package("3.6.16")) as site:
        request.node.stash[LAB] = site.lab
        yield site
        _keep_where_asked(request, site.lab)


@pytest.fixture
def nodes(lab: Lab) -> Callable[..., list[Machine]]:
    """nodes(count, suite="trixie", *packages) boots nodes on one network."""
    return lab.nodes


@pytest.fixture(scope="session")
def package(upload: Callable[..., Upload]) -> Callable[..., Path]:
    """package(version or origin, compression="zstd") is the .deb of a release of the registries."""

    def of(wanted: str, *compression: str) -> Path:
        return upload(releases.ensure().get(wanted, wanted), *compression).deb

    return of


@pytest.fixture
def serving(
    lab: Lab, package: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., list[Machine]]:
    """serving(count, version, **answers) boots nodes whose members serve: a single node, or one cluster.

    For tests that begin after the installation, which was run once for all workers; these are copies of its
    disks.
    """
    shared = shared_folder(tmp_path_factory, "disks")

    def of(count: int, version: str, **answers: str) -> list[Machine]:
        given = {**({"setup": "single"} if count == 1 else {}), **answers}
        name = hashlib.sha256(json.dumps([count, version, given]).encode()).hexdigest()[:12]
        with locked(shared / f"{name}.lock"):
            if not (shared / name).is_dir():
                with open_lab() as origin, new_folder(shared / name) as disks:
                    formed(origin.nodes(count), package(version), given)
                    origin.save(disks)
        machines = lab.copies(shared / name)
        Cluster(machines, given).wait_for_quorum(within=40)
        return machines

    return of


@pytest.fixture(scope="session")
def debian_etcd(tmp_path_factory: pytest.TempPathFactory) -> Debian:
    """debian_etcd(node, suite) installs the suite's own etcd with data in it."""
    return debian_installer(tmp_path_factory.mktemp)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the nodes' journals of a failed test, and say where."""
    report = yield
    module = item.getparent(pytest.Module)
    lab = item.stash.get(LAB, module.stash.get(LAB, None) if module else None)
    if call.when != "teardown" and report.failed and lab is not None and lab.machines:
        folder = JOURNALS / re.sub(r"[^\w.-]+", "_", item.name)
        lab.save_journals(folder)
        report.sections.append(("nodes", f"journals and consoles are in {folder}"))
    return report
