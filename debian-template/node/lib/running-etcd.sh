# shellcheck shell=sh
# How an etcd that runs without etcd.yaml comes under the package. FILE is etcd.yaml, KEYS what this version reads in it; running
# is the process, running_unit its unit or nothing, running_data its data directory.
# Needs: environment-to-yaml, process, process-settings, takeover, yaml.
# shellcheck disable=SC2154  # the caller's

# commands_to_take_over: what to type, a command a line; leaves a draft of etcd.yaml in BACKUPS.
commands_to_take_over() {
    draft=$BACKUPS/etcd.yaml.of-process-$running
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
    printf '%s\n' "systemctl daemon-reload" "systemctl enable etcd" "systemctl start etcd"
}

# write_draft: a configuration file with the settings of the process.
write_draft() {
    if draft_config=$(process_config "$running"); then
        cat "$draft_config" || return 1
        [ "$(yaml_get "$draft_config" data-dir)" = "$running_data" ]
        return
    fi
    echo "# made by the package etcd-ha from the flags and variables of process $running"
    process_options "$running" | options_with_defaults "$running_data" | options_to_yaml "$KEYS"
}
