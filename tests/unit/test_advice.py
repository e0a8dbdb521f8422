"""Every command in a message is typed by a test as printed, and so is every section of README.Debian."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.system import readme
from tests.system.advice import commands
from tests.unit.messages import SCRIPTS, texts

TESTS = Path(__file__).parents[1]
# Lines of usage, and what stands before a colon of another kind.
NO_ADVICE = {"etcd-ha COMMAND", "etcd-ha ${package_version"}

# A new message comes here, below the test that types its command: "SCRIPT: COMMAND as it stands in the source".
REGISTER: dict[str, tuple[str, ...]] = {
    "system/test_node_answers.py::test_without_answers_nothing_is_invented_and_one_line_says_how_to_go_on": (
        "etcd-ha.postinst: dpkg-reconfigure etcd-ha",
    ),
    "system/test_advised.py::test_after_the_installation_a_file_by_hand_and_the_command_start_etcd": (
        "etcd-ha.postinst: systemctl start etcd)",
    ),
    "system/test_certificates.py::"
    "test_files_that_etcd_can_never_use_stop_the_service_and_the_advice_mends_it": (
        "certificates.sh: chgrp etcd $blocked; chmod g+r$([ ! -d",
    ),
    "system/test_names.py::test_advertised_url_that_leads_elsewhere_is_named_with_the_command": (
        "host-lint.sh: etcd-ha config set advertise-client-urls ${1%%://*}://$in_url:${1##*:}",
    ),
    "system/test_names.py::test_address_that_the_node_does_not_have_is_named_and_another_can_be_given": (
        "host-lint.sh: dpkg-reconfigure etcd-ha",
    ),
    "system/test_start_over.py::test_reset_asks_and_keeps_a_copy_that_no_etcd_starts_from": (
        "host-lint.sh: etcd-ha reset)",
        "reset: etcd-ha reset",
    ),
    "system/test_membership.py::"
    "test_member_that_lost_its_data_comes_back_to_a_grown_and_to_a_shrunk_cluster": (
        "membership-advice.sh: etcd-ha config set initial-cluster $(quoted",
        "membership-advice.sh: etcd-ha config set initial-cluster-state existing",
        "membership-advice.sh: systemctl start etcd",
    ),
    "system/test_start_over.py::"
    "test_member_of_another_cluster_is_named_on_both_sides_and_joins_after_it_started_over": (
        "status-report.sh: etcd-ha reset",
    ),
    "system/test_start_over.py::"
    "test_reset_is_refused_while_a_working_cluster_knows_the_member_and_says_the_way": (
        "reset: etcd-ha reset --yes",
        "reset: etcd-ha reset --force",
        "reset: etcdctl --endpoints=$url member remove $own_member",
    ),
    "system/test_readme.py::test_start_over": (
        "reset: dpkg-reconfigure etcd-ha",
        "reset: systemctl --no-block start etcd",
    ),
    "system/test_start_failure.py::test_a_data_directory_that_is_not_there_is_told_and_made_by_the_command": (
        "service.sh: etcd-ha status, journalctl -u etcd",
        "preflight: install -d -o etcd -g etcd -m 0700 $directory",
    ),
    "system/test_restart_in_turn.py::test_policy_never_keeps_the_process_and_each_run_of_apt_says_so": (
        "service.sh: etcd-ha restart",
    ),
    "system/test_advised.py::test_what_preflight_says_to_type_heals_the_member": (
        "preflight: chgrp etcd $CONFIG; chmod 0640 $CONFIG",
        "preflight: chown etcd:etcd $directory; chmod 0700 $directory; systemctl start etcd",
    ),
    "system/test_preflight.py::test_configuration_that_etcd_refuses_stops_the_service_until_corrected": (
        "preflight: systemctl start etcd",
    ),
    "system/test_advised.py::test_restart_of_what_does_not_run_says_how_to_start_it": (
        "restart: systemctl start etcd",
    ),
    "system/test_restart_in_turn.py::test_nobody_restarts_while_a_member_is_down": (
        "restart: etcd-ha restart",
    ),
    "system/test_advised.py::test_setting_says_how_it_comes_to_count": ("config: systemctl restart etcd",),
    "system/test_node_answers.py::test_what_etcd_would_refuse_is_not_written": (
        "configure.sh: dpkg-reconfigure etcd-ha",
    ),
}
# Given before there was this register, and not typed as printed by a test so far. It only gets shorter.
NOT_TYPED_YET: set[str] = set()

SECTIONS = {
    "After the installation": "test_unattended_installation_and_after_it",
    "Where things are": "test_unattended_installation_and_after_it",
    "Names and addresses": "test_unattended_installation_and_after_it",
    "Unattended installation": "test_unattended_installation_and_after_it",
    "TLS": "test_tls",
    "Upgrade": "test_unattended_installation_and_after_it",
    "Taking over an existing etcd": "test_taking_over",
    "Start over": "test_start_over",
    "Remove and purge": "test_start_over",
}


def given() -> set[str]:
    """SCRIPT: COMMAND of all messages."""
    return {
        f"{script.name}: {command}"
        for script in SCRIPTS
        for text in texts(script)
        for command in commands(text)
        if not any(command.startswith(other) for other in NO_ADVICE)
        # A usage line.
        and not re.search(r"\[-?-?\w", command)
    }


def test_every_command_in_a_message_is_typed_by_a_test() -> None:
    typed = {entry for entries in REGISTER.values() for entry in entries}
    assert sorted(given() - typed - NOT_TYPED_YET) == []
    assert sorted((typed | NOT_TYPED_YET) - given()) == [], "no message says that any more"


@pytest.mark.parametrize("test", sorted(REGISTER))
def test_the_test_that_types_a_command_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert re.search(rf"^def {name}\(", (TESTS / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_section_of_the_readme_with_commands_is_followed_by_a_test() -> None:
    assert [title for title in readme.SECTIONS if readme.commands(title)] == list(SECTIONS)
    source = (TESTS / "system/test_readme.py").read_text(encoding="utf-8")
    for title, test in SECTIONS.items():
        (body,) = re.findall(rf"^def {test}\(.*?(?=^(?:def|@)|\Z)", source, re.MULTILINE | re.DOTALL)
        assert f'Section("{title}")' in body
