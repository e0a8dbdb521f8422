# shellcheck shell=sh
# The service etcd.service: what systemd says of it, why it does not start, and what a removal stops.
# Needs: nothing.

# has_systemd: whether this system's own systemd runs, and not only that of a host whose DPKG_ROOT this is.
has_systemd() {
    [ -z "${DPKG_ROOT-}" ] && [ -d /run/systemd/system ]
}

# unit_property NAME: of etcd.service; nothing where systemd does not answer.
unit_property() { systemctl show --property="$1" --value etcd.service 2>/dev/null || true; }

# seconds_since PROPERTY: of a time that systemd has for the service; nothing where there was no such moment.
seconds_since() {
    moment=$(unit_property "$1")
    [ "${moment:-0}" != 0 ] || return 0
    awk -v moment="$moment" '{ printf "%d\n", $1 - moment / 1000000 }' /proc/uptime
}

# restarts_again: the service has ended by itself, and systemd waits to start it once more, or has done so less than a minute
# ago after other tries. A process that lives longer waits for something, and one that has served just before is new to it.
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

# last_failure: the last reason in the journal, of preflight, of etcd, or of systemd where neither has come to speak. What etcd
# said at its end may reach the journal after systemd has said that it ended: so all that is under way is awaited, and a try
# lasts until the next one begins.
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
        # A panic follows the line that says more, where there is one.
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
        printf 'starting: waits for the network or a majority of its members'
    elif [ "${2:-0}" -ge 2 ]; then
        printf 'restarts again and again (%s times so far): %s (journalctl -u etcd)' "$2" "${3:-the journal has no reason}"
    else
        printf 'failed, and is started again: %s (journalctl -u etcd)' "${3:-the journal has no reason}"
    fi
}

# What a removal stops is noted, and runs again where the removal doesn't come about (policy 6.6: abort-remove) or gives the
# node back to a unit of the administrator.
STOPPED=/run/etcd-ha.stopped

# stop_all (prerm remove): debhelper leaves this out together with the start that postinst does itself.
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
