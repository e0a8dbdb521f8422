"""Fresh nodes of every Debian that install and upgrade from a repository, over the network."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.archives.browser import Screen, chromium, copied, opened, unfold
from tests.support.archives.publisher import Publisher, served, signing_home
from tests.support.machines.cluster import is_healthy, preseed
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.sample import sampled
from tests.support.wait import wait_for

PHONE = Screen(width=390, scheme="light")
OLDER, NEWER, OTHER_SERIES = "3.6.7-1", "3.6.16-1", "3.7.3-1"


@pytest.fixture
def publisher(lab: Lab, tmp_path: Path) -> Iterator[Publisher]:
    """A repository that the nodes of the lab reach over http."""
    with signing_home() as gnupg_home:
        publisher = Publisher(tmp_path, gnupg_home)
        publisher.must(*publisher.init_words())
        with served(publisher, lab.network) as url:
            publisher.must(*publisher.init_words("--url", url))
            yield publisher


def installed(node: Machine) -> str:
    return node.run("dpkg-query", "-W", "-f", "${Version}", "etcd-ha").stdout


@pytest.mark.parametrize("suite", sampled(["bookworm", "trixie", "forky"], "trixie"))
def test_node_installs_an_older_version_and_upgrades_within_its_series(
    lab: Lab,
    publisher: Publisher,
    package: Callable[[str], Path],
    suite: str,
) -> None:
    (node,) = lab.nodes(1, suite)
    debs = [package(version.removesuffix("-1")) for version in (OLDER, NEWER, OTHER_SERIES)]
    publisher.must(*publisher.publish_words(*debs))
    node.use_repository(publisher.sources.replace("Components: 3.7", "Components: 3.6"))
    preseed(node, {"setup": "single", "address": node.address})
    node.apt_install(f"etcd-ha={OLDER}", options=["--no-install-recommends"])
    assert installed(node) == OLDER
    wait_for("the member to be healthy", lambda: is_healthy(node), within=20)
    node.run("apt-get", "-q", "-y", "upgrade", env={"DEBIAN_FRONTEND": "noninteractive"}, within=120)
    assert installed(node) == NEWER
    candidates = node.run("apt-cache", "madison", "etcd-ha").stdout
    assert OTHER_SERIES not in candidates, "another series is another component"
    wait_for("the member to be healthy after the upgrade", lambda: is_healthy(node), within=20)


@pytest.mark.soak
def test_text_copied_from_the_page_installs_the_package_on_a_fresh_node(
    lab: Lab, publisher: Publisher, package: Callable[[str], Path]
) -> None:
    (node,) = lab.nodes(1, "trixie")
    publisher.must(*publisher.publish_words(package("3.6.16")))
    with (
        chromium() as browser,
        opened(browser, (publisher.repository / "index.html").as_uri(), PHONE) as page,
    ):
        unfold(page)
        # curl is in no minimal installation.
        text = copied(page, "#text-trixie")
    # No mirror of Debian can be reached from a node.
    node.run("sh", "-c", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*")
    node.run("sh", "-e", "-c", text, env={"DEBIAN_FRONTEND": "noninteractive"}, within=120)
    assert installed(node) == NEWER
    # The package of the keys, which the text installs too, takes the place of the key in the file.
    before, _, _ = publisher.sources.partition("Signed-By:\n")
    followed = f"{before}Signed-By: /usr/share/keyrings/etcd-ha-archive-keyring.gpg\n"
    assert node.get("/etc/apt/sources.list.d/etcd-ha.sources") == followed
