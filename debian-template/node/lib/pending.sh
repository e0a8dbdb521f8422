# shellcheck shell=sh
# The need of a restart that could not be had, kept until the process that needed it has ended. Needs systemd.sh and
# restart-due.sh.

PENDING=/run/etcd-ha.restart-pending

# pending_note REASON WHY_NOT
pending_note() {
    printf '%s\n%s\n%s\n' "$(unit_property MainPID)" "$1" "$2" >"$PENDING.new"
    mv "$PENDING.new" "$PENDING"
}

# Status 1 when no restart is due any more.
is_pending() { [ -e "$PENDING" ] && [ "$(sed -n 1p "$PENDING")" = "$(unit_property MainPID)" ]; }

# pending_why_not: why it wasn't restarted so far.
pending_why_not() { sed -n 3p "$PENDING"; }

pending_tell() { printf 'etcd-ha: %s: etcd-ha restart (so far: %s)\n' "$(sed -n 2p "$PENDING")" "$(pending_why_not)"; }

# pending_or_due_tell: a restart that could not be had so far, or what etcd reads at its start only and has not read yet.
pending_or_due_tell() {
    if is_pending; then
        pending_tell
        return 0
    fi
    due_pid=$(unit_property MainPID)
    [ "${due_pid:-0}" != 0 ] || return 1
    due=$(why_restart "$due_pid")
    [ -n "$due" ] || return 1
    printf 'etcd-ha: %s: etcd-ha restart\n' "$(printf '%s\n' "$due" | paste -sd ';' - | sed 's/;/; /g')"
}

pending_clear() { rm -f "$PENDING"; }
