"""Every command in a message is typed by a test as printed, and so is every section of README.Debian."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.system import readme
from tests.system.advice import commands
from tests.unit.checkout.messages import SCRIPTS, texts

TESTS = Path(__file__).parents[2]
# Lines of usage, and what stands before a colon of another kind.
NO_ADVICE = {"etcd-ha COMMAND", "etcd-ha ${package_version"}

# "SCRIPT: COMMAND", as it stands in the source, below the test that types it by follow().
REGISTER: dict[str, tuple[str, ...]] = {
    "system/test_migrate.py::test_migrated_member_survives_the_purge_of_debians_packages": (
        "takeover.sh: etcd-ha migrate",
        "migrate: dpkg --purge etcd-server",
    ),
    "system/test_migrate.py::test_member_of_ours_in_the_way_of_debians_purge_is_warned_of_and_moved": (
        "takeover.sh: etcd-ha config lint",
    ),
    "system/test_migrate_advised.py::"
    "test_etcd_that_runs_on_the_data_is_ended_by_the_command_and_the_migration_goes_on": (
        "data-move.sh: systemctl stop $user_unit",
        "data-move.sh: kill $user; while [ -e /proc/$user ]; do sleep 1; done",
        "migrate: etcd-ha migrate",
    ),
    "system/test_migrate_advised.py::test_what_keeps_a_migration_from_beginning_is_said_with_the_command": (
        "migrate: systemctl daemon-reload; etcd-ha migrate",
        "migrate: cp $file $CONFIG; etcd-ha migrate",
        "migrate: etcd-ha migrate",
        "migrate: etcd-ha migrate --to DIR",
    ),
    "system/test_migrate_advised.py::test_what_the_end_of_a_migration_says_about_the_service_is_typed": (
        "migrate: systemctl enable --now etcd",
        "migrate: etcd-ha status",
        "migrate: etcd-ha status; journalctl -u etcd",
    ),
    "system/test_takeover.py::"
    "test_unit_of_the_package_serves_the_article_data_once_the_admin_moves_his_away": (
        "takeover.sh: mv $ADMIN_UNIT /root/ && systemctl daemon-reload && systemctl restart etcd",
    ),
    "system/test_running_process.py::"
    "test_last_message_says_what_runs_and_its_commands_bring_it_under_the_package": (
        "etcd-ha.postinst: install -o root -g etcd -m 0640 $draft $FILE",
        "etcd-ha.postinst: systemctl stop etcd",
        "etcd-ha.postinst: mv $ADMIN_UNIT /root/",
    ),
    "system/test_running_process.py::"
    "test_last_message_brings_another_unit_and_a_process_of_a_shell_under_the_package": (
        "etcd-ha.postinst: systemctl disable --now $running_unit",
        "etcd-ha.postinst: kill $running; while [ -e /proc/$running ]; do sleep 1; done",
        "etcd-ha.postinst: systemctl daemon-reload",
        "etcd-ha.postinst: systemctl enable etcd",
        "etcd-ha.postinst: systemctl start etcd",
    ),
    "system/test_alternatives.py::"
    "test_command_that_is_a_file_stays_and_the_advice_leads_to_the_packages_program": (
        "alternatives.sh: mv $link /root/ && update-alternatives --auto $joined",
    ),
    "system/test_alternatives.py::test_corrupt_group_fails_no_installation_and_the_advice_mends_it": (
        "alternatives.sh: dpkg-reconfigure etcd-ha",
        "alternatives.sh: "
        "mv ${DPKG_ADMINDIR:-/var/lib/dpkg}/alternatives/$joined /root/; dpkg-reconfigure etcd-ha",
    ),
    "system/test_upgrade_guard.py::test_steps_from_a_3_5_that_is_too_old": (
        "etcd-ha.preinst: touch $permit",
    ),
    "system/test_upgrade_advised.py::test_each_refusal_has_the_command_that_leads_on": (
        "upgrade.sh: apt install 'etcd-ha=$between.*'",
        "upgrade.sh: apt install 'etcd-ha=3.5.*'",
        "upgrade.sh: apt install 'etcd-ha=3.6.*'",
        "etcd-ha.preinst: etcdctl --endpoints=$endpoint snapshot save $snapshot",
        "upgrade.sh: etcd-ha downgrade $older",
        "upgrade.sh: etcdctl downgrade validate $older && etcdctl downgrade enable $older",
    ),
    "system/test_node_answers.py::test_without_answers_nothing_is_invented_and_one_line_says_how_to_go_on": (
        "status: dpkg-reconfigure etcd-ha",
        "etcd-ha.postinst: dpkg-reconfigure etcd-ha",
    ),
    "system/test_node_answers.py::test_what_etcd_would_refuse_is_not_written": (
        "etcd-ha.postinst: dpkg-reconfigure etcd-ha",
    ),
    "system/test_advised.py::test_after_the_installation_a_file_by_hand_and_the_command_start_etcd": (
        "etcd-ha.postinst: systemctl start etcd",
    ),
    "system/test_advised.py::test_what_preflight_says_to_type_heals_the_member": (
        "preflight: chgrp etcd $CONFIG; chmod 0640 $CONFIG",
        "preflight: chown etcd:etcd $1; chmod 0700 $1; systemctl start etcd",
    ),
    "system/test_advised.py::test_restart_of_what_does_not_run_says_how_to_start_it": (
        "slot.sh: systemctl start etcd",
    ),
    "system/test_advised.py::test_setting_says_how_it_comes_to_count": ("config: systemctl restart etcd",),
    "system/test_advised.py::test_unknown_command_leads_to_the_help": ("etcd-ha: etcd-ha help",),
    "system/test_advised.py::test_member_that_its_own_list_does_not_name_starts_after_the_correction": (
        "preflight: systemctl start etcd",
    ),
    "system/test_advised.py::test_start_that_fails_is_looked_at_by_the_commands": (
        "etcd-ha.postinst: systemctl status etcd; journalctl -u etcd",
        "restart: systemctl status etcd; journalctl -u etcd",
    ),
    "system/test_advised.py::"
    "test_unit_that_a_failed_removal_could_not_start_again_is_started_by_the_command": (
        "etcd-ha.postinst: systemctl start $unit",
    ),
    "system/test_certificates.py::"
    "test_files_that_etcd_can_never_use_stop_the_service_and_the_advice_mends_it": (
        "certificates.sh: openssl pkey -in $2 -out $2.plain && cat $2.plain >$2 && rm $2.plain",
        "certificates.sh: openssl $5 -inform DER -in $2 -out $2.pem && cat $2.pem >$2 && rm $2.pem",
        "certificates.sh: chgrp etcd $blocked; chmod g+r$([ ! -d",
    ),
    "system/test_names.py::test_advertised_url_that_leads_elsewhere_is_named_with_the_command": (
        "config: etcd-ha config set advertise-client-urls ${1%%://*}://$in_url:${1##*:}",
        "config: etcd-ha reset",
    ),
    "system/test_names.py::test_address_that_the_node_does_not_have_is_named_and_another_can_be_given": (
        "config: dpkg-reconfigure etcd-ha",
    ),
    "system/test_start_over.py::"
    "test_member_of_another_cluster_is_named_on_both_sides_and_joins_after_it_started_over": (
        "status: etcd-ha reset",
    ),
    "system/test_start_over.py::"
    "test_reset_is_refused_while_a_working_cluster_knows_the_member_and_says_the_way": (
        "reset: etcd-ha reset --yes",
        "reset: etcd-ha reset --force",
        "reset: etcdctl --endpoints=$url member remove $own_member",
    ),
    "system/test_start_over.py::test_etcd_of_another_unit_is_ended_by_the_command_and_the_node_starts_over": (
        "reset: etcd-ha reset",
        "reset: dpkg-reconfigure etcd-ha",
        "reset: systemctl --no-block start etcd",
    ),
    "system/test_membership.py::"
    "test_member_that_lost_its_data_comes_back_to_a_grown_and_to_a_shrunk_cluster": (
        "preflight: etcd-ha config set initial-cluster $(quoted",
        "preflight: etcd-ha config set initial-cluster-state existing",
        "preflight: systemctl start etcd",
    ),
    "system/test_membership.py::test_node_with_the_name_of_another_member_gets_its_own_and_joins": (
        "preflight: dpkg-reconfigure etcd-ha; systemctl start etcd",
    ),
    "system/test_start_failure.py::test_a_data_directory_that_is_not_there_is_told_and_made_by_the_command": (
        "etcd-ha.postinst: etcd-ha status; journalctl -u etcd",
        "preflight: install -d -o etcd -g etcd -m 0700 $directory",
    ),
    "system/test_start_failure.py::test_a_member_that_waits_for_others_is_not_said_to_fail": (
        "etcd-ha.postinst: etcd-ha status",
    ),
    "system/test_restart_in_turn.py::test_policy_never_keeps_the_process_and_each_run_of_apt_says_so": (
        "etcd-ha.postinst: etcd-ha restart",
    ),
    "system/test_restart_in_turn.py::test_nobody_restarts_while_a_member_is_down": (
        "restart: etcd-ha restart",
    ),
    "system/test_preflight.py::test_configuration_that_etcd_refuses_stops_the_service_until_corrected": (
        "preflight: systemctl start etcd",
    ),
    "system/test_preflight.py::test_data_of_a_newer_minor_stops_the_service": (
        "preflight: etcd-ha downgrade $older",
    ),
    "system/test_preflight.py::"
    "test_sandbox_that_keeps_the_directory_read_only_is_named_and_the_advice_mends_it": (
        "preflight: systemctl cat etcd",
        "preflight: systemctl daemon-reload; systemctl start etcd",
    ),
    "system/test_preflight.py::test_file_system_that_is_read_only_or_full_is_named_and_heals_by_itself": (
        "preflight: mount -o remount,rw $(findmnt -n -o TARGET -T",
        "preflight: df -h $1; df -i $1",
    ),
    "package/node/keeper/test_in_turn.py::"
    "test_without_the_slot_in_time_the_command_does_not_run_and_the_reason_is_said": (
        "in-turn: etcd-ha in-turn$again",
    ),
    "system/test_downgrade.py::test_two_minor_versions_back": ("downgrade.sh: etcd-ha downgrade --cancel",),
    "package/node/test_turn_conditions.py::"
    "test_alarm_is_named_keeps_no_restart_from_counting_and_its_commands_clear_it": (
        "cluster-view.sh: export ETCDCTL_ENDPOINTS=$2",
        "cluster-view.sh: "
        'etcdctl compact "$(etcdctl endpoint status -w fields | sed -n \'s/^"Revision" : //p\')"',
        "cluster-view.sh: etcdctl defrag --cluster",
        "cluster-view.sh: etcdctl endpoint hashkv --cluster",
        "cluster-view.sh: etcdctl alarm disarm",
    ),
    "system/test_status.py::test_status_shows_alarms_warnings_and_a_pending_restart": (
        "cluster-view.sh: etcd-ha config set quota-backend-bytes 8589934592 && etcd-ha restart --force",
    ),
    "system/test_advised.py::test_alarm_of_a_cluster_with_tls_is_cleared_by_the_commands": (
        "cluster-view.sh: export $variable='$variable_value'",
    ),
}

SECTIONS = {
    "After the installation": "test_unattended_installation_and_after_it",
    "Where things are": "test_unattended_installation_and_after_it",
    "Names and addresses": "test_unattended_installation_and_after_it",
    "Unattended installation": "test_unattended_installation_and_after_it",
    "TLS": "test_tls",
    "Upgrade": "test_unattended_installation_and_after_it",
    "Backup and restore": "test_unattended_installation_and_after_it",
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
    typed = [entry for entries in REGISTER.values() for entry in entries]
    assert sorted(given() - set(typed)) == []
    assert sorted(set(typed) - given()) == [], "no message says that any more"


def functions(module: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions of a file of tests, by name."""
    return {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}


