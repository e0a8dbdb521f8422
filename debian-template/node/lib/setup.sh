# shellcheck shell=sh
# From the answers in ANSWERS to edits of etcd.yaml. BOOTSTRAPPED is "yes" where the member has data:
# etcd then ignores name and initial-…, and nothing here may pretend otherwise.
# Needs: answers, check, from-file, host.
# shellcheck disable=SC2034,SC2154  # for the caller; changed, work and asked_tls are the caller's

edit() {
    printf 'set\t%s\t%s\t%s\n' "$1" "$2" "$3"
}

# edit_or_unset KEY KIND VALUE: without a value, etcd's default applies.
edit_or_unset() {
    if [ -n "$3" ]; then edit "$1" "$2" "$3"; else printf 'unset\t%s\n' "$1"; fi
}

# The members in etcd's syntax; a single node is a cluster of one.
member_list() {
    if [ "$(answer setup)" = single ]; then
        echo "$(answer node-name)=$(scheme)://$(bracketed "$(plain_address "$(answer address)")"):2380"
    else
        complete_members "$(answer members)" "$(scheme)"
    fi
}

edits_of_members() {
    own=$(urls_of "$(answer node-name)" "$(member_list)")
    if [ "${BOOTSTRAPPED-}" != yes ]; then
        edit initial-cluster string "$(member_list)"
        edit initial-advertise-peer-urls string "$own"
    fi
    own=${own%%,*}
    [ -z "$own" ] || edit advertise-client-urls string "${own%:*}:2379"
}

# etcdctl connects to 127.0.0.1 by default.
edits_of_address() {
    address=$(plain_address "$(answer address)")
    url=$(scheme)://$(bracketed "$address")
    clients=$url:2379
    [ "$address" = 127.0.0.1 ] || clients=$clients,$(scheme)://127.0.0.1:2379
    port=$(urls_of "$(answer node-name)" "$(member_list)")
    port=${port%%,*}
    port=${port##*:}
    edit listen-client-urls string "$clients"
    edit listen-peer-urls string "$url:${port:-2380}"
}

# own_pair PART: the file that members alone are shown, else that of clients as well.
own_pair() {
    own_file=$(answer "tls-peer-$1")
    echo "${own_file:-$(answer "tls-$1")}"
}

edits_of_tls() {
    for block in client peer; do
        for part in cert-file key-file trusted-ca-file client-cert-auth; do
            key=$block-transport-security.$part
            case $(answer tls):$block:$part in
                true:*:client-cert-auth) edit "$key" bool true ;;
                true:*:trusted-ca-file) edit "$key" string "$(answer tls-ca)" ;;
                true:client:*) edit "$key" string "$(answer "tls-${part%-file}")" ;;
                true:peer:*) edit "$key" string "$(own_pair "${part%-file}")" ;;
                *) printf 'unset\t%s\n' "$key" ;;
            esac
        done
    done
}

# Always both keys: etcd before 3.6 compacts nothing if the mode is not in the file.
edits_of_compaction() {
    case $(answer auto-compaction) in
        "" | off) set -- periodic 0 ;;
        revision:*) set -- revision "$(answer auto-compaction | cut -d : -f 2)" ;;
        *) set -- periodic "$(answer auto-compaction)" ;;
    esac
    edit auto-compaction-mode string "$1"
    edit auto-compaction-retention string "$2"
}

edits_of_metrics() {
    metrics=$(answer metrics-address)
    case $metrics in
        "" | *://*) ;;
        *) metrics=http://$metrics ;;
    esac
    edit_or_unset listen-metrics-urls string "$metrics"
}

edits_of_quota() {
    quota=$(answer quota)
    edit_or_unset quota-backend-bytes int "${quota:+$(quota_bytes "$quota")}"
}

