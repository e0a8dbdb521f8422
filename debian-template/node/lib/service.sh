# shellcheck shell=sh
# For postinst: the service etcd.service, within what the administrator and policy-rc.d allow. Needs systemd.sh, start-failure.sh,
# member.sh, restart-due.sh and configure.sh.

is_allowed() {
    [ -x /usr/sbin/policy-rc.d ] || return 0
    status=0
    /usr/sbin/policy-rc.d etcd start || status=$?
    [ "$status" != 101 ] || say "policy-rc.d doesn't allow to start etcd"
    [ "$status" != 101 ]
}

# start_service STATE: without waiting for a quorum, as deb-systemd-invoke would. A disabled or masked service stays stopped.
start_service() {
    if [ "$(unit_property ActiveState)" = "$1" ] && systemctl --quiet is-enabled etcd.service && is_allowed; then
        systemctl --no-block start etcd.service || true
        report_start
    fi
}

# A few seconds show whether etcd refuses its configuration; a quorum may take as long as it likes.
report_start() {
    tries=15
    while [ "$tries" -gt 0 ]; do
        case $(unit_property ActiveState)/$(unit_property SubState) in
            active/*) return 0 ;;
            failed/*)
                say "warning: etcd doesn't start: $(last_failure); see: systemctl status etcd; journalctl -u etcd"
                return 0
                ;;
            # Of which report_restarts tells.
            */auto-restart*) return 0 ;;
        esac
        sleep 0.2
        tries=$((tries - 1))
    done
    say "etcd is not up yet, since it waits for the network or a majority of its cluster; see: etcd-ha status"
}

# report_restarts: a service that systemd starts again and again is neither failed nor up.
report_restarts() {
    if restarts_again; then
        say "warning: etcd doesn't start, and systemd tries it again and again ($(unit_property NRestarts) times so far):" \
            "$(last_failure); see: etcd-ha status; journalctl -u etcd"
    fi
}

# due_here PID: of the reasons for a restart those that come from this run: the binary, and the file if it was written now.
due_here() {
    why_program "$1"
    if [ "$RESULT" = changed ]; then why_file "$1"; fi
}

# restart_when_due OLD_VERSION: by restart-policy; a failure is no failure of the installation. A process that ran before the
# package came (no old version), or runs a program of somebody else, is not touched.
restart_when_due() {
    process=$(unit_property MainPID)
    [ "${process:-0}" != 0 ] || return 0
    due=$(due_here "$process" | paste -sd ';' | sed 's/;/; /g')
    [ -n "$due" ] || return 0
    db_get etcd-ha/restart-policy || RET=in-turn
    not_done="restart-policy is never"
    case $1:$(readlink "/proc/$process/exe") in
        :*) RET=never not_done="it ran before the package came" ;;
        *:/usr/lib/etcd-ha/bin/etcd*) ;;
        *) RET=never not_done="its program is not of the package" ;;
    esac
    case $RET in
        at-once) systemctl --no-block restart etcd.service || true ;;
        never)
            pending_note "$due" "$not_done"
            say "$due. To restart it when it is its turn: etcd-ha restart"
            ;;
        # Without debconf's own descriptors: whoever is killed, the other must not wait for it.
        *) "${LIB%/lib}/restart" --because "$due" >&2 3>&- || true ;;
    esac
}
