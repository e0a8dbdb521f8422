# shellcheck shell=sh
# The restart slot: this member has it while it is first in the queue (turn.sh) and all others are healthy. Sets why, the
# reason otherwise. $view is a directory.
# Needs: cluster-view, member, process, service, turn.
# shellcheck disable=SC2034,SC2154  # for those who ask; view

# Seconds that other members may be unhealthy while no member has the slot, and that other members have to queue.
PATIENCE=15
COURTESY=3

# One at a time on this node.
SLOT_LOCK=${ETCD_HA_RUN:-/run}/etcd-ha.restart.lock
TURN_ENDPOINTS=
own_id=

now() { awk '{ printf "%d\n", $1 }' /proc/uptime; }

# running_member: the process of etcd.service; or why there is none, with status 1.
running_member() {
    if [ -e "$CONFIG" ] && ! [ -r "$CONFIG" ]; then
        echo "can't read $CONFIG; run this as root"
        return 2
    fi
    member_pid=$(unit_property MainPID)
    if [ "${member_pid:-0}" != 0 ]; then
        echo "$member_pid"
        return 0
    fi
    member_pid=$(etcd_processes | paste -sd ' ')
    if [ -n "$member_pid" ]; then
        echo "etcd runs as process $member_pid, not as etcd.service: restart it the way it was started"
    else
        echo "etcd is not running; to start it: systemctl start etcd"
    fi
    return 1
}

look_around() {
    look_at_own
    goal=$(field RaftAppliedIndex "$view/own")
    cluster_view "$view"
    TURN_ENDPOINTS=$(other_rows | sort -t '|' -k 4,4 | cut -d '|' -f 3 | paste -sd, -)
}

# why_not_in_turn: sets why and is_waiting: yes if another member has the slot, or gets it from this one.
why_not_in_turn() {
    is_waiting=no
    if ! turn_renew && ! { [ -z "$TURN_LEASE" ] && turn_join "$own_name"; }; then
        why=$(complaint)
        look_around
        why=$(why_others_not_ready "$goal" | grep . || echo "$why")
        return 0
    fi
    turn_queue >"$view/waiting" || : >"$view/waiting"
    owner=$(sed -n 1p "$view/waiting")
    if [ -z "$owner" ]; then
        why=$(complaint)
    elif [ "${owner%% *}" != "$TURN_KEY" ]; then
        is_waiting=yes
        why="${owner#* } has the restart slot"
    else
        # Only now: what was seen before this member had the slot may be older than the restart of the previous one.
        look_around
        why=$(why_others_not_ready "$goal")
        [ -n "$why" ] || let_others_go_first
    fi
}

# So leadership moves once while all are upgraded, not once per member. The others restart in the order of their names: clients
# that lose a member try the next of their list, and the last of these is then the leader, which silently drops no request.
let_others_go_first() {
    if [ "$(now)" -lt $((began + COURTESY)) ]; then
        why="other members may queue within $COURTESY s"
    elif is_leader && cut -d ' ' -f 2- "$view/waiting" | grep -qvxF -- "$own_name"; then
        turn_yield
        why="the leader restarts last"
    else
        earlier=$(cut -d ' ' -f 2- "$view/waiting" | sort | sed -n 1p)
        case $earlier in
            "" | "$own_name") return 0 ;;
        esac
        # Once per member: the earlier one may be the leader, which yields the slot itself.
        case " $yielded_to " in *" $earlier "*) return 0 ;; esac
        yielded_to="$yielded_to $earlier"
        turn_yield
        why="$earlier restarts first"
    fi
    is_waiting=yes
}

complaint() {
    if grep -q "$DENIED" "$view/complaint"; then
        echo "$ASKS_FOR_USER"
    else
        sed -n 's/^Error: //p' "$view/complaint" | tail -n 1 | grep . || echo "no answer in time"
    fi
}

# await_slot SECONDS TELL: whether this member has the slot in time. TELL is run with each reason to wait.
await_slot() {
    began=$(now)
    well_since=$began
    yielded_to=
    own_name=$(setting name default) || {
        why=$own_name
        return 1
    }
    look_around
    while :; do
        if is_alone; then
            why=$(why_alarmed "$view")
            is_waiting=no
            look_around
        elif [ -n "$(other_rows)" ]; then
            why_not_in_turn
        else
            why="the member does not list the other members of its cluster"
            is_waiting=no
            look_around
        fi
        [ -n "$why" ] || return 0
        # With a user, only the token may have to be requested again, since a member was restarted.
        if [ "$why" = "$ASKS_FOR_USER" ] && [ -z "${ETCDCTL_USER-}" ]; then return 1; fi
        # Only a person can clear an alarm.
        case $why in "alarm "*) return 1 ;; esac
        "$2" "waiting: $why"
        if [ "$is_waiting" = yes ]; then well_since=$(now); fi
        if [ "$(now)" -ge $((well_since + PATIENCE)) ] || [ "$(now)" -ge $((began + $1)) ]; then return 1; fi
        sleep 0.3
    done
}

# leave_leadership: whether this member may be away: it does not lead, and nothing has become worse in the meantime.
leave_leadership() {
    why=
    [ -n "$(other_rows)" ] || return 0
    if is_leader; then
        hand_over || {
            why="leadership could not be moved"
            return 1
        }
        look_around
        why=$(why_others_not_ready "$goal")
        [ -z "$why" ] || return 1
    fi
    turn_renew && return 0
    why="its restart slot expired too soon"
    [ -z "$TURN_LEASE" ] || why="its restart slot could not be renewed: $(complaint)"
    return 1
}
