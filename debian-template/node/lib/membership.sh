# shellcheck shell=sh
# Before the first start of a member: whether the members that run expect it, and what to type where the file doesn't fit what
# they say. Needs stop(), need(), yaml.sh, host.sh, member.sh,
# membership-advice.sh. $scratch is a directory.
# shellcheck disable=SC2154  # scratch

# resolved URLS: the same with addresses for names, sorted, as etcd compares them. Status 1: a name leads to no address here.
resolved() {
    printf '%s\n' "$1" | tr ',' '\n' | sed 's/[[:space:]]//g' | while read -r url; do
        leads_to=$(addresses_of "$(printf '%s\n' "$url" | host_of_url)" | sort -u | paste -sd+ -)
        [ -n "$leads_to" ] || { echo unknown && continue; }
        printf '%s://%s:%s\n' "${url%%://*}" "$leads_to" "${url##*:}"
    done | sort | paste -sd, - >"$scratch/resolved"
    ! grep unknown "$scratch/resolved" && cat "$scratch/resolved"
}

# own_line: the line of the member list that has this node's peer URLs. Status 1: none has; 2: that can't be known.
own_line() {
    URLS=$own_urls awk -F ', ' '$4 == ENVIRON["URLS"] { print; found = 1 } END { exit !found }' "$scratch/list" && return 0
    own_resolved=$(resolved "$own_urls") || return 2
    line_status=1
    while read -r line; do
        if ! line_resolved=$(resolved "$(printf '%s\n' "$line" | awk -F ', ' '{ print $4 }')"); then
            line_status=2
        elif [ "$line_resolved" = "$own_resolved" ]; then
            printf '%s\n' "$line"
            return 0
        fi
    done <"$scratch/list"
    return "$line_status"
}

# is_other_cluster: whether initial-cluster names other URLs than the list. Status 2: can't be known.
is_other_cluster() {
    printf '%s\n' "$entries" | awk '{ urls[$1] = urls[$1] (urls[$1] == "" ? "" : ",") $2 } END { for (name in urls) print urls[name] }' \
        >"$scratch/file"
    awk -F ', ' '{ print $4 }' "$scratch/list" >"$scratch/known"
    for side in file known; do
        while read -r urls; do resolved "$urls" || return 2; done <"$scratch/$side" >"$scratch/$side.resolved"
        sort -o "$scratch/$side.resolved" "$scratch/$side.resolved"
    done
    ! cmp -s "$scratch/file.resolved" "$scratch/known.resolved"
}

# check_membership: without a log etcd would be refused where it is known as one that has run, or join with an empty log and
# panic; and it never joins a cluster that doesn't know it. When nobody answers in time, etcd finds out itself.
check_membership() {
    need wal_dir || return 0
    if member_has_data; then return 0; fi
    need setting name default || return 0
    own_name=$VALUE
    need setting initial-advertise-peer-urls http://localhost:2380 || return 0
    own_urls=$(printf '%s\n' "$VALUE" | sed 's/[[:space:]]//g')
    need setting initial-cluster-state new || return 0
    cluster_state=$VALUE
    need peer_entries || return 0
    entries=$VALUE
    [ -n "$entries" ] || return 0
    printf '%s\n' "$entries" | cut -d ' ' -f 1 | grep -qxF -- "$own_name" ||
        stop 78 "initial-cluster in $CONFIG has no entry for this node's name, $own_name" \
            "It has: $(setting initial-cluster)" "Correct the file, then: systemctl start etcd"
    need client_url_of_host localhost || return 0
    others=$(printf '%s\n' "$entries" | while read -r name url; do
        [ -z "$name" ] || [ "$name" = "$own_name" ] || client_url_of_host "$(host_of "$url")"
    done | sort -u | paste -sd, -)
    [ -n "$others" ] || return 0
    identify_client || return 0
    ask_etcd 1 "$others" member list >"$scratch/list" && [ -s "$scratch/list" ] || return 0
    line_status=0
    line=$(own_line) || line_status=$?
    case $line_status:$(printf '%s\n' "$line" | awk -F ', ' '{ print ($5 != "" ? "has-run" : $3 != "" ? "founder" : "added") }') in
        0:has-run) stop_lost "$line" ;;
        # It forms the cluster together with the others.
        0:founder) [ "$cluster_state" != new ] || return 0 ;;
        0:added) ;;
        1:*)
            namesake=$(NAME=$own_name awk -F ', ' '$3 == ENVIRON["NAME"]' "$scratch/list")
            [ -z "$namesake" ] || stop_other_name "$namesake"
            stop_unexpected
            ;;
        *) return 0 ;;
    esac
    if is_other_cluster; then stop_other_cluster; fi
    [ "$cluster_state" = existing ] || stop_other_cluster
}
