# shellcheck shell=sh
# A queue in the cluster itself: the owner of the oldest key below TURN_KEYS has the turn to restart its member. Each key
# hangs on a lease that its owner renews between two steps, with no process beside it, so that it ends with its owner
# however that ends: a killed postinst, a node without power, a cut network. Needs member.sh; TURN_ENDPOINTS are the
# client URLs of the other members, since one's own is away for a while. $view is a directory.
# shellcheck disable=SC2154  # view

TURN_KEYS=/etcd-ha/restart/
TURN_SECONDS=20
TURN_LEASE=

# Leaves what etcdctl complains of in $view/complaint.
turn_ask() {
    timeout 4 "$ETCD_BIN/etcdctl" --endpoints="$TURN_ENDPOINTS" --dial-timeout=2s --command-timeout=3s "$@" \
        </dev/null 2>"$view/complaint"
}

# turn_join NAME: goes to the end of the queue.
turn_join() {
    TURN_LEASE=$(turn_ask lease grant "$TURN_SECONDS" | sed -n 's/^lease \([0-9a-f]*\) granted.*/\1/p')
    TURN_KEY=$TURN_KEYS$TURN_LEASE
    TURN_NAME=$1
    if [ -z "$TURN_LEASE" ] || ! turn_ask put "$TURN_KEY" "$TURN_NAME" --lease="$TURN_LEASE" >/dev/null; then
        TURN_LEASE=
        return 1
    fi
}

# turn_yield: to the end of the queue again.
turn_yield() {
    turn_old_key=$TURN_KEY
    TURN_KEY=$TURN_KEY+
    # A key that stays would have the turn and nobody to use it, so rather all is given up.
    if ! turn_ask put "$TURN_KEY" "$TURN_NAME" --lease="$TURN_LEASE" >/dev/null ||
        ! turn_ask del "$turn_old_key" >/dev/null; then
        turn_leave
    fi
}

# turn_renew: status 1 when the lease has ended, and the place in the queue with it.
turn_renew() {
    [ -n "$TURN_LEASE" ] || return 1
    turn_ask lease keep-alive --once "$TURN_LEASE" | grep -q keepalived && return 0
    # Whether it has ended or nobody answers: without an answer nobody may rely on it.
    if grep -q 'lease not found' "$view/complaint"; then TURN_LEASE=; fi
    return 1
}

# turn_queue: KEY and NAME of each who waits, the owner of the turn first. Status 1: nobody answers.
turn_queue() {
    turn_ask get --prefix "$TURN_KEYS" --sort-by=CREATE --order=ASCEND >"$view/queue" || return 1
    paste -d ' ' - - <"$view/queue"
}

turn_leave() {
    [ -z "$TURN_LEASE" ] || turn_ask lease revoke "$TURN_LEASE" >/dev/null || true
    TURN_LEASE=
}
