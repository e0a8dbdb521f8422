"""Every block of README.md and of the how-tos is run by a test, or has a reason why not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.documents import ROOT, blocks, documents
from tests.unit.checkout import files as checkout
from tests.unit.checkout.test_advice import functions

TESTS = Path(__file__).parents[2]
NODE = "system/test_documents.py::test_"
ARCHIVES = "package/repository/test_existing_archives.py::archive"
THREE = "system/test_how_tos.py::test_three_nodes_are_set_up_"
BACKUP = "system/test_backup_and_restore.py::test_backups_are_made_by_one_node_and_a_lost_cluster_comes_back"
TLS = "system/test_tls_enable.py::test_three_members_change_to_https_under_a_client_that_knows_both"
UPGRADE = "system/test_upgrade_how_to.py::test_upgrade_go_back_and_recover"
PATRONI = "system/test_patroni_kept.py::test_patroni_keeps_its_primary_through_what_is_done_to_etcd"
MONITORING = "system/test_monitoring.py"
PROMETHEUS = "package/node/monitoring/test_metrics.py"
FIREWALL = "package/test_how_tos.py::test_a_release_is_built_behind_a_firewall"
PIN = "package/test_how_tos.py::test_a_new_release_is_pinned_and_then_built_with_its_pin_alone"
KEEPER = "package/node/keeper/test_how_tos.py::test_"
CLUSTER = "package/cluster/test_how_tos.py::test_"

# Tests that take every block of a document, in its order.
WHOLE = {
    "README.md": f"{NODE}readme_on_a_bare_node",
    "publish.md": f"{NODE}how_tos_of_a_repository_on_a_bare_node",
    "rotate-a-signing-key.md": f"{NODE}how_tos_of_a_repository_on_a_bare_node",
    "build-behind-a-firewall.md": FIREWALL,
    "pin-a-release.md": PIN,
    "upload-to-mini-dinstall.md": ARCHIVES,
    "upload-to-reprepro.md": ARCHIVES,
    "upload-with-aptly.md": ARCHIVES,
    "three-machines.md": f"{CLUSTER}three_machines_from_one_file",
    "tls.md": "package/cluster/test_members.py::"
    "test_certificates_are_renewed_and_the_ca_replaced_by_the_how_to_and_no_write_is_lost",
    "patroni.md": f"{CLUSTER}patroni_on_the_cluster",
    "five-nodes.md": f"{CLUSTER}two_postgres_nodes_and_three_members_elsewhere",
    "ansible.md": "system/test_ansible.py::"
    "test_a_playbook_makes_a_cluster_and_changes_nothing_when_it_runs_again",
    "kubernetes.md": f"{CLUSTER}external_etcd_for_kubernetes",
    "replace-a-member.md": f"{KEEPER}members_are_replaced_added_and_removed_by_the_how_to",
    "authentication.md": f"{KEEPER}users_are_required_by_the_how_to",
    "free-space.md": f"{KEEPER}space_is_given_back_and_the_alarm_cleared_by_the_how_to",
}
# Of the others, the test for each heading that has blocks.
BY_HEADING = {
    "preseed-three-nodes.md": {
        "1. Write": f"{THREE}without_a_question",
        "2. Install": f"{THREE}without_a_question",
        "3. Check": f"{THREE}without_a_question",
        "With TLS": f"{THREE}with_tls",
    },
    "backup-and-restore.md": dict.fromkeys(
        ("See what", "Make a backup now", "Set how long", "Copy backups", "Restore a cluster"), BACKUP
    ),
    "monitor.md": {
        "Let Prometheus reach": f"{MONITORING}::test_a_node_is_watched_by_the_how_to",
        "Set up Prometheus": f"{PROMETHEUS}::"
        "test_prometheus_by_the_how_to_sees_a_member_that_is_lost_and_draws_each_panel",
        "What no metric tells": f"{MONITORING}::test_a_node_is_watched_by_the_how_to",
    },
    "turn-tls-on.md": {
        **dict.fromkeys(("1. Install", "2. Take", "4. Go on", "Go back"), TLS),
        "3. Change": PATRONI,
    },
    "upgrade.md": dict.fromkeys(
        ("Upgrade to another patch", "Upgrade to another minor", "Go back", "Recover"), UPGRADE
    ),
}
EXEMPT = {
    (
        "preseed-three-nodes.md",
        "4. Configure Patroni",
    ): "a part of Patroni's own file, which etcd-deb does not read",
}


def texts_of(test: str) -> set[str]:
    """The texts in a test and in the functions of its file that it uses."""
    path, _, name = test.partition("::")
    known = functions(ast.parse((TESTS / path).read_text(encoding="utf-8")))
    reached, waiting, found = set[str](), [name], set[str]()
    while waiting:
        if (name := waiting.pop()) in reached:
            continue
        reached.add(name)
        for node in ast.walk(known[name]):
            if isinstance(node, ast.Name) and node.id in known:
                waiting.append(node.id)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found


def test_every_document_has_its_tests() -> None:
    assert {path.name for path in documents()} == {*WHOLE, *BY_HEADING}


@pytest.mark.parametrize(
    "document", [path for path in documents() if path.name in WHOLE], ids=lambda p: p.name
)
def test_a_document_is_followed_to_its_last_block(document: Path) -> None:
    test = WHOLE[document.name]
    if test == ARCHIVES:
        assert f'"{document.name}"' in (TESTS / test.partition("::")[0]).read_text(encoding="utf-8")
        return
    assert {document.name, "is_done"} <= texts_of(test)


@pytest.mark.parametrize("name", sorted(BY_HEADING))
def test_each_heading_with_blocks_has_a_test_that_takes_them(name: str) -> None:
    (document,) = (path for path in documents() if path.name == name)
    for heading in dict.fromkeys(block.heading for block in blocks(document)):
        if (name, heading) in EXEMPT:
            continue
        (begin,) = (begin for begin in BY_HEADING[name] if heading.startswith(begin))
        texts = texts_of(BY_HEADING[name][begin])
        assert any(text and heading.startswith(text) for text in texts if len(text) > len("1. ")), heading


def test_what_is_exempt_is_there() -> None:
    there = {(path.name, block.heading) for path in documents() for block in blocks(path)}
    assert there.issuperset(EXEMPT)


def anchors(document: Path) -> set[str]:
    """What a link may name behind `#`: each heading as GitHub spells it."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "document", [path for path in checkout.files() if path.suffix == ".md"], ids=lambda path: str(path)
)
def test_each_link_of_a_document_leads_somewhere(document: Path) -> None:
    text = (checkout.ROOT / document).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (checkout.ROOT / document).parent / path if path else checkout.ROOT / document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_has_every_document() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)\s#]+)\)", index))
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").glob("*/**/*.md")}
    assert there <= linked


def test_each_file_that_contributing_names_is_there() -> None:
    """Where its cell says: from the checkout, or in a folder that the cell has named before."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing, found = [], 0
    for line in text.splitlines():
        cells = line.split("|")[2:] if line.startswith("| ") else [line]
        for cell in cells:
            folders = [ROOT]
            for name in re.findall(r"`((?:\.?[\w*-]+/)+[\w.*-]*|[\w*-]+\.\w+)", cell):
                pattern = name.replace("COMMAND", "*").rstrip("/")
                there = [path for folder in folders for path in folder.glob(pattern)]
                found += 1
                if not there:
                    missing.append(name)
                folders += [path if path.is_dir() else path.parent for path in there]
    assert set(missing) == set()
    assert found > 50
