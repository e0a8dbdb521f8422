# shellcheck shell=sh
# shellcheck disable=SC2119,SC2154  # db_go takes no argument; medium, high and work are set by the config script
# The steps of the config script. Each may show nothing.

# default QUESTION COMMAND...: the command's output, if there is no answer yet.
default() {
    db_get "etcd-ha/$1"
    [ -z "$RET" ] || return 0
    question=$1
    shift
    db_set "etcd-ha/$question" "$("$@" 2>/dev/null || true)"
}

# The source address of the default route; else the first of the machine. 192.0.2.1 stands for "somewhere else".
own_address() {
    route=$(ip route get 192.0.2.1 2>/dev/null || ip -6 route get 2001:db8::1 2>/dev/null) || route=
    address=$(printf '%s\n' "$route" | sed -n 's/.* src \([^ ]*\).*/\1/p')
    echo "${address:-$(hostname -I | cut -d ' ' -f 1)}"
}

# ask PRIORITY QUESTION
ask() {
    asked="$asked $2"
    if db_input "$1" "etcd-ha/$2"; then shown=yes; fi
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
    default node-name hostname
    default address own_address
    bootstrapped || ask "$medium" node-name
    ask "$medium" address
}

ask_members() {
    is_setup cluster && ! bootstrapped || return 0
    ask "$high" members
}

ask_state() {
    is_setup cluster && ! bootstrapped || return 0
    ask "$high" cluster-state
    ask "$medium" cluster-token
}

ask_data_dir() {
    is_setup later || bootstrapped || ask "$medium" data-dir
}

# A member that listens with another scheme than its peers know is lost to them, so TLS is decided at the start.
ask_tls() {
    is_setup later || bootstrapped || ask "$medium" tls
}

ask_tls_files() {
    is_setup later && return 0
    db_get etcd-ha/tls
    [ "$RET" = true ] || return 0
    for file in tls-ca tls-cert tls-key; do
        ask "$high" "$file"
    done
}

ask_tuning() {
    is_setup later && return 0
    for question in metrics-address heartbeat-interval election-timeout quota auto-compaction; do
        ask low "$question"
    done
}

ask_policies() {
    ask low restart-policy
    ask low purge-data
}

# The first of the answers just given that etcd would refuse is explained. What the file says already is not judged.
complain() {
    load_answers
    for question in $asked; do
        if cmp -s "$work/asked/$question" "$work/file/$question" || check_answer "$question"; then continue; fi
        db_subst "etcd-ha/error-$ERROR" value "$OFFENDER"
        [ -z "$shown" ] || db_fset "etcd-ha/error-$ERROR" seen false
        db_input critical "etcd-ha/error-$ERROR" || true
        db_go || true
        return 0
    done
    return 1
}