def followed(module: ast.Module, test: str) -> list[str]:
    """The parts of commands that a test types by follow(), itself or in a function of its file."""
    known = functions(module)
    reached, waiting = set[str](), [test]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            used = (node.id for node in ast.walk(known[name]) if isinstance(node, ast.Name))
            waiting += [name for name in used if name in known]
    return [
        argument.value
        for name in reached
        for node in ast.walk(known[name])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "follow"
        for argument in node.args[2:]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def is_part(part: str, command: str) -> bool:
    """Whether a command of the source has the part, or begins so where a variable goes on."""
    begin = command.partition("$")[0]
    return part in command or (begin.endswith((" ", "=")) and part.startswith(begin))


def untyped(entries: Sequence[str], parts: Sequence[str]) -> list[str]:
    """The entries that no part is left for: the longest part finds its entry first, and serves one."""
    left = list(entries)
    for part in sorted(parts, key=len, reverse=True):
        matching = [entry for entry in left if is_part(part, entry.partition(": ")[2])]
        if matching:
            left.remove(min(matching, key=len))
    return left


@pytest.mark.parametrize("test", sorted(REGISTER))
def test_a_test_takes_each_of_its_commands_out_of_the_message_and_types_it(test: str) -> None:
    path, _, name = test.partition("::")
    module = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    assert name in functions(module)
    assert untyped(REGISTER[test], followed(module, name)) == []


def test_a_test_that_types_nothing_or_something_else_is_found() -> None:
    module = ast.parse(
        "def typed():\n    helper()\ndef helper():\n    follow(said, node, 'systemctl start etcd')\n"
        "def looked_at():\n    command(said, 'systemctl start etcd')\n"
    )
    entry = "preflight: systemctl start etcd"
    assert untyped([entry], followed(module, "typed")) == []
    assert untyped([entry], followed(module, "looked_at")) == [entry]
    assert untyped([entry, "restart: systemctl start etcd"], followed(module, "typed")) != []
    assert untyped(["preflight: systemctl stop etcd"], followed(module, "typed")) != []


def test_every_section_of_the_readme_with_commands_is_followed_by_a_test() -> None:
    assert [title for title in readme.SECTIONS if readme.commands(title)] == list(SECTIONS)
    source = (TESTS / "system/test_readme.py").read_text(encoding="utf-8")
    for title, test in SECTIONS.items():
        (body,) = re.findall(rf"^def {test}\(.*?(?=^(?:def|@)|\Z)", source, re.MULTILINE | re.DOTALL)
        assert f'Section("{title}")' in body
