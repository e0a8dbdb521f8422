# shellcheck shell=sh
# The answers that etcd.yaml gives to the questions. A value that can't be read reliably is no answer.
# Needs: answers, host, yaml.

# All keys that answer a question, or that show that the file differs in kind from ours.
FILE_KEYS="name data-dir initial-cluster initial-cluster-state initial-cluster-token listen-peer-urls listen-client-urls
listen-metrics-urls heartbeat-interval election-timeout quota-backend-bytes auto-compaction-mode auto-compaction-retention
client-transport-security.trusted-ca-file client-transport-security.cert-file client-transport-security.key-file
peer-transport-security.trusted-ca-file peer-transport-security.cert-file peer-transport-security.key-file
discovery discovery-srv discovery-config.token"

# value_of KEY: nothing if it is absent or null. Status 2, and the reason: it can't be read. READ is from yaml_values.
# shellcheck disable=SC2154  # row_of sets them
value_of() {
    row_of "$READ" "$1" || return 0
    [ "$row_status" = 1 ] || printf '%s\n' "$row_value"
    [ "$row_status" != 2 ] || return 2
}

# Without the mode, etcd before 3.6 compacts nothing; the answer shows what was intended, and lint warns.
compaction_of_file() {
    retention=$(value_of auto-compaction-retention) || pass_on "$retention" || return
    mode=$(value_of auto-compaction-mode) || pass_on "$mode" || return
    case $mode:$retention in
        *: | :*) echo "$retention" ;;
        revision:*) echo "revision:$retention" ;;
        *:0) echo off ;;
        *) echo "$retention" ;;
    esac
}

# short_quota BYTES: with M or G if that is exact.
short_quota() {
    bytes=$1
    case $bytes in
        "" | 0 | *[!0-9]* | ???????????????????*) ;;
        *)
            if [ $((bytes % 1073741824)) = 0 ]; then
                bytes=$((bytes / 1073741824))G
            elif [ $((bytes % 1048576)) = 0 ]; then
                bytes=$((bytes / 1048576))M
            fi
            ;;
    esac
    echo "$bytes"
}

quota_of_file() {
    bytes=$(value_of quota-backend-bytes) || pass_on "$bytes" || return
    short_quota "$bytes"
}

tls_file() {
    path=$(value_of "client-transport-security.$1") || pass_on "$path" || return
    if [ -z "$path" ]; then value_of "peer-transport-security.$1"; else echo "$path"; fi
}

# peer_file KEY: nothing where members use the same file as clients, or none.
peer_file() {
    path=$(value_of "peer-transport-security.$1") || pass_on "$path" || return
    shared=$(tls_file "$1") || pass_on "$shared" || return
    [ "$path" = "$shared" ] || echo "$path"
}

tls_of_file() {
    certificate=$(tls_file cert-file) || pass_on "$certificate" || return
    if [ -n "$certificate" ]; then echo true; else echo false; fi
}

# A cluster that finds itself by discovery has more members than initial-cluster says.
setup_of_file() {
    for key in discovery discovery-srv discovery-config.token; do
        value=$(value_of "$key") || pass_on "$value" || return
        if [ -n "$value" ]; then
            echo "its members are found by $key"
            return 2
        fi
    done
    members=$(value_of initial-cluster) || pass_on "$members" || return
    case $members in
        *,*) echo cluster ;;
        *) echo single ;;
    esac
}

address_of_file() {
    listen=$(value_of listen-peer-urls) || pass_on "$listen" || return
    if [ -z "$listen" ]; then listen=$(value_of listen-client-urls) || pass_on "$listen" || return; fi
    host_of "${listen%%,*}"
}

state_of_file() {
    state=$(value_of initial-cluster-state) || pass_on "$state" || return
    echo "${state:-new}"
}

metrics_of_file() {
    metrics=$(value_of listen-metrics-urls) || pass_on "$metrics" || return
    case $metrics in *,*) ;; *) metrics=${metrics#http://} ;; esac
    echo "$metrics"
}

# answer_from QUESTION COMMAND...
answer_from() {
    asked_of_file=$1
    shift
    if answered=$("$@"); then
        give "$asked_of_file" "$answered"
    else
        UNREAD="$UNREAD $asked_of_file"
        UNREAD_WHY="$UNREAD_WHY $asked_of_file ($answered)"
    fi
}

# answers_of_file FILE: fills ANSWERS. UNREAD are the questions whose answers in the file can't be read reliably, UNREAD_WHY the
# same with reasons; their answers in ANSWERS stay. Status 2: nothing can be read, and READ has the reason.
answers_of_file() {
    UNREAD=
    UNREAD_WHY=
    # shellcheck disable=SC2086  # words
    READ=$(yaml_values "$1" $FILE_KEYS) || return 2
    answer_from setup setup_of_file
    answer_from node-name value_of name
    answer_from address address_of_file
    answer_from members value_of initial-cluster
    answer_from cluster-state state_of_file
    answer_from cluster-token value_of initial-cluster-token
    answer_from data-dir value_of data-dir
    answer_from tls-ca tls_file trusted-ca-file
    answer_from tls-cert tls_file cert-file
    answer_from tls-key tls_file key-file
    answer_from tls-peer-cert peer_file cert-file
    answer_from tls-peer-key peer_file key-file
    answer_from tls tls_of_file
    answer_from metrics-address metrics_of_file
    answer_from heartbeat-interval value_of heartbeat-interval
    answer_from election-timeout value_of election-timeout
    answer_from quota quota_of_file
    answer_from auto-compaction compaction_of_file
}

# is_unread QUESTION
is_unread() {
    case " ${UNREAD-} " in *" $1 "*) ;; *) return 1 ;; esac
}
