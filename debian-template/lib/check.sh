# shellcheck shell=sh
# check_answer QUESTION: whether etcd would accept the answer in ANSWERS. If not, status 1, with the error template in
# ERROR and the offending part in OFFENDER.

check_answer() {
    ERROR=
    OFFENDER=$(answer "$1")
    case $1 in
        setup) is_one_of cluster single later ;;
        cluster-state) is_one_of new existing ;;
        tls) is_one_of true false ;;
        node-name) check_name ;;
        address) check_address ;;
        members) check_members ;;
        cluster-token) check_token ;;
        data-dir) check_data_dir ;;
        tls-*) [ "$(answer tls)" != true ] || is_path "$OFFENDER" || ERROR=etcd-ha/error-path ;;
        metrics-address) [ -z "$OFFENDER" ] || is_listener "$OFFENDER" || ERROR=etcd-ha/error-metrics-address ;;
        heartbeat-interval | election-timeout) check_timing ;;
        quota) [ -z "$OFFENDER" ] || quota_bytes "$OFFENDER" >/dev/null || ERROR=etcd-ha/error-quota ;;
        auto-compaction) check_compaction ;;
    esac
    [ -z "$ERROR" ]
}

# Frontends offer the right ones only; preseeding may say anything.
is_one_of() {
    for choice in "$@"; do
        [ "$OFFENDER" != "$choice" ] || return 0
    done
    ERROR=etcd-ha/error-choice
}

check_name() {
    case $OFFENDER in
        "" | *[!A-Za-z0-9._-]*) ERROR=etcd-ha/error-node-name ;;
    esac
}

# etcd advertises what it listens on, so the address must be one that others can reach.
check_address() {
    case $OFFENDER in
        0.0.0.0 | ::) ERROR=etcd-ha/error-address ;;
        *) is_ip "$OFFENDER" || ERROR=etcd-ha/error-address ;;
    esac
}

check_members() {
    [ "$(answer setup)" = cluster ] || return 0
    if ! members=$(complete_members "$OFFENDER" "$(scheme)"); then
        ERROR=etcd-ha/error-members
        OFFENDER=$members
    elif [ -z "$(urls_of "$(answer node-name)" "$members")" ]; then
        ERROR=etcd-ha/error-own-entry
        OFFENDER=$(answer node-name)
    fi
}

check_token() {
    case $OFFENDER in
        "" | *[[:space:]]* | *[[:cntrl:]]*) ERROR=etcd-ha/error-token ;;
    esac
}

# Directories of the system can't hold the data; neither can those that the unit's sandbox hides, nor what the purge of
# Debian's etcd-server deletes.
check_data_dir() {
    is_path "$OFFENDER" || ERROR=etcd-ha/error-path
    for directory in bin boot dev etc home lib lib64 proc root run sbin sys tmp usr var/lib/etcd var/run var/tmp; do
        case ${OFFENDER%/}/ in
            / | /var/ | /var/lib/ | "/$directory/"*) ERROR=${ERROR:-etcd-ha/error-data-dir} ;;
        esac
    done
}

check_timing() {
    heartbeat=$(answer heartbeat-interval)
    election=$(answer election-timeout)
    heartbeat=${heartbeat:-100}
    election=${election:-1000}
    is_number "$heartbeat" && is_number "$election" && [ "$heartbeat" -gt 0 ] &&
        [ "$((heartbeat * 5))" -le "$election" ] && [ "$election" -le 50000 ] || ERROR=etcd-ha/error-timing
}

check_compaction() {
    case $OFFENDER in
        "" | off) ;;
        revision:*) is_number "${OFFENDER#revision:}" || ERROR=etcd-ha/error-auto-compaction ;;
        *) printf '%s' "$OFFENDER" | grep -Eq '^[0-9]+$|^([0-9]+(h|m|s))+$' || ERROR=etcd-ha/error-auto-compaction ;;
    esac
}
