# shellcheck shell=sh
# check_answer QUESTION: whether etcd would accept the answer in ANSWERS. If not, status 1, with the error template in
# ERROR, the offending part in OFFENDER, its other variable in EXPECTED, and in REASON the same for a log.
# Needs: answers.

check_answer() {
    ERROR=
    EXPECTED=
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
        tls-peer-*) [ "$(answer tls)" != true ] || [ -z "$OFFENDER" ] || check_path ;;
        tls-*) [ "$(answer tls)" != true ] || check_path ;;
        metrics-address) check_metrics_address ;;
        heartbeat-interval | election-timeout) check_timing ;;
        quota) check_quota ;;
        auto-compaction) check_compaction ;;
    esac
    [ -z "$ERROR" ]
}

# refuse TEMPLATE REASON
refuse() {
    ERROR=etcd-ha/$1
    # shellcheck disable=SC2034  # for the caller
    REASON=$2
}

# Frontends offer only valid choices; preseeding may set anything.
is_one_of() {
    for choice in "$@"; do
        [ "$OFFENDER" != "$choice" ] || return 0
        EXPECTED=${EXPECTED:+$EXPECTED, }$choice
    done
    refuse error-choice "'$OFFENDER' is not one of: $EXPECTED"
}

check_name() {
    case $OFFENDER in
        "" | *[!A-Za-z0-9._-]*)
            refuse error-node-name "'$OFFENDER' is not a name of letters, digits, '.', '_' and '-'"
            ;;
    esac
}

# etcd advertises what it listens on, so the address must be one that others can reach.
check_address() {
    case $(plain_address "$OFFENDER") in
        0.0.0.0 | ::) refuse error-any-address "'$OFFENDER' means all addresses of this node; the other members need one of them" ;;
        [Ff][Ee][89AaBb]?:*)
            refuse error-address "'$OFFENDER' is a link-local address, which others can't reach without the interface"
            ;;
        *)
            is_ip "$(plain_address "$OFFENDER")" ||
                refuse error-address "'$OFFENDER' is not an IPv4 or IPv6 address; etcd refuses to listen on host names"
            ;;
    esac
}

check_members() {
    [ "$(answer setup)" = cluster ] || return 0
    if members=$(complete_members "$OFFENDER" "$(scheme)"); then
        OFFENDER=$(answer node-name)
        EXPECTED=$(names_of "$members")
        [ -n "$(urls_of "$OFFENDER" "$members")" ] ||
            refuse error-own-entry "'$OFFENDER', the name of this node, is not in the list, which has: $EXPECTED"
        return 0
    fi
    OFFENDER=${members#*"	"}
    case $members in
        empty*) refuse error-no-members "the list is empty; NAME=URL of each member is expected, separated by commas" ;;
        scheme*)
            EXPECTED=$(scheme)
            refuse error-scheme "the URL in '$OFFENDER' must start with $EXPECTED://, since tls is $(answer tls)"
            ;;
        double*) refuse error-double-url "an entry before '$OFFENDER' has the same URL; each member needs its own" ;;
        name*) refuse error-members "'$OFFENDER' does not begin with a name of letters, digits, '.', '_' and '-'" ;;
        host*) refuse error-members "'$OFFENDER' has no host name or IP address where one is expected" ;;
        port*) refuse error-members "the port in '$OFFENDER' is not a number from 1 to 65535" ;;
        path*) refuse error-members "the URL in '$OFFENDER' has a path; it must end after the port" ;;
    esac
}

check_token() {
    case $OFFENDER in
        "") refuse error-token "'$OFFENDER' is empty; a word is expected" ;;
        *[[:space:]]* | *[[:cntrl:]]*) refuse error-token "'$OFFENDER' has spaces or control characters; a word is expected" ;;
    esac
}

check_path() {
    is_path "$OFFENDER" ||
        refuse error-path "'$OFFENDER' is not an absolute path of letters, digits and the characters . / _ + @ : -"
}

# Directories of the system can't hold the data; neither can those that the unit's sandbox hides, nor what the purge of
# Debian's etcd-server deletes.
check_data_dir() {
    check_path
    [ -z "$ERROR" ] || return 0
    for directory in bin boot dev etc home lib lib64 proc root run sbin sys tmp usr var/lib/etcd var/run var/tmp; do
        case ${OFFENDER%/}/ in
            / | /var/ | /var/lib/) refuse error-data-dir "'$OFFENDER' is a directory of the system; one of its own is expected" ;;
            "/$directory/"*) refuse error-data-dir "'$OFFENDER' is in /$directory; a directory of its own is expected" ;;
        esac
    done
}

check_metrics_address() {
    [ -z "$OFFENDER" ] || is_listener "$OFFENDER" ||
        refuse error-metrics-address "'$OFFENDER' is not an IP address and a port, such as 127.0.0.1:2381"
}

check_timing() {
    heartbeat=$(answer heartbeat-interval)
    election=$(answer election-timeout)
    heartbeat=${heartbeat:-100}
    election=${election:-1000}
    OFFENDER="$heartbeat, $election"
    if is_number "$heartbeat" && is_number "$election" && [ "$heartbeat" -gt 0 ] &&
        [ "$((heartbeat * 5))" -le "$election" ] && [ "$election" -le 50000 ]; then return 0; fi
    refuse error-timing "heartbeat-interval '$heartbeat' and election-timeout '$election': milliseconds are expected,\
 the timeout at least five times the interval, and at most 50000"
}

check_quota() {
    [ -z "$OFFENDER" ] || quota_bytes "$OFFENDER" >/dev/null ||
        refuse error-quota "'$OFFENDER' is not a number of bytes, nor a number followed by M or G"
}

check_compaction() {
    case $OFFENDER in
        "" | off) return 0 ;;
        revision:*) if is_number "${OFFENDER#revision:}"; then return 0; fi ;;
        *) if printf '%s' "$OFFENDER" | grep -Eq '^[0-9]+$|^([0-9]+(h|m|s))+$'; then return 0; fi ;;
    esac
    refuse error-auto-compaction "'$OFFENDER' is not a duration such as 1h, nor revision:1000, nor off"
}
