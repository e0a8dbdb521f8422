# shellcheck shell=sh
# When a member may be restarted, and when it serves again. Needs member.sh, cluster-view.sh, alarms.sh, turn.sh; $view is
# a directory, $own_id this member's id.
# shellcheck disable=SC2154  # view

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
    OWN_ID=$own_id OWN_NAME=$(setting name default 2>/dev/null) awk -F '|' '
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
    other_rows | sort -t '|' -k 2,2 | NEWEST=$newest OWN_NAME=$(setting name default 2>/dev/null) awk -F '|' '
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
