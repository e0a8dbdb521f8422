# shellcheck shell=sh
# The service etcd.service: its state in systemd, why it does not start, and what a removal stops.
# Needs: nothing.

# has_systemd: whether this system's own systemd runs, and not only that of a host whose DPKG_ROOT this is.
has_systemd() {
    [ -z "${DPKG_ROOT-}" ] && [ -d /run/systemd/system ]
}

# unit_property NAME: of etcd.service; nothing if systemd does not answer.
unit_property() { systemctl show --property="$1" --value etcd.service 2>/dev/null || true; }

# seconds_since PROPERTY: seconds since a time that systemd records for the service; nothing if it has none.
seconds_since() {
    moment=$(unit_property "$1")
    [ "${moment:-0}" != 0 ] || return 0
    awk -v moment="$moment" '{ printf "%d\n", $1 - moment / 1000000 }' /proc/uptime
}

# restarts_again: the service has exited, and systemd waits to start it again, or has done so less than a minute ago after
# earlier attempts. A process that runs longer is waiting for something; one that was serving just before has only begun to fail.
restarts_again() {
    case $(unit_property ActiveState)/$(unit_property SubState) in
        */auto-restart*) return 0 ;;
        activating/*) ;;
        *) return 1 ;;
    esac
    restarts=$(unit_property NRestarts)
    started_ago=$(seconds_since ExecMainStartTimestampMonotonic)
    served_ago=$(seconds_since ActiveExitTimestampMonotonic)
    [ "${restarts:-0}" -ge 2 ] && [ "${started_ago:-0}" -lt 60 ] && [ "${served_ago:-60}" -gt 30 ]
}

# last_failure: the last reason in the journal, from preflight, from etcd, or from systemd if neither gave one. etcd's last
# message may reach the journal after systemd has reported its end, so pending messages are awaited, and an attempt lasts
# until the next one begins.
last_failure() {
    journalctl --sync >/dev/null 2>&1 || :
    journalctl --unit=etcd.service --boot --lines=200 --output=cat --no-pager --quiet 2>/dev/null | LC_ALL=C awk '
        # A value of a line of JSON.
        function value(name,    text) {
            if (!match($0, "\"" name "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
            text = substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
            gsub(/\\"/, "\"", text)
            return text
        }
        /^etcd-ha: error: / { reason = substr($0, 17) }
        /"level":"(fatal|panic)"/ {
            reason = value("msg")
            if (value("error") != "") reason = reason ": " value("error")
            fatal = 1
            next
        }
        # 3.4 logs lines of text.
        sub(/^[-0-9]+ [:.0-9]+ C \| /, "") { reason = $0 }
        # A panic follows a more detailed line, if there is one.
        /^panic: / && !fatal { reason = substr($0, 8) }
        /^etcd\.service: Failed (to|at) / { reason = $0 }
        sub(/^etcd\.service: Main process exited, /, "") { ended = $0 }
        /^etcd\.service: Scheduled restart job/ || /^Starting etcd\.service/ { close_try() }
        END {
            close_try()
            print last
        }
        function close_try() {
            if (reason != "" || ended != "") last = reason != "" ? reason : ended
            reason = ended = ""
            fatal = 0
        }'
}

# start_state RESTARTING RESTARTS FAILURE: what a service that is activating does, in words.
start_state() {
    if [ "$1" != yes ]; then
        printf 'starting: waiting for the network or a majority of its members'
    elif [ "${2:-0}" -ge 2 ]; then
        printf 'restarting repeatedly (%s times so far): %s (journalctl -u etcd)' "$2" "${3:-no reason in the journal}"
    else
        printf 'failed, starting again: %s (journalctl -u etcd)' "${3:-no reason in the journal}"
    fi
}

# Records what a removal stops, to start it again if the removal fails (policy 6.6: abort-remove) or if it returns the node to a
# unit of the administrator.
STOPPED=/run/etcd-ha.stopped

# stop_all (prerm remove): debhelper omits this together with the start, which postinst does itself.
stop_all() {
    has_systemd || return 0
    for unit in etcd-ha-backup.timer etcd.path etcd.service; do
        case $(systemctl show --property=ActiveState --value "$unit") in
            "" | inactive | failed) ;;
            *) echo "$unit" ;;
        esac
    done >"$STOPPED"
    deb-systemd-invoke stop etcd-ha-backup.timer etcd.path etcd.service || true
}

has_stopped() { grep -qsx "$1" "$STOPPED"; }
