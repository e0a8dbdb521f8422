"""Alternatives and commands made by hand: the package joins them as they are, and gives them back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.machines.chroot import Chroot, chroot
from tests.support.sample import sampled
from tests.system.advice import follow

Package = Callable[[str], Path]

NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}
SILENT = "export DEBIAN_FRONTEND=noninteractive; "
OURS = {
    "etcd": "/usr/lib/etcd-ha/bin/etcd",
    "etcdctl": "/usr/lib/etcd-ha/client/etcdctl",
    "etcdutl": "/usr/lib/etcd-ha/bin/etcdutl",
}
BY_HAND = "/usr/local/etcd"
BINARIES = (
    f"mkdir -p {BY_HAND} && cd {BY_HAND} && cp /bin/true etcd && cp /bin/true etcdctl && cp /bin/true etcdutl"
)
INSTALL = "update-alternatives --install"
ETCDCTL = f"/usr/bin/etcdctl etcdctl {BY_HAND}/etcdctl"
CONTROL = f"{INSTALL} /usr/bin/kubectl kubectl /bin/true 100"

# What was done by hand, and the links that lead to the package's programs then.
JOINED = {
    "etcdctl is a slave of etcd": (
        f"{INSTALL} /usr/sbin/etcd etcd {BY_HAND}/etcd 100 --slave {ETCDCTL}",
        ["/usr/sbin/etcd", "/usr/bin/etcdctl"],
    ),
    "both are slaves of etcd": (
        f"{INSTALL} /usr/sbin/etcd etcd {BY_HAND}/etcd 100 --slave {ETCDCTL}"
        f" --slave /usr/bin/etcdutl etcdutl {BY_HAND}/etcdutl",
        ["/usr/sbin/etcd", "/usr/bin/etcdctl", "/usr/bin/etcdutl"],
    ),
    "etcd is a slave of etcdctl": (
        f"{INSTALL} {ETCDCTL} 100 --slave /usr/sbin/etcd etcd {BY_HAND}/etcd",
        ["/usr/sbin/etcd", "/usr/bin/etcdctl"],
    ),
    "etcdutl is a slave of etcdctl": (
        f"{INSTALL} {ETCDCTL} 100 --slave /usr/bin/etcdutl etcdutl {BY_HAND}/etcdutl",
        ["/usr/bin/etcdctl", "/usr/bin/etcdutl"],
    ),
    "groups of other names": (
        f"{INSTALL} /usr/sbin/etcd etcd-server {BY_HAND}/etcd 100"
        f" --slave /usr/bin/etcdctl etcd-client {BY_HAND}/etcdctl",
        ["/usr/sbin/etcd", "/usr/bin/etcdctl"],
    ),
    "a group of another name in /bin": (
        f"{INSTALL} /bin/etcdctl etcd-client {BY_HAND}/etcdctl 100",
        ["/usr/bin/etcdctl"],
    ),
    "links at other places, which a unit may name": (
        f"{INSTALL} /usr/local/bin/etcd etcd {BY_HAND}/etcd 100"
        f" && {INSTALL} /usr/local/bin/etcdctl etcdctl {BY_HAND}/etcdctl 100",
        ["/usr/local/bin/etcd", "/usr/local/bin/etcdctl"],
    ),
    "etcd in /usr/bin": (f"{INSTALL} /usr/bin/etcd etcd {BY_HAND}/etcd 100", ["/usr/bin/etcd"]),
    "links without alternatives": (
        f"ln -s {BY_HAND}/etcd /usr/sbin/etcd && ln -s ../local/etcd/etcdctl /usr/bin/etcdctl",
        ["/usr/sbin/etcd", "/usr/bin/etcdctl"],
    ),
}
# What was done by hand, and the links that stay as they are.
KEPT = {
    "a group in manual mode": (
        f"{INSTALL} {ETCDCTL} 100 && update-alternatives --set etcdctl {BY_HAND}/etcdctl",
        ["/usr/bin/etcdctl"],
    ),
    "etcdctl is a slave of another program": (
        f"{CONTROL} --slave {ETCDCTL}",
        ["/usr/bin/etcdctl"],
    ),
}
LINKS = sorted({link for _, links in [*JOINED.values(), *KEPT.values()] for link in links})


@pytest.fixture
def root() -> Iterator[Chroot]:
    """A root with an etcd unpacked by hand."""
    with chroot("trixie", "systemd") as root:
        root.run("sh", "-ec", BINARIES)
        yield root


@pytest.fixture
def deb(package: Package) -> Path:
    """The package."""
    return package("3.6.16")


def install(root: Chroot, deb: Path) -> str:
    root.put(deb, "/root/etcd-ha.deb")
    return root.run("dpkg", "-i", "/root/etcd-ha.deb", env=NONINTERACTIVE).stdout


def ends(root: Chroot) -> dict[str, str]:
    """Where each link ends that is there."""
    script = 'for link; do [ ! -e "$link" ] || echo "$link $(readlink -f "$link")"; done'
    lines = root.run("sh", "-c", script, "sh", *LINKS).stdout.splitlines()
    return dict(line.split() for line in lines)


@pytest.mark.parametrize(
    ("by_hand", "links"), sampled(JOINED.values(), *list(JOINED.values())[::3]), ids=JOINED
)
def test_package_joins_what_was_made_by_hand_and_gives_it_back(
    root: Chroot, deb: Path, by_hand: str, links: list[str]
) -> None:
    root.run("sh", "-ec", by_hand)
    before = ends(root)
    assert set(before) >= set(links)
    for _ in ("first installed", "over itself"):
        install(root, deb)
        now = ends(root)
        assert {link: now[link] for link in links} == {link: OURS[link.rpartition("/")[2]] for link in links}
        commands = {
            root.run("sh", "-c", f"command -v {name}").stdout for name in ("etcd", "etcdctl", "etcdutl")
        }
        assert "" not in commands
    root.run("dpkg", "--remove", "etcd-ha")
    assert ends(root) == before


@pytest.mark.parametrize(("by_hand", "links"), KEPT.values(), ids=KEPT)
def test_what_the_administrator_has_decided_stays(
    root: Chroot, deb: Path, by_hand: str, links: list[str]
) -> None:
    root.run("sh", "-ec", by_hand)
    before = ends(root)
    said = install(root, deb)
    now = ends(root)
    assert {link: now[link] for link in links} == before
    assert ("stays part of the alternatives group kubectl" in said) == ("kubectl" in by_hand)
    root.run("dpkg", "--remove", "etcd-ha")
    assert ends(root) == before


def test_command_that_is_a_file_stays_and_the_advice_leads_to_the_packages_program(
    root: Chroot, deb: Path
) -> None:
    root.run("cp", f"{BY_HAND}/etcdctl", "/usr/bin/etcdctl")
    said = install(root, deb)
    assert ends(root)["/usr/bin/etcdctl"] == "/usr/bin/etcdctl"
    follow(said, root, "mv ")
    assert ends(root)["/usr/bin/etcdctl"] == OURS["etcdctl"]


def test_corrupt_group_fails_no_installation_and_the_advice_mends_it(root: Chroot, deb: Path) -> None:
    root.run("sh", "-ec", f"{INSTALL} /usr/sbin/etcd etcd {BY_HAND}/etcd 100")
    group = root.root / "var/lib/dpkg/alternatives/etcd"
    by_hand = group.read_text()
    group.write_text("garbage\n")
    said = install(root, deb)
    assert ends(root)["/usr/sbin/etcd"] == f"{BY_HAND}/etcd"
    assert ends(root)["/usr/bin/etcdctl"] == OURS["etcdctl"]
    group.write_text(by_hand)
    follow(said, root, "dpkg-reconfigure etcd-ha", before=SILENT)
    assert ends(root)["/usr/sbin/etcd"] == OURS["etcd"]
    group.write_text("garbage\n")
    root.run("ln", "-sf", f"{BY_HAND}/etcd", "/etc/alternatives/etcd")
    follow(said, root, "mv ", before=SILENT)
    assert ends(root)["/usr/sbin/etcd"] == OURS["etcd"]
    root.run("dpkg", "--remove", "etcd-ha")
    assert ends(root)["/usr/sbin/etcd"] == f"{BY_HAND}/etcd"


def test_the_link_of_an_earlier_version_that_led_to_the_program_is_gone(root: Chroot, deb: Path) -> None:
    install(root, deb)
    program = "/usr/lib/etcd-ha/bin/etcdctl"
    root.run("sh", "-ec", f"{INSTALL} /usr/bin/etcdctl etcdctl {program} 99999")
    assert ends(root)["/usr/bin/etcdctl"] == program
    install(root, deb)
    assert ends(root)["/usr/bin/etcdctl"] == OURS["etcdctl"]
    assert program not in root.run("update-alternatives", "--query", "etcdctl").stdout
    root.run("dpkg", "--remove", "etcd-ha")
    assert "/usr/bin/etcdctl" not in ends(root)
