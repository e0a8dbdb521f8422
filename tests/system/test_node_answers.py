"""Answers, the file and the service: what reaches what, and what stays as the administrator left it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machines.cluster import Cluster, etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.sample import sampled
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}
SILENT = "export DEBIAN_FRONTEND=noninteractive; "


@pytest.fixture
def deb(package: Package) -> Path:
    """The package."""
    return package("3.6.16")


def single(machine: Machine, deb: Path, **more: str) -> str:
    """Install a preseeded single node; what apt said."""
    preseed(machine, {"setup": "single", "address": machine.address, **more})
    said = machine.install(deb).stdout
    wait_for("the member to be healthy", lambda: is_healthy(machine), within=20)
    return said


def reconfigure(machine: Machine) -> str:
    """dpkg-reconfigure with nobody to ask."""
    return machine.run("dpkg-reconfigure", "etcd-ha", env=NONINTERACTIVE).stdout


def answer_of(machine: Machine, question: str) -> str:
    """What debconf remembers."""
    shown = machine.run("debconf-show", "etcd-ha").stdout
    (line,) = (line for line in shown.splitlines() if f"etcd-ha/{question}:" in line)
    return line.split(":", 1)[1].strip()


def state_of_files(machine: Machine) -> str:
    """Names, owners, modes, times and sums of all that the package may write."""
    return machine.run(
        "sh", "-c",
        "find /etc/etcd /etc/systemd /var/backups/etcd-ha -exec stat -c '%n %U %G %a %y' {} +;"
        "md5sum /etc/etcd/*",
    ).stdout  # fmt: skip


def test_without_answers_nothing_is_invented_and_one_line_says_how_to_go_on(nodes: Nodes, deb: Path) -> None:
    (node,) = nodes(1)
    said = node.install(deb).stdout
    (line,) = (line for line in said.splitlines() if line.startswith("etcd-ha: "))
    assert "etcd is not configured and stays stopped. Run: dpkg-reconfigure etcd-ha" in line
    assert service(node).active == "inactive"
    assert node.run("systemctl", "is-enabled", "etcd").stdout.strip() == "enabled"
    assert node.run("find", "/etc/etcd", "/var/lib/etcd-ha", "-mindepth", "1").stdout == ""
    follow(line, node, "dpkg-reconfigure etcd-ha", before=SILENT)
    preseed(node, {"setup": "single", "address": node.address})
    shown = node.run("etcd-ha", "status", check=False).stdout
    follow(shown, node, "dpkg-reconfigure etcd-ha", before=SILENT)
    wait_for("the member to be healthy", lambda: is_healthy(node), within=20)


def test_apt_returns_before_the_peers_are_up_and_a_second_run_changes_nothing(
    nodes: Nodes, deb: Path
) -> None:
    cluster = Cluster(nodes(3))
    for machine in cluster.machines:
        preseed(machine, cluster.answers(machine))
    begun = time.monotonic()
    cluster.machines[0].install(deb)
    assert time.monotonic() - begun < 30
    for machine in cluster.machines[1:]:
        machine.install(deb)
    cluster.wait_for_quorum(within=20)
    last = cluster.machines[-1]
    files, pid = state_of_files(last), service(last).pid
    last.run("dpkg", "-i", f"/root/{deb.name}", env=NONINTERACTIVE)
    reconfigure(last)
    assert state_of_files(last) == files
    assert service(last).pid == pid


def test_file_is_readable_for_root_and_the_group_alone(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    assert node.run("stat", "-c", "%U:%G %a", FILE).stdout.strip() == "root:etcd 640"
    assert node.run("stat", "-c", "%U:%G %a", "/var/lib/etcd-ha").stdout.strip() == "etcd:etcd 700"


@pytest.mark.soak
def test_five_nodes_form_one_cluster(nodes: Nodes, deb: Path) -> None:
    cluster = Cluster(nodes(5))
    cluster.install(deb)
    cluster.wait_for_quorum(within=40)
    assert set(cluster.members(cluster.machines[0])) == {machine.name for machine in cluster.machines}


@pytest.mark.soak
def test_ipv6_addresses_form_one_cluster(nodes: Nodes, deb: Path) -> None:
    machines = nodes(3)
    members = ",".join(f"{machine.name}={machine.endpoint.ipv6}" for machine in machines)
    for machine in machines:
        preseed(machine, {"setup": "cluster", "address": machine.endpoint.ipv6, "members": members})
        machine.install(deb)
    first = machines[0]
    url = f"http://[{first.endpoint.ipv6}]:2379"
    wait_for(
        "a quorum",
        lambda: (
            "is healthy"
            in first.run("etcdctl", f"--endpoints={url}", "endpoint", "health", check=False).stdout
        ),
        within=20,
    )
    assert first.run("etcdctl", "put", "key", "value").stdout.strip() == "OK"


def test_answer_given_while_a_file_exists_reaches_it_and_a_hand_edit_wins_next(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    preseed(node, {"heartbeat-interval": "150"})
    assert "etcd was restarted and serves again" in reconfigure(node)
    assert "\nheartbeat-interval: 150\n" in node.get(FILE)
    by_hand = node.get(FILE).replace("heartbeat-interval: 150", "heartbeat-interval: 170 # mine") + "# end\n"
    node.put(FILE, by_hand)
    preseed(node, {"heartbeat-interval": "110"})
    reconfigure(node)
    assert node.get(FILE) == by_hand
    assert answer_of(node, "heartbeat-interval") == "170"


@pytest.mark.soak
def test_wiped_debconf_database_is_rebuilt_from_the_file(nodes: Nodes, deb: Path) -> None:
    (node,) = nodes(1)
    single(node, deb, **{"cluster-token": "blue"})
    before = node.get(FILE)
    node.run("sh", "-c", "echo PURGE | debconf-communicate etcd-ha")
    node.run("dpkg", "-i", f"/root/{deb.name}", env=NONINTERACTIVE)
    assert node.get(FILE) == before
    assert answer_of(node, "cluster-token") == "blue"
    assert answer_of(node, "setup") == "single"
    assert answer_of(node, "address") == node.address


@pytest.mark.soak
def test_file_that_is_deleted_stays_deleted_at_an_upgrade(serving: Nodes, deb: Path) -> None:
    (node,) = serving(1, "3.6.16")
    node.run("rm", FILE)
    node.run("dpkg", "-i", f"/root/{deb.name}", env=NONINTERACTIVE)
    assert node.run("test", "-e", FILE, check=False).returncode != 0


@pytest.mark.soak
def test_previous_file_is_kept_in_the_backups(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    before = node.get(FILE)
    node.run("etcd-ha", "config", "set", "heartbeat-interval", "120")
    (copy,) = node.run("sh", "-c", "echo /var/backups/etcd-ha/etcd.yaml.*").stdout.split()
    assert node.get(copy) == before
    assert node.run("etcd-ha", "config", "get", "heartbeat-interval").stdout == "120\n"


@pytest.mark.soak
def test_what_etcd_would_refuse_is_not_written(nodes: Nodes, deb: Path) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "cluster", "address": node.address, "members": "n1=ftp://n1,n2"})
    said = node.install(deb).stdout
    assert "Unusable list of members" in said
    assert "etcd-ha/members: the URL in 'n1=ftp://n1' must start with http://, since tls is false." in said
    assert node.run("test", "-e", FILE, check=False).returncode != 0
    preseed(node, {"members": f"{node.name}={node.address}"})
    follow(said, node, "dpkg-reconfigure etcd-ha", before=SILENT)
    wait_for("the member to be healthy", lambda: is_healthy(node), within=20)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("form", "reason"),
    sampled(
        [
            ("{name: n1}\n", "flow style"),
            ("name: &a n1\nx: *a\n", "anchors"),
            ("a: b\n---\nc: d\n", "several documents"),
        ],
        ("{name: n1}\n", "flow style"),
    ),
)
def test_file_that_cannot_be_edited_is_left_alone_and_named(
    nodes: Nodes, deb: Path, form: str, reason: str
) -> None:
    (node,) = nodes(1)
    node.run("mkdir", "/etc/etcd")
    node.put(FILE, form)
    preseed(node, {"setup": "single", "address": node.address})
    said = node.install(deb).stdout
    assert f"{FILE} was not changed, since it can't be edited safely" in said
    assert reason in said
    assert node.get(FILE) == form


def test_members_that_cannot_be_read_keep_their_answers_and_their_lines(nodes: Nodes, deb: Path) -> None:
    (node,) = nodes(1)
    preseed(
        node,
        {
            "setup": "cluster",
            "address": node.address,
            "members": f"{node.name}={node.address},n2=10.0.0.9",
        },
    )
    node.install(deb)
    folded = node.get(FILE).replace("initial-cluster: ", "initial-cluster: >-\n  ").replace(",n2", ",\n  n2")
    node.put(FILE, folded)
    reconfigure(node)
    assert answer_of(node, "setup") == "cluster"
    assert node.get(FILE) == folded
    spelled = folded + "Initial-Cluster: ~\n"
    node.put(FILE, spelled)
    said = reconfigure(node)
    assert "so these questions keep their answers: setup (" in said
    assert answer_of(node, "setup") == "cluster"
    assert "n2=http://10.0.0.9:2380" in answer_of(node, "members")
    assert node.get(FILE) == spelled


@pytest.mark.soak
def test_symbolic_link_is_left_alone_and_named(nodes: Nodes, deb: Path) -> None:
    (node,) = nodes(1)
    node.run("mkdir", "/etc/etcd", "/srv/etcd")
    node.put("/srv/etcd/etcd.yaml", "name: elsewhere\n")
    node.run("ln", "-s", "/srv/etcd/etcd.yaml", FILE)
    node.install(deb)
    preseed(node, {"node-name": "other"})
    assert "it is a symbolic link" in reconfigure(node)
    assert node.get(FILE) == "name: elsewhere\n"


def test_member_that_exists_is_not_reshaped(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    before = node.get(FILE)
    preseed(
        node, {"setup": "cluster", "members": f"{node.name}={node.address},n2=10.0.0.9", "cluster-token": "x"}
    )
    said = reconfigure(node)
    assert "already exists, so these answers change nothing: setup members cluster-token" in said
    assert node.get(FILE) == before


@pytest.mark.soak
def test_compaction_always_has_both_keys(nodes: Nodes, deb: Path) -> None:
    (node,) = nodes(1)
    single(node, deb, **{"auto-compaction": "off"})
    assert 'auto-compaction-mode: periodic\nauto-compaction-retention: "0"\n' in node.get(FILE)
    preseed(node, {"auto-compaction": "revision:1000"})
    reconfigure(node)
    assert 'auto-compaction-mode: revision\nauto-compaction-retention: "1000"\n' in node.get(FILE)
    assert etcdctl(node, "put", "key", "value").strip() == "OK"


@pytest.mark.soak
def test_what_a_file_by_hand_leaves_out_is_not_filled_in(nodes: Nodes, deb: Path) -> None:
    (node,) = nodes(1)
    by_hand = "name: n1\ndata-dir: /var/lib/etcd-ha\n"
    node.run("mkdir", "/etc/etcd")
    node.put(FILE, by_hand)
    node.install(deb)
    node.run("dpkg", "-i", f"/root/{deb.name}", env=NONINTERACTIVE)
    reconfigure(node)
    assert node.get(FILE) == by_hand
