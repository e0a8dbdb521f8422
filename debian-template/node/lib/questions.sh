# shellcheck shell=sh
# shellcheck disable=SC2119,SC2154  # db_go takes no argument; medium, high and work are set by the config script
# The steps of the config script. Each may show nothing.

# default TEMPLATE COMMAND...: the command's output, if there is no answer yet.
default() {
    # What a file leaves out is etcd's default, not a gap to fill.
    db_get "$1"
    [ -z "$RET" ] && [ "$high" = high ] || return 0
    template=$1
    shift
    db_set "$template" "$("$@" 2>/dev/null || true)"
}

# The source address of the default route; else the first of the machine. 192.0.2.1 stands for "somewhere else".
own_address() {
    route=$(ip route get 192.0.2.1 2>/dev/null || ip -6 route get 2001:db8::1 2>/dev/null) || route=
    address=$(printf '%s\n' "$route" | sed -n 's/.* src \([^ ]*\).*/\1/p')
    echo "${address:-$(hostname -I | cut -d ' ' -f 1)}"
}

# ask PRIORITY TEMPLATE
ask() {
    asked="$asked ${2#etcd-ha/}"
    if db_input "$1" "$2"; then shown=yes; fi
}

# Whether a member that exists already makes the question void: etcd never reads its answer again.
bootstrapped() {
    db_get etcd-ha/data-dir
    is_bootstrapped "$RET"
}

is_setup() {
    db_get etcd-ha/setup
    [ "$RET" = "$1" ]
}

ask_identity() {
    ! is_setup later || return 0
    default etcd-ha/node-name hostname
    default etcd-ha/address own_address
    bootstrapped || ask "$medium" etcd-ha/node-name
    ask "$medium" etcd-ha/address
}

ask_members() {
    is_setup cluster && ! bootstrapped || return 0
    ask "$high" etcd-ha/members
}

ask_state() {
    is_setup cluster && ! bootstrapped || return 0
    ask "$high" etcd-ha/cluster-state
    ask "$medium" etcd-ha/cluster-token
}

ask_data_dir() {
    is_setup later || bootstrapped || ask "$medium" etcd-ha/data-dir
}

# A member that listens with another scheme than its peers know is lost to them, so TLS is decided at the start.
ask_tls() {
    is_setup later || bootstrapped || ask "$medium" etcd-ha/tls
}

ask_tls_files() {
    is_setup later && return 0
    db_get etcd-ha/tls
    [ "$RET" = true ] || return 0
    for file in etcd-ha/tls-ca etcd-ha/tls-cert etcd-ha/tls-key; do
        ask "$high" "$file"
    done
}

ask_tuning() {
    is_setup later && return 0
    for tuning in etcd-ha/metrics-address etcd-ha/heartbeat-interval etcd-ha/election-timeout etcd-ha/quota \
        etcd-ha/auto-compaction; do
        ask low "$tuning"
    done
}

ask_policies() {
    ask low etcd-ha/restart-policy
    ask low etcd-ha/snapshot
    ask low etcd-ha/snapshots-kept
    ask low etcd-ha/purge-data
}

# explain QUESTION: shows ERROR. Status 1: nobody sees it anew.
explain() {
    # With nobody to correct it, once is enough: the value of the error is what it was shown for.
    db_get "$ERROR"
    [ -n "$shown" ] || [ "$RET" != "$1 $OFFENDER" ] || return 1
    db_subst "$ERROR" value "$OFFENDER"
    db_subst "$ERROR" expected "$EXPECTED"
    db_fset "$ERROR" seen false
    db_input critical "$ERROR" || true
    db_go || true
    db_set "$ERROR" "$1 $OFFENDER"
}

# The first of the answers just given that etcd would refuse is explained. What the file says already is not judged.
complain() {
    load_answers
    for question in $asked; do
        # Its answer changes nothing.
        if is_unread "$question"; then continue; fi
        if cmp -s "$work/asked/$question" "$work/file/$question" || check_answer "$question"; then continue; fi
        explain "$question" || true
        return 0
    done
    return 1
}

# doubts_about QUESTION: what host_doubts says of the answers to it, for this host.
doubts_about() {
    case $1 in address | members) ;; *) return 0 ;; esac
    members=
    if is_setup cluster; then members=$(complete_members "$(answer members)" "$(scheme)") || members=; fi
    printf '%s\n' "$members" | tr ',' '\n' | sed -n 's|^\([^=]*\)=[a-z]*://\(.*\):[0-9]*$|\1 \2|p' | tr -d '[]' |
        host_doubts "$(answer node-name)" "$(plain_address "$(answer address)")"
}

# What does not fit this host may be right all the same (an address that comes later, one that a router forwards), so it is
# shown, once for each value; the same answer again is taken. Where nobody is asked, postinst tells of it.
raise_doubts() {
    [ -n "$shown" ] || return 1
    for question in $asked; do
        if cmp -s "$work/asked/$question" "$work/file/$question"; then continue; fi
        doubts_about "$question" >"$work/doubts"
        while IFS='	' read -r kind OFFENDER EXPECTED <&7; do
            case $question:$kind in
                address:foreign-address) ERROR=etcd-ha/doubt-address ;;
                members:own-url) ERROR=etcd-ha/doubt-own-url ;;
                members:own-name) ERROR=etcd-ha/doubt-own-name ;;
                members:peer-name) ERROR=etcd-ha/doubt-peer-name ;;
                members:unknown-name) ERROR=etcd-ha/doubt-unknown-name ;;
                *) continue ;;
            esac
            db_get "$ERROR"
            [ "$RET" != "$question $OFFENDER" ] || continue
            explain "$question"
            return 0
        done 7<"$work/doubts"
    done
    return 1
}
