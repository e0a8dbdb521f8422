# shellcheck shell=sh
# The answers of the cluster's members, asked in parallel with a time limit.
# Needs: bbolt, client, host, member, service, wal, yaml.

# known_members: lines "ID|NAME|PEER URLS|CLIENT URLS|LEARNER". From the member here; without a quorum it can't answer,
# and then from its database (a copy that may be outdated), and without one from initial-cluster.
known_members() {
    if endpoint=$(own_endpoint); then
        ask_etcd 1 "$endpoint" member list | sed 's/, /|/g' | cut -d '|' -f 1,3- | grep . && return 0
    fi
    if database=$(database_file) && [ -r "$database" ] && stored=$(bbolt_pairs "$database" members); then
        printf '%s\n' "$stored" | members_of_json | grep . && return 0
    fi
    entries=$(peer_entries) || return 0
    printf '%s\n' "$entries" | grep . | sed 's/\(.*\) \(.*\)/|\1|\2||/'
}

# members_of_json: lines as above from "ID<tab>{"id":1,"peerURLs":["http://pg1:2380"],"name":"pg1","clientURLs":[…]}".
members_of_json() {
    # shellcheck disable=SC2016  # awk's variables
    awk -F '\t' '
        function value(name,    text) {
            if (!match($2, "\"" name "\":(\\[(\"[^\"]*\",?)*\\]|\"[^\"]*\"|[a-z]+)")) return ""
            text = substr($2, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
            gsub(/^\["|"\]$/, "", text)
            gsub(/"/, "", text)
            return text
        }
        { print $1 "|" value("name") "|" value("peerURLs") "|" value("clientURLs") "|" value("isLearner") }'
}

# client_url_of MEMBER_LINE: its first client URL that other machines can reach, or a guess if it has none.
client_url_of() {
    published=$(printf '%s\n' "$1" | cut -d '|' -f 4 | tr ',' '\n' | grep -v '//\(127\.\|localhost\|\[::1\]\)' | sed -n 1p)
    peer_url=$(printf '%s\n' "$1" | cut -d '|' -f 3)
    if [ -z "$published" ]; then
        published=$(client_url_of_host "$(host_of "$(first_of "$peer_url")")") || pass_on "$published" || return
    fi
    echo "$published"
}

# etcd's errors for a client without a user, or with a user who lacks permission.
DENIED='user name is empty\|permission denied\|authentication failed'

# tls_refusal FILE: from etcdctl's errors, which certificate the member or etcdctl did not accept, or why an established
# connection ended; nothing for other errors.
tls_refusal() {
    for refused_by in 'remote error: tls: ' 'x509: ' 'Error: tls: ' 'Error: open ' 'authentication handshake failed: ' \
        'error reading server preface: '; do
        sed -n "s/.*\\(${refused_by}[^\"\\\\]*\\).*/\\1/p" "$1" | tail -n 1 | tr '|' ' ' | grep . && return 0
    done
    return 0
}

# why_slow FILE: from etcdctl's errors about the member here, that it has served and does not answer; nothing if it does not
# listen, or still waits for a quorum (its start has not ended). Of another machine, silence may also mean that it is off.
why_slow() {
    [ "$(unit_property ActiveState)" = active ] || return 0
    ! grep -q 'connection refused' "$1" || return 0
    if grep -q 'deadline exceeded' "$1"; then echo "no answer within 2 s"; fi
}

# field NAME FILE: a value of `etcdctl endpoint status -w fields`.
field() { sed -n "s/^\"$1\" : \"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$2" | head -n 1; }

# member_view DIR NUMBER: asks one member, and leaves the row NUMBER of the table in DIR.
# Columns: ID|NAME|ENDPOINT|HEALTH|LEADER'S ID|VERSION|DATABASE BYTES|ALARMS|LEARNER|APPLIED INDEX|WHY NOT ASKED. HEALTH is
# healthy, unhealthy, unreachable, denied, unknown (could not be asked) or foreign (answers, but belongs to another cluster).
member_view() {
    member_line=$(sed -n "$2p" "$1/members")
    # A member without a URL gets a row without an answer.
    url=$(client_url_of "$member_line") || url=unknown
    asked=$url
    if is_own "$member_line"; then asked=$(own_endpoint) || asked=unknown; fi
    ask_etcd 2 "$asked" endpoint health -w json >"$1/$2.health" &
    health_job=$!
    # shellcheck disable=SC2034  # ask_etcd
    ASK_COMPLAINT=$1/$2.said
    ask_etcd 2 "$asked" endpoint status -w fields >"$1/$2.status" || : >"$1/$2.status"
    wait "$health_job" || true
    id=$(printf '%s\n' "$member_line" | cut -d '|' -f 1)
    answered_id=$(field MemberID "$1/$2.status")
    [ -z "$answered_id" ] || answered_id=$(printf '%x' "$answered_id")
    answered_cluster=$(field ClusterID "$1/$2.status")
    health=unreachable
    if [ -n "$own_cluster" ] && [ -n "$answered_cluster" ] && [ "$(printf '%x' "$answered_cluster")" != "$own_cluster" ]; then
        health=foreign
    fi
    # Another member behind that URL (a load balancer, a loopback address) says nothing about this one.
    if [ "$health" = foreign ] || { [ -n "$answered_id" ] && [ "${id:-$answered_id}" != "$answered_id" ]; }; then
        answered_id=
        : >"$1/$2.status"
        : >"$1/$2.health"
    fi
    # One that answers but has no quorum, or an alarm, is unhealthy; one that says nothing is unreachable.
    if [ -s "$1/$2.status" ]; then health=unhealthy; fi
    if grep -q "$DENIED" "$1/$2.health"; then health=denied; fi
    if grep -q '"health":true' "$1/$2.health"; then health=healthy; fi
    # It may be healthy: it could not be asked.
    refusal=
    if [ "$health" = unreachable ]; then refusal=$(tls_refusal "$1/$2.said"); fi
    if [ "$health$refusal" = unreachable ] && is_own "$member_line"; then refusal=$(why_slow "$1/$2.said"); fi
    if [ -n "$refusal" ]; then health=unknown; fi
    id=${id:-$answered_id}
    leader=$(field Leader "$1/$2.status")
    [ "${leader:-0}" = 0 ] || leader=$(printf '%x' "$leader")
    alarms=$(sed -n 's/^"Errors" : \[\(.*\)\]$/\1/p' "$1/$2.status" | grep -o 'alarm:[A-Z]*' | sed 's/alarm://' |
        sort -u | paste -sd, -)
    printf '%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s\n' "$id" "$(printf '%s\n' "$member_line" | cut -d '|' -f 2)" "$url" "$health" \
        "${leader:-0}" "$(field Version "$1/$2.status")" "$(field DBSize "$1/$2.status")" "$alarms" \
        "$(printf '%s\n' "$member_line" | cut -d '|' -f 5)" "$(field RaftAppliedIndex "$1/$2.status")" "$refusal" >"$1/$2.row"
}

# is_own MEMBER_LINE: whether it describes the member here. If an id is missing, the name decides.
is_own() {
    if [ -n "$own_member" ] && [ -n "${1%%|*}" ]; then
        [ "${1%%|*}" = "$own_member" ]
    else
        name_in_file=$(setting name default) && [ "$(printf '%s\n' "$1" | cut -d '|' -f 2)" = "$name_in_file" ]
    fi
}

# cluster_view DIR: fills DIR/rows, within 4 s.
cluster_view() {
    rm -f "$1"/*.row "$1"/*.status
    # The answers of another cluster say nothing about this one.
    own_member=
    own_cluster=
    if log_dir=$(wal_dir) && own_identity=$(wal_identity "$log_dir"); then
        own_member=${own_identity% *}
        own_cluster=${own_identity#* }
    fi
    known_members | sort -t '|' -k 2,2 >"$1/members"
    : >"$1/rows"
    count=$(wc -l <"$1/members")
    number=0
    jobs_of_view=
    while [ "$number" -lt "$count" ]; do
        number=$((number + 1))
        member_view "$1" "$number" &
        jobs_of_view="$jobs_of_view $!"
    done
    # shellcheck disable=SC2086  # a list of process ids
    [ -z "$jobs_of_view" ] || wait $jobs_of_view || true
    for row in "$1"/*.row; do
        [ ! -e "$row" ] || cat "$row" >>"$1/rows"
    done
}

# raised_alarms DIR: "KIND MEMBER" of each, from the members that were asked (cluster_view, look_at_own); each reports all.
raised_alarms() {
    cat "$1"/*.status "$1/own" 2>/dev/null | sed -n 's/^"Errors" : \[\(.*\)\]$/\1/p' |
        grep -o 'memberID:[0-9]* *alarm:[A-Z]*' | sed 's/memberID:\([0-9]*\) *alarm:/\1 /' | sort -u |
        while read -r alarm_id alarm_kind; do
            alarm_id=$(printf '%x' "$alarm_id")
            alarm_name=$(ID=$alarm_id awk -F '|' '$1 == ENVIRON["ID"] { print $2 }' "$1/members" 2>/dev/null)
            echo "$alarm_kind ${alarm_name:-$alarm_id}"
        done
}

# why_alarmed DIR: in a clause; nothing without an alarm.
why_alarmed() {
    raised_alarms "$1" | awk '
        { members[$1] = members[$1] (members[$1] ? ", " : "") $2 }
        END {
            for (kind in members) text = text (text ? "; " : "") "alarm " kind " on " members[kind] (kind == "NOSPACE" ? \
                ": the database has reached its quota, and nothing can be written" : kind == "CORRUPT" ? \
                ": its data differs from that of the others" : "")
            if (text) print text
        }'
}

# way_out_of_alarms DIR URL: shell commands that clear the alarms, with comments.
way_out_of_alarms() {
    raised_kinds=$(raised_alarms "$1" | cut -d ' ' -f 1 | sort -u)
    [ -n "$raised_kinds" ] || return 0
    echo "export ETCDCTL_ENDPOINTS=$2"
    for variable in ETCDCTL_CACERT ETCDCTL_CERT ETCDCTL_KEY ETCDCTL_INSECURE_SKIP_TLS_VERIFY; do
        eval "variable_value=\${$variable-}"
        # shellcheck disable=SC2154  # by eval
        [ -z "$variable_value" ] || echo "export $variable='$variable_value'"
    done
    case $raised_kinds in
        *CORRUPT*)
            cat <<'END'
# Find the member that differs and replace it: https://etcd.io/docs/v3.6/op-guide/data_corruption/
etcdctl endpoint hashkv --cluster
END
            ;;
        *)
            cat <<'END'
# Free the space that old revisions use:
etcdctl compact "$(etcdctl endpoint status -w fields | sed -n 's/^"Revision" : //p')"
etcdctl defrag --cluster
# If live data fills the quota, raise it on each member as well, here to 8 GiB:
# etcd-ha config set quota-backend-bytes 8589934592 && etcd-ha restart --force
END
            ;;
    esac
    echo "etcdctl alarm disarm"
}
