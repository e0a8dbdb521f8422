# shellcheck shell=sh
# What etcd.yaml answers to the questions. Needs yaml.sh and answers.sh.

# value_of KEY: from yaml_list's output in LISTED.
value_of() {
    printf '%s\n' "$LISTED" | LC_ALL=C awk -F '\t' -v key="$1" '
        tolower($2) == key && $3 ~ /^(string|int|bool|number)$/ {
            sub(/^[^\t]*\t[^\t]*\t[^\t]*\t/, "")
            print
            exit
        }'
}

# host_of URLS: the host of the first, without brackets.
host_of() {
    printf '%s\n' "$1" | sed 's/,.*//; s|^[a-z]*://||; s|/.*||; s/:[0-9]*$//; s/^\[\(.*\)\]$/\1/'
}

# Without the mode, etcd before 3.6 compacts nothing; the answer shows what was meant, and lint tells.
compaction_of_file() {
    retention=$(value_of auto-compaction-retention)
    case $(value_of auto-compaction-mode):$retention in
        *: | :*) echo "$retention" ;;
        revision:*) echo "revision:$retention" ;;
        *:0) echo off ;;
        *) echo "$retention" ;;
    esac
}

quota_of_file() {
    bytes=$(value_of quota-backend-bytes)
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

tls_file() {
    path=$(value_of "client-transport-security.$1")
    echo "${path:-$(value_of "peer-transport-security.$1")}"
}

setup_of_file() {
    case $(value_of initial-cluster) in
        *,*) echo cluster ;;
        *) echo single ;;
    esac
}

# answers_of_file FILE: fills ANSWERS. Status 2, and nothing is filled, if the file can't be read for certain.
answers_of_file() {
    LISTED=$(yaml_list "$1") || return 2
    give setup "$(setup_of_file)"
    give node-name "$(value_of name)"
    listen=$(value_of listen-peer-urls)
    give address "$(host_of "${listen:-$(value_of listen-client-urls)}")"
    give members "$(value_of initial-cluster)"
    state=$(value_of initial-cluster-state)
    give cluster-state "${state:-new}"
    give cluster-token "$(value_of initial-cluster-token)"
    give data-dir "$(value_of data-dir)"
    give tls-ca "$(tls_file trusted-ca-file)"
    give tls-cert "$(tls_file cert-file)"
    give tls-key "$(tls_file key-file)"
    give tls false
    [ -z "$(answer tls-cert)" ] || give tls true
    metrics=$(value_of listen-metrics-urls)
    case $metrics in
        *,*) ;;
        *) metrics=${metrics#http://} ;;
    esac
    give metrics-address "$metrics"
    give heartbeat-interval "$(value_of heartbeat-interval)"
    give election-timeout "$(value_of election-timeout)"
    give quota "$(quota_of_file)"
    give auto-compaction "$(compaction_of_file)"
}
