# shellcheck shell=sh
# How to reach this node's member and its peers with etcdctl.
# Needs: host, member, yaml.

CREDENTIALS=${CREDENTIALS:-/etc/etcd/credentials}
# shellcheck disable=SC2034  # for the callers
ASKS_FOR_USER="the cluster requires a user: write USER:PASSWORD of a user with the role root to $CREDENTIALS (owner root, mode 0600)"

# own_endpoint: where etcdctl on this node finds the member: loopback if it listens there, but with TLS a name that its
# certificate contains.
own_endpoint() {
    listens=$(setting listen-client-urls http://localhost:2379) || pass_on "$listens" || return
    case $listens in
        *https://*)
            advertised=$(setting advertise-client-urls "$listens") || pass_on "$advertised" || return
            url_here "$(first_of "$advertised")" "$listens"
            return 0
            ;;
    esac
    # shellcheck disable=SC2016  # awk's variables
    printf '%s\n' "$listens" | tr ',' '\n' | awk '
        {
            gsub(/^[ \t]+|[ \t]+$/, "")
            sub(/\/\/0\.0\.0\.0:/, "//127.0.0.1:")
            sub(/\/\/\[::\]:/, "//[::1]:")
            if (first == "") first = $0
            if (near == "" && /\/\/(127\.|localhost:|\[::1\]:)/) near = $0
        }
        END { print near != "" ? near : first }'
}

# client_url_of_host HOST: a guess from this node's own client URL; in a cluster that we set up only the host differs.
client_url_of_host() {
    own_url=$(setting advertise-client-urls http://localhost:2379) || pass_on "$own_url" || return
    own_url=$(first_of "$own_url")
    own_port=$(printf '%s\n' "$own_url" | sed -n 's|.*:\([0-9]*\)/*$|\1|p')
    printf '%s://%s:%s\n' "${own_url%%://*}" "$(bracketed "$1")" "${own_port:-2379}"
}

# identify_client: sets the ETCDCTL_ variables for etcdctl; those that the caller has set win. USER:PASSWORD is for a cluster
# with authentication on. Status 2: the certificate settings could be read only in part.
identify_client() {
    # These conflict with the options given here, and etcdctl then fails.
    unset ETCDCTL_ENDPOINTS ETCDCTL_WRITE_OUT ETCDCTL_DIAL_TIMEOUT ETCDCTL_COMMAND_TIMEOUT ETCDCTL_HEX ETCDCTL_DISCOVERY_SRV
    export ETCDCTL_API=3
    if [ -z "${ETCDCTL_USER-}" ] && [ -r "$CREDENTIALS" ]; then
        ETCDCTL_USER=$(head -n 1 "$CREDENTIALS")
        export ETCDCTL_USER
    fi
    # Without a file and without a process, there is no certificate to present.
    [ -e "$CONFIG" ] || [ -n "${PROCESS_TELLS-}" ] || return 0
    client_scheme=$(setting listen-client-urls) || pass_on "$client_scheme" || return
    case $client_scheme in *https://*) present_certificate ;; esac
}

# present_certificate: the certificate that etcdctl presents to a member that requires one. Status 2 as above.
present_certificate() {
    ca=$(setting client-transport-security.trusted-ca-file) || pass_on "$ca" || return
    if [ -n "$ca" ]; then export ETCDCTL_CACERT="${ETCDCTL_CACERT:-$ca}"; fi
    auto_tls=$(setting client-transport-security.auto-tls) || pass_on "$auto_tls" || return
    if [ "$auto_tls" = true ]; then export ETCDCTL_INSECURE_SKIP_TLS_VERIFY=true; fi
    certificate=$(setting client-transport-security.client-cert-file) || pass_on "$certificate" || return
    key=$(setting client-transport-security.client-key-file) || pass_on "$key" || return
    if [ -z "$certificate" ]; then
        certificate=$(setting client-transport-security.cert-file) || pass_on "$certificate" || return
        key=$(setting client-transport-security.key-file) || pass_on "$key" || return
    fi
    if [ -n "$certificate" ] && [ -n "$key" ] && [ -r "$key" ]; then
        export ETCDCTL_CERT="${ETCDCTL_CERT:-$certificate}" ETCDCTL_KEY="${ETCDCTL_KEY:-$key}"
    fi
}

# ask_etcd SECONDS ENDPOINTS ARGUMENT...: runs etcdctl with a time limit. Its error messages go to the file ASK_COMPLAINT, if
# that is set.
ask_etcd() {
    ask_bound=$1
    ask_endpoints=$2
    shift 2
    timeout "$((ask_bound + 1))" "$ETCD_BIN/etcdctl" --endpoints="$ask_endpoints" \
        --dial-timeout="${ask_bound}s" --command-timeout="${ask_bound}s" "$@" </dev/null 2>"${ASK_COMPLAINT:-/dev/null}"
}
