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

# A new message goes below the test that types its command: "SCRIPT: COMMAND", as it stands in the source.
REGISTER: dict[str, tuple[str, ...]] = {
    "system/test_migrate.py::test_migrated_member_survives_the_purge_of_debians_packages": (
        "takeover.sh: etcd-ha migrate",
        "migrate: dpkg --purge etcd-server",
    ),
    "system/test_upgrade_guard.py::test_steps_from_a_3_5_that_is_too_old": ("guard.sh: touch $permit",),
    "system/test_node_answers.py::test_without_answers_nothing_is_invented_and_one_line_says_how_to_go_on": (
        "status-report.sh: dpkg-reconfigure etcd-ha",
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
        "preflight: chown etcd:etcd $1; chmod 0700 $1; systemctl start etcd",
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
# Not typed as printed by a test so far, or not known here to be. It only gets shorter.
NOT_TYPED_YET: set[str] = {
    "alarms.sh: etcd-ha config set quota-backend-bytes BYTES,",
    "alarms.sh: etcd-ha restart --force",
    "alarms.sh: etcdctl alarm disarm",
    'alarms.sh: etcdctl compact "$(etcdctl endpoint status -w fields | sed -n \'s/^"Revision" : //p\')"',
    "alarms.sh: etcdctl defrag --cluster",
    "alarms.sh: etcdctl endpoint hashkv --cluster",
    "alternatives.sh: dpkg-reconfigure etcd-ha",
    "certificates.sh: chgrp etcd $blocked; chmod g+r$([ ! -d",
    "data-move.sh: etcd-ha migrate --to DIR",
    "etcd-ha: etcd-ha help",
    "guard.sh: etcdctl downgrade validate $older && etcdctl downgrade enable $older; when "
    "all members show that storage version, again",
    "member-service.sh: etcd-ha status",
    "member-service.sh: etcd-ha status; journalctl -u etcd",
    "member-service.sh: systemctl enable --now etcd",
    "membership-advice.sh: dpkg-reconfigure etcd-ha; systemctl start etcd",
    "membership.sh: systemctl start etcd",
    "migrate: etcd-ha migrate",
    "migration-plan.sh: etcd-ha migrate",
    "migration-plan.sh: systemctl daemon-reload; etcd-ha migrate",
    "preflight: etcdctl downgrade, while the newer one runs",
    "preflight: systemctl cat etcd",
    "preflight: systemctl daemon-reload; systemctl start etcd",
    "restart: systemctl status etcd; journalctl -u etcd",
    "running-etcd.sh: install -o root -g etcd -m 0640 $draft $FILE",
    "running-etcd.sh: systemctl daemon-reload",
    "running-etcd.sh: systemctl disable --now $running_unit",
    "running-etcd.sh: systemctl enable etcd",
    "running-etcd.sh: systemctl start etcd",
    "running-etcd.sh: systemctl stop etcd",
    "service.sh: etcd-ha status",
    "service.sh: systemctl status etcd, journalctl -u etcd",
    "snapshot.sh: etcdctl snapshot save shows more; with authentication on, $CREDENTIALS holds USER:PASSWORD",
    "stopped.sh: systemctl start $unit",
    "takeover.sh: etcd-ha config lint",
    "upgrade-rules.sh: install etcd-ha $between.* on every node, one restart after the other, then $2",
    "upgrade-rules.sh: install etcd-ha 3.5.*",
    "upgrade-rules.sh: install etcd-ha 3.6.*",
}

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
