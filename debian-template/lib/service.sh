# shellcheck shell=sh
# For postinst: the service etcd.service, within what the administrator and policy-rc.d allow. Needs systemd.sh and configure.sh.

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
            failed/* | */auto-restart*)
                say "warning: etcd doesn't start; see: systemctl status etcd, journalctl -u etcd"
                return 0
                ;;
        esac
        sleep 0.2
        tries=$((tries - 1))
    done
    say "etcd is not up yet, since it waits for the network or a majority of its cluster; see: etcd-ha status"
}

# why_restart OLD_VERSION: what the running process lacks; nothing if it is up to date.
why_restart() {
    process=$(unit_property MainPID)
    [ "${process:-0}" != 0 ] || return 0
    if [ "$RESULT" = changed ]; then
        echo "etcd runs with its previous configuration"
        return 0
    fi
    # A unit of the admin may run an etcd of his own.
    case $(readlink "/proc/$process/exe") in
        /usr/lib/etcd-ha/bin/etcd*) ;;
        *) [ -z "$1" ] || return 0 ;;
    esac
    if ! cmp -s "/proc/$process/exe" /usr/lib/etcd-ha/bin/etcd; then
        echo "etcd runs with its previous binary"
    fi
}

# restart_not_done OLD_VERSION: why, for who reads of it later.
restart_not_done() {
    if [ -n "$1" ]; then echo "restart-policy is never"; else echo "it ran before the package came"; fi
}

# restart_when_due OLD_VERSION: by restart-policy; a failure is no failure of the installation. A process that ran before the
# package came (no old version) is not touched.
restart_when_due() {
    due=$(why_restart "$1")
    [ -n "$due" ] || return 0
    db_get etcd-ha/restart-policy || RET=in-turn
    [ -n "$1" ] || RET=never
    case $RET in
        at-once) systemctl --no-block restart etcd.service || true ;;
        never)
            pending_note "$due" "$(restart_not_done "$1")"
            say "$due. To restart it when it is its turn: etcd-ha restart"
            ;;
        # Without debconf's own descriptors: whoever is killed, the other must not wait for it.
        *) "${LIB%/lib}/restart" --because "$due" >&2 3>&- || true ;;
    esac
}
