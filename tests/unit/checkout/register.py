"""Which test types each command of a message."""

from __future__ import annotations

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
        "running-etcd.sh: install -o root -g etcd -m 0640 $draft $FILE",
        "running-etcd.sh: systemctl stop etcd",
        "running-etcd.sh: mv $ADMIN_UNIT /root/",
    ),
    "system/test_running_process.py::"
    "test_last_message_brings_another_unit_and_a_process_of_a_shell_under_the_package": (
        "running-etcd.sh: systemctl disable --now $running_unit",
        "running-etcd.sh: kill $running; while [ -e /proc/$running ]; do sleep 1; done",
        "running-etcd.sh: systemctl daemon-reload",
        "running-etcd.sh: systemctl enable etcd",
        "running-etcd.sh: systemctl start etcd",
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
    "system/test_upgrade_guard.py::test_the_admins_word_counts_for_one_upgrade_to_one_version": (
        "etcd-ha.preinst: touch $permit",
    ),
    "system/test_upgrade_guard.py::test_requests_of_3_5_are_found_before_3_7_panics_and_advice_leads_on": (
        "upgrade.sh: etcd-ha config set snapshot-count 10 && etcd-ha restart && etcd-ha config $after",
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
    "system/test_certificates.py::"
    "test_answers_of_tls_change_a_member_that_exists_all_together_or_not_at_all": (
        "setup.sh: etcd-ha config set $tls_settings",
        "setup.sh: etcd-ha tls enable",
        "setup.sh: etcd-ha tls disable",
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
    "system/test_first_restore.py::test_a_new_cluster_begins_with_the_data_of_a_backup_by_an_answer": (
        "etcd-ha.postinst: dpkg-reconfigure -plow etcd-ha",
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
    "package/node/config/test_client_urls.py::"
    "test_a_gateway_that_is_off_is_named_and_turned_on_by_the_command": (
        "lint.awk: etcd-ha config set enable-grpc-gateway true",
    ),
    "package/node/config/test_client_urls.py::"
    "test_http_on_a_port_of_its_own_is_named_and_ended_by_the_command": (
        'lint.awk: etcd-ha config set listen-client-http-urls ""',
    ),
    "package/node/config/test_client_urls.py::"
    "test_a_loopback_url_that_a_cluster_is_given_is_named_and_replaced_by_the_command": (
        "lint.awk: etcd-ha config set advertise-client-urls",
    ),
    "package/node/keeper/test_in_turn.py::"
    "test_without_the_slot_in_time_the_command_does_not_run_and_the_reason_is_said": (
        "in-turn: etcd-ha in-turn$again",
    ),
    "package/node/keeper/test_tls_stages.py::test_status_shows_the_stage_of_each_member_and_where_to_go_on": (
        "tls-change.sh: etcd-ha tls",
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
