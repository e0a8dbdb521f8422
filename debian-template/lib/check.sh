# shellcheck shell=sh
# check_answer QUESTION: whether etcd would accept the answer in ANSWERS. If not, status 1, with the name of the error
# template in ERROR and the offending part in OFFENDER.

check_answer() {
    ERROR=
    OFFENDER=$(answer "$1")
    case $1 in
        node-name) check_name ;;
        address) check_address ;;
        members) check_members ;;
        cluster-token) check_token ;;
        data-dir) check_data_dir ;;
        tls-*) [ "$(answer tls)" != true ] || is_path "$OFFENDER" || ERROR=path ;;
        metrics-address) [ -z "$OFFENDER" ] || is_listener "$OFFENDER" || ERROR=metrics-address ;;
        heartbeat-interval | election-timeout) check_timing ;;
        quota) [ -z "$OFFENDER" ] || quota_bytes "$OFFENDER" >/dev/null || ERROR=quota ;;
        auto-compaction) check_compaction ;;
    esac
    [ -z "$ERROR" ]
}

check_name() {
    case $OFFENDER in
        "" | *[!A-Za-z0-9._-]*) ERROR=node-name ;;
    esac
}

# etcd advertises what it listens on, so the address must be one that others can reach.
check_address() {
    case $OFFENDER in
        0.0.0.0 | ::) ERROR=address ;;
        *) is_ip "$OFFENDER" || ERROR=address ;;
    esac
}

check_members() {
    [ "$(answer setup)" = cluster ] || return 0
    if ! members=$(complete_members "$OFFENDER" "$(scheme)"); then
        ERROR=members
        OFFENDER=$members
    elif [ -z "$(urls_of "$(answer node-name)" "$members")" ]; then
        ERROR=own-entry
        OFFENDER=$(answer node-name)
    fi
}

check_token() {
    case $OFFENDER in
        "" | *[[:space:]]* | *[[:cntrl:]]*) ERROR=token ;;
    esac
}

# What the sandbox of the unit hides, or the purge of Debian's etcd-server deletes, can't hold the data.
check_data_dir() {
    is_path "$OFFENDER" || ERROR=path
    case ${OFFENDER%/}/ in
        / | /bin/* | /boot/* | /dev/* | /etc/* | /home/* | /lib* | /proc/* | /root/* | /run/* | /sbin/* | /sys/* | /tmp/* | \
            /usr/* | /var/ | /var/lib/ | /var/lib/etcd/* | /var/run/* | /var/tmp/*) ERROR=${ERROR:-data-dir} ;;
    esac
}

check_timing() {
    heartbeat=$(answer heartbeat-interval)
    election=$(answer election-timeout)
    heartbeat=${heartbeat:-100}
    election=${election:-1000}
    is_number "$heartbeat" && is_number "$election" && [ "$heartbeat" -gt 0 ] &&
        [ "$((heartbeat * 5))" -le "$election" ] && [ "$election" -le 50000 ] || ERROR=timing
}

check_compaction() {
    case $OFFENDER in
        "" | off) ;;
        revision:*) is_number "${OFFENDER#revision:}" || ERROR=auto-compaction ;;
        *) printf '%s' "$OFFENDER" | grep -Eq '^[0-9]+$|^([0-9]+(h|m|s))+$' || ERROR=auto-compaction ;;
    esac
}