# edits_of QUESTION: the edits that its answer requires.
edits_of() {
    case $1:${BOOTSTRAPPED-} in
        node-name:yes | cluster-state:yes | cluster-token:yes) ;;
        node-name:*) edit name string "$(answer node-name)" && edits_of_members ;;
        setup:* | members:*) edits_of_members && edits_of_address ;;
        address:*) edits_of_address && { [ "$(answer setup)" != single ] || edits_of_members; } ;;
        cluster-state:*) edit initial-cluster-state string "$(answer cluster-state)" ;;
        cluster-token:*) edit initial-cluster-token string "$(answer cluster-token)" ;;
        data-dir:*) edit data-dir string "$(answer data-dir)" ;;
        tls:*) edits_of_tls && edits_of_members && edits_of_address ;;
        tls-*) [ "$(answer tls)" != true ] || edits_of_tls | grep -v client-cert-auth ;;
        metrics-address:*) edits_of_metrics ;;
        heartbeat-interval:* | election-timeout:*) edit_or_unset "${1%%:*}" int "$(answer "$1")" ;;
        quota:*) edits_of_quota ;;
        auto-compaction:*) edits_of_compaction ;;
    esac
}

# Patroni uses the gateway, which etcd 3.4 disables by default if there is a file.
edits_of_new_file() {
    # The answer to members adds nothing to those to node-name and address.
    for question in node-name data-dir address cluster-state cluster-token tls metrics-address \
        heartbeat-interval election-timeout quota auto-compaction; do
        edits_of "$question" || true
    done | awk '!/^unset/ && !seen[$0]++'
    edit enable-grpc-gateway bool true
}

# Answers in the form that the file would give, so that both can be compared.
normalize_answers() {
    give address "$(plain_address "$(answer address)")"
    if members=$(complete_members "$(answer members)" "$(scheme)"); then give members "$members"; fi
    if quota=$(quota_bytes "$(answer quota)"); then
        give quota "$(short_quota "$quota")"
    fi
    for part in cert key; do
        [ "$(answer "tls-peer-$part")" != "$(answer "tls-$part")" ] || give "tls-peer-$part" ""
    done
    directory=$(answer data-dir)
    [ "$directory" = / ] || give data-dir "${directory%/}"
}

# changed_questions: the questions whose answers differ from the file.
changed_questions() {
    answered="$(answer setup):$(answer tls)"
    for question in $QUESTIONS; do
        if is_unread "$question"; then continue; fi
        case $question:$answered in
            members:single:* | tls-*:*:false) continue ;;
        esac
        cmp -s "$work/file/$question" "$work/asked/$question" || echo "$question"
    done
}

# is_void QUESTION: whether etcd ignores a changed answer because it reads it only at the first start. Others know the member by
# http or by https, and without TLS nothing uses its files.
is_void() {
    case $1 in
        setup | node-name | members | cluster-state | cluster-token | tls) ;;
        tls-*) [ "$asked_tls" != "$(cat "$work/file/tls")" ] ;;
        data-dir) ! is_bootstrapped "$(answer data-dir)" ;;
        *) return 1 ;;
    esac
}

first_bad_answer() {
    for question in $changed; do
        check_answer "$question" || { echo "$question" && return; }
    done
}

# settings_of_tls: keys and values of the answered files for "etcd-ha config set"; nothing if one of them is no path.
settings_of_tls() {
    for question in tls-ca tls-cert tls-key tls-peer-cert tls-peer-key; do check_answer "$question" || return 0; done
    edits_of_tls | awk -F '\t' '{ printf "%s%s %s", (NR > 1 ? " " : ""), $2, $4 }'
}

# way_to_tls: what leads a member that exists to what was answered, a step on each line.
way_to_tls() {
    tls_why="the other members and the clients use this member's current URLs"
    if [ "$asked_tls" = true ]; then
        echo "TLS was not turned on: $tls_why"
        tls_settings=$(settings_of_tls)
        [ -z "$tls_settings" ] || echo "To use the answered files: etcd-ha config set $tls_settings"
        echo "To turn TLS on, one member at a time: etcd-ha tls enable"
    else
        echo "TLS was not turned off: $tls_why"
        echo "To turn TLS off, one member at a time: etcd-ha tls disable"
    fi
}
