# shellcheck shell=sh
# A queue in the cluster itself: the owner of the oldest key below TURN_KEYS has the slot to restart its member. Each key
# is attached to a lease that its owner renews between two steps, without an extra process, so that it ends with its owner
# however that ends: a killed postinst, a power failure, a network cut. TURN_ENDPOINTS are the
# client URLs of the other members, since this member is down for a while. $view is a directory.
# Needs: client, cluster-view, member, service.
# shellcheck disable=SC2154  # view

TURN_KEYS=/etcd-ha/restart/
TURN_SECONDS=20
TURN_LEASE=

# Leaves etcdctl's error messages in $view/complaint.
turn_ask() {
    timeout 4 "$ETCD_BIN/etcdctl" --endpoints="$TURN_ENDPOINTS" --dial-timeout=2s --command-timeout=3s "$@" \
        </dev/null 2>"$view/complaint"
}

# turn_join NAME: joins the end of the queue.
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
    # A key that remained would hold the slot without an owner, so give up the lease instead.
    if ! turn_ask put "$TURN_KEY" "$TURN_NAME" --lease="$TURN_LEASE" >/dev/null ||
        ! turn_ask del "$turn_old_key" >/dev/null; then
        turn_leave
    fi
}

# turn_renew: status 1 if the lease has ended, and with it the place in the queue; or if it could not be renewed this time.
turn_renew() {
    [ -n "$TURN_LEASE" ] || return 1
    turn_tries=5
    while ! turn_ask lease keep-alive --once "$TURN_LEASE" | grep -q keepalived; do
        # etcdctl has the token of another member, of an entry that the one asked has not applied yet. For a stream, as here, it
        # does not ask for a new one (etcd: client/v3/retry_interceptor.go, auth/simple_token.go).
        turn_tries=$((turn_tries - 1))
        if [ "$turn_tries" -gt 0 ] && grep -q 'invalid auth token' "$view/complaint"; then continue; fi
        # The lease has ended, or no member answers: without an answer it can't be relied on.
        if grep -q 'lease not found' "$view/complaint"; then TURN_LEASE=; fi
        return 1
    done
}

# turn_queue: KEY and NAME of each waiting member, the owner of the slot first. Status 1: no member answers.
turn_queue() {
    turn_ask get --prefix "$TURN_KEYS" --sort-by=CREATE --order=ASCEND >"$view/queue" || return 1
    paste -d ' ' - - <"$view/queue"
}

turn_leave() {
    [ -z "$TURN_LEASE" ] || turn_ask lease revoke "$TURN_LEASE" >/dev/null || true
    TURN_LEASE=
}

# Raft index that this member has applied; what it says of itself in $view/own.
look_at_own() {
    : >"$view/own"
    if endpoint=$(own_endpoint); then
        ask_etcd 2 "$endpoint" endpoint status -w fields >"$view/own" || : >"$view/own"
    fi
    own_id=$(field MemberID "$view/own")
    [ -z "$own_id" ] || own_id=$(printf '%x' "$own_id")
}

is_leader() { [ -n "$own_id" ] && [ "$(field Leader "$view/own")" = "$(field MemberID "$view/own")" ]; }

follows_another() {
    leader=$(field Leader "$view/own")
    [ "${leader:-0}" != 0 ] && [ "$leader" != "$(field MemberID "$view/own")" ]
}

# other_rows: of the other voting members. Without this member's id or name it counts as one of them, and no restart happens.
other_rows() {
    other_than=$(setting name default) || other_than=
    OWN_ID=$own_id OWN_NAME=$other_than awk -F '|' '
        $9 == "true" { next }
        ENVIRON["OWN_ID"] != "" ? $1 != ENVIRON["OWN_ID"] : $2 != ENVIRON["OWN_NAME"]' "$view/rows"
}

# why_others_not_ready INDEX: the first other member that is unhealthy or has not applied INDEX yet; nothing if all are ready.
why_others_not_ready() {
    why_alarmed "$view" | grep . && return 0
    other_rows | GOAL=${1:-0} DENIED=$ASKS_FOR_USER awk -F '|' '
        { name = $2 == "" ? $3 : $2 }
        $4 == "denied" { print ENVIRON["DENIED"]; exit }
        $4 == "unhealthy" && $5 == 0 { print name " has no leader: a majority of the members must run"; exit }
        $4 == "unknown" { print "could not ask " name ": " $11; exit }
        $4 != "healthy" { print name " is " $4; exit }
        $10 + 0 < ENVIRON["GOAL"] + 0 { print name " is behind by " ENVIRON["GOAL"] - $10 " entries"; exit }'
}

# heir: the id of a member that runs the newest version, so that leadership moves once in an upgrade of all. Of these the next
# by name: clients that lose this one try the next of their list, and the next leader silently drops no request.
heir() {
    newest=$(other_rows | cut -d '|' -f 6 | sort -V | tail -n 1)
    other_than=$(setting name default) || other_than=
    other_rows | sort -t '|' -k 2,2 | NEWEST=$newest OWN_NAME=$other_than awk -F '|' '
        $6 != ENVIRON["NEWEST"] { next }
        first == "" { first = $1 }
        next_one == "" && $2 > ENVIRON["OWN_NAME"] { next_one = $1 }
        END { print next_one != "" ? next_one : first }'
}

# hand_over: leadership to another member.
hand_over() {
    heir=$(heir)
    [ -n "$heir" ] || return 1
    endpoint=$(own_endpoint) || return 1
    ask_etcd 5 "$endpoint" move-leader "$heir" >/dev/null || true
    hand_over_tries=25
    until look_at_own && follows_another; do
        hand_over_tries=$((hand_over_tries - 1))
        [ "$hand_over_tries" -gt 0 ] || return 1
        sleep 0.2
    done
}

# is_alone: the member itself reports that there is no other.
is_alone() {
    [ -n "$own_id" ] && [ "$(cut -d '|' -f 1 "$view/members")" = "$own_id" ]
}

# has_failed: systemd has given up, or the service has exited repeatedly since reset-failed.
has_failed() {
    [ "$(unit_property ActiveState)" = failed ] || [ "$(unit_property NRestarts)" -ge 3 ]
}

# serves_again ID INDEX: this member answers, has a leader, and has applied INDEX. An alarm, which outlasts a restart, and a
# learner, which serves only members, are not faults of the restart.
serves_again() {
    endpoint=$(own_endpoint) || return 1
    ask_etcd 1 "$endpoint" endpoint health -w json >"$view/health" ||
        grep -q 'Active Alarm\|not supported for learner' "$view/health" || return 1
    look_at_own
    follows_another || is_leader || return 1
    [ "$own_id" = "$1" ] && [ "$(field RaftAppliedIndex "$view/own")" -ge "$2" ] 2>/dev/null
}
