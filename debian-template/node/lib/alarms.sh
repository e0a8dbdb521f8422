# shellcheck shell=sh
# The alarms of the cluster, and the way out of each. Needs member.sh, cluster-view.sh.

# raised_alarms DIR: "KIND MEMBER" of each, as the members say that were asked (cluster_view, look_at_own); each tells of all.
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

# way_out_of_alarms DIR URL: commands for a shell, with what they do as comments.
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
# Which one differs? Replace that member: https://etcd.io/docs/v3.6/op-guide/data_corruption/
etcdctl endpoint hashkv --cluster
END
            ;;
        *)
            cat <<'END'
# Give back the space of old revisions:
etcdctl compact "$(etcdctl endpoint status -w fields | sed -n 's/^"Revision" : //p')"
etcdctl defrag --cluster
# If live data fills the quota, raise it on each member as well, here to 8 GiB:
# etcd-ha config set quota-backend-bytes 8589934592 && etcd-ha restart --force
END
            ;;
    esac
    echo "etcdctl alarm disarm"
}
