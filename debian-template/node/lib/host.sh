# shellcheck shell=sh
# Names and addresses as this host sees them. Also part of the config script and of preinst, so it uses only what is installed.
# Needs: nothing.

# own_addresses: of this host's interfaces, one per line. Status 1: unknown.
own_addresses() {
    ip -o address show 2>/dev/null | sed -n 's|.* inet6\{0,1\} \([^ /]*\).*|\1|p' | grep . && return 0
    # It omits loopback and link-local addresses.
    hostname --all-ip-addresses 2>/dev/null | tr ' ' '\n' | grep .
}

is_name() {
    case $1 in
        *:*) return 1 ;;
        *[!0-9.]*) ;;
        *) return 1 ;;
    esac
}

is_loopback() {
    case $1 in 127.* | ::1) ;; *) return 1 ;; esac
}

# canonical_address: an IPv6 address can be written in many ways.
canonical_address() {
    case $1 in
        *:*) { getent ahostsv6 "$1" 2>/dev/null || printf '%s\n' "$1"; } | awk 'NR == 1 { print tolower($1) }' ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# addresses_of HOST: what it resolves to on this host, one address per line. As in etcd, /etc/hosts takes precedence. Status 1:
# it does not resolve; 2: no answer within a second.
addresses_of() {
    if ! is_name "$1"; then
        canonical_address "$1"
        return 0
    fi
    hosts_lines "$1" | awk '{ print tolower($1); found = 1 } END { exit !found }' && return 0
    lookup_status=0
    looked_up=$(timeout 1 getent ahosts "$1" 2>/dev/null) || lookup_status=$?
    [ "$lookup_status" != 124 ] || return 2
    printf '%s\n' "$looked_up" | awk 'NF && !seen[$1]++ { print $1; found = 1 } END { exit !found }'
}

# hosts_lines NAME: the lines of /etc/hosts that have the name, without comments.
hosts_lines() {
    NAME=$1 awk '
        { sub(/#.*/, "") }
        {
            $1 = $1
            for (i = 2; i <= NF; i++) if (tolower($i) == tolower(ENVIRON["NAME"])) { print; next }
        }' "${HOSTS_FILE:-/etc/hosts}" 2>/dev/null
}

# url_here ADVERTISED LISTENS: the URL by which this host reaches the member that listens on the URLs LISTENS: the advertised one,
# whose name the certificate contains, if it resolves to one of them; otherwise one of them.
url_here() {
    hosts_listened=$(host_of "$2")
    case ,$(printf '%s\n' "$hosts_listened" | paste -sd, -), in
        *,0.0.0.0,* | *,::,*) ;;
        *)
            if ! addresses_of "$(host_of "$1")" | grep -qFx -- "$hosts_listened"; then
                printf '%s\n' "$2" | tr ',' '\n' | sed 's/[[:space:]]//g' | awk '
                    NR == 1 { first = $0 }
                    !/\/\/(127\.|localhost:|\[::1\]:)/ && far == "" { far = $0 }
                    END { print far != "" ? far : first }'
                return 0
            fi
            ;;
    esac
    printf '%s\n' "$1"
}

# host_of URLS: of each URL, one a line, without brackets.
host_of() { printf '%s\n' "$1" | tr ',' '\n' | sed 's|^[[:space:]]*[A-Za-z]*://||; s|[[:space:]/].*||; s|:[0-9]*$||; s|^\[\(.*\)\]$|\1|'; }

# resolved URLS: the URLs with addresses instead of names, sorted, as etcd compares them. Status 1: a name does not resolve here.
resolved() {
    resolved_urls=$(printf '%s\n' "$1" | tr ',' '\n' | sed 's/[[:space:]]//g' | while read -r url; do
        leads_to=$(addresses_of "$(host_of "$url")" | sort -u | paste -sd+ -)
        printf '%s://%s:%s\n' "${url%%://*}" "${leads_to:-unknown}" "${url##*:}"
    done | sort | paste -sd, -)
    case $resolved_urls in *://unknown:*) return 1 ;; esac
    printf '%s\n' "$resolved_urls"
}

# bracketed HOST: as a URL has it.
bracketed() {
    case $1 in
        *:*) echo "[$1]" ;;
        *) echo "$1" ;;
    esac
}

# host_doubts NAME ADDRESS: reasons why a member NAME that listens on ADDRESS ("" for all addresses) may not work on this host.
# Stdin: lines "NAME HOST", the hosts by which the members are reached. Stdout: lines KIND<tab>FOUND<tab>EXPECTED; KIND is
# foreign-address, own-url, own-name, peer-name, unknown-name or no-answer.
host_doubts() {
    listens=$(canonical_address "$2")
    doubt() { printf '%s\t%s\t%s\n' "$@"; }
    if [ -n "$listens" ] && ! is_loopback "$listens" && own=$(own_addresses) &&
        ! for address in $own; do canonical_address "$address"; done | grep -qFx -- "$listens"; then
        doubt foreign-address "$2" "$(for address in $own; do is_loopback "$address" || printf '%s ' "$address"; done)"
    fi
    answers=$(mktemp -d)
    # In parallel, since a name server that does not answer takes time.
    cat >"$answers/entries"
    entry=0
    while read -r member host; do
        entry=$((entry + 1))
        { addresses_of "$host" >"$answers/$entry" || echo $? >"$answers/$entry.status"; } &
    done <"$answers/entries"
    wait
    entry=0
    while read -r member host; do
        entry=$((entry + 1))
        if [ -e "$answers/$entry.status" ]; then
            if [ "$(cat "$answers/$entry.status")" = 2 ]; then doubt no-answer "$host" ""; else doubt unknown-name "$host" ""; fi
            continue
        fi
        elsewhere=$(while read -r address; do is_loopback "$address" || echo "$address"; done <"$answers/$entry")
        if [ "$member" != "$1" ]; then
            if [ -z "$elsewhere" ] && is_name "$host"; then doubt peer-name "$host" "$(sed -n 1p "$answers/$entry")"; fi
        elif [ -n "$listens" ] && ! grep -qFx -- "$listens" "$answers/$entry"; then
            if [ -z "$elsewhere" ] && is_name "$host"; then
                doubt own-name "$host" "$2"
            else
                doubt own-url "$host" "$2"
            fi
        fi
    done <"$answers/entries"
    rm -rf "$answers"
}
