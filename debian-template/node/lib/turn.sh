# shellcheck shell=sh
# A queue in the cluster itself: the owner of the oldest key below TURN_KEYS has the turn to restart its member. Each key
# hangs on a lease that its owner renews between two steps, with no process beside it, so that it ends with its owner
# however that ends: a killed postinst, a node without power, a cut network. TURN_ENDPOINTS are the
# client URLs of the other members, since one's own is away for a while. $view is a directory.
# Needs: client, cluster-view, member, service.
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

# other_rows: of the members that vote, without this one. Without its id or its name it is one of them, and nothing goes on.
other_rows() {
    other_than=$(setting name default) || other_than=
    OWN_ID=$own_id OWN_NAME=$other_than awk -F '|' '
        $9 == "true" { next }
        ENVIRON["OWN_ID"] != "" ? $1 != ENVIRON["OWN_ID"] : $2 != ENVIRON["OWN_NAME"]' "$view/rows"
}

# why_others_not_ready INDEX: the first of the others that is ill or has not applied that much yet; nothing if all are well.
why_others_not_ready() {
    why_alarmed "$view" | grep . && return 0
    other_rows | GOAL=${1:-0} DENIED=$ASKS_FOR_USER awk -F '|' '
        { name = $2 == "" ? $3 : $2 }
        $4 == "denied" { print ENVIRON["DENIED"]; exit }
        $4 == "unhealthy" && $5 == 0 { print name " knows no leader: a majority of the members has to run"; exit }
        $4 == "unknown" { print "could not ask " name ": " $11; exit }
        $4 != "healthy" { print name " is " $4; exit }
        $10 + 0 < ENVIRON["GOAL"] + 0 { print name " is behind by " ENVIRON["GOAL"] - $10 " entries"; exit }'
}

# heir: the id of one that runs the newest version, so that leadership moves once in an upgrade of all. Of these the next by
# name: clients that lose this one try the next of their list, and one that is to lead drops no request in silence.
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

# is_alone: the member itself has said that there is no other.
is_alone() {
    [ -n "$own_id" ] && [ "$(cut -d '|' -f 1 "$view/members")" = "$own_id" ]
}

# has_failed: systemd has given it up, or it ends again and again since reset-failed.
has_failed() {
    [ "$(unit_property ActiveState)" = failed ] || [ "$(unit_property NRestarts)" -ge 3 ]
}

# serves_again ID INDEX: this member answers, has a leader, and has applied that much. An alarm, which outlives a restart, and
# a learner, which is asked by members only, are no faults of the restart.
serves_again() {
    endpoint=$(own_endpoint) || return 1
    ask_etcd 1 "$endpoint" endpoint health -w json >"$view/health" ||
        grep -q 'Active Alarm\|not supported for learner' "$view/health" || return 1
    look_at_own
    follows_another || is_leader || return 1
    [ "$own_id" = "$1" ] && [ "$(field RaftAppliedIndex "$view/own")" -ge "$2" ] 2>/dev/null
}
