# shellcheck shell=sh
# For postinst: a member that runs without our etcd.yaml, and the way to bring it under the package. Needs notice.sh,
# systemd.sh, yaml.sh, member.sh, process.sh, process-settings.sh, environment-to-yaml.sh and takeover.sh.
# shellcheck disable=SC2154  # FILE, ADMIN_UNIT

DRAFTS=/var/backups/etcd-ha
KEYS=/usr/share/etcd-ha/config-keys

# tell_of_running_etcd: status 1 where none runs.
tell_of_running_etcd() {
    running_processes=$(etcd_processes)
    [ -n "$running_processes" ] || return 1
    for running in $running_processes; do
        running_unit=$(process_unit "$running") || running_unit=
        running_data=$(process_database "$running")
        running_data=${running_data%/member/snap/db}
        cat >&2 <<END
etcd-ha: etcd $(version_of_process "$running") runs without $FILE: process $running, $(process_program "$running")${running_unit:+ by $running_unit}, data in $running_data.
  It goes on as it is, by $(process_config "$running" || echo "its flags and ETCD_ variables"); this package neither restarts nor updates it.
  To run it by etcd.service of the package:
$(commands_to_take_over | sed 's/^/    /')
END
    done
}

commands_to_take_over() {
    draft=$DRAFTS/etcd.yaml.of-process-$running
    if ! write_draft >"$draft"; then
        rm -f "$draft"
        echo "write its settings to $FILE (owner root, group etcd, mode 0640), stop it, then: systemctl start etcd"
        return 0
    fi
    echo "install -o root -g etcd -m 0640 $draft $FILE"
    if [ "$running_unit" = etcd.service ] && takeover_has_admin_unit; then
        echo "systemctl stop etcd"
        echo "mv $ADMIN_UNIT /root/"
    elif [ -n "$running_unit" ]; then
        echo "systemctl disable --now $running_unit"
    else
        echo "kill $running; while [ -e /proc/$running ]; do sleep 1; done"
    fi
    running_log=$(process_file "$running" '*.wal') || running_log=$running_data/x
    printf '%s\n' "$running_data" "${running_log%/*}" | grep -v "^$running_data/." | sed "s/.*/chown -R etcd:etcd '&'/"
    echo "systemctl daemon-reload"
    echo "systemctl enable etcd"
    echo "systemctl start etcd"
}

# write_draft: the configuration file that says what the process was told.
write_draft() {
    if draft_config=$(process_config "$running"); then
        cat "$draft_config" || return 1
        [ "$(yaml_get "$draft_config" data-dir 2>/dev/null)" = "$running_data" ]
        return
    fi
    echo "# made by the package etcd-ha from the flags and variables of process $running"
    process_options "$running" | options_with_defaults "$running_data" | options_to_yaml "$KEYS"
}
