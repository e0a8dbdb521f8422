# shellcheck shell=sh
# Answers to the package's questions: one file per question in the folder ANSWERS. This part checks and completes them;
# it is also put into the config script, which runs before the package is unpacked.
# Needs: nothing.

# shellcheck disable=SC2034  # read by debconf.sh
QUESTIONS="setup node-name address members cluster-state cluster-token data-dir tls tls-ca tls-cert tls-key
tls-peer-cert tls-peer-key metrics-address heartbeat-interval election-timeout quota auto-compaction"

# answer QUESTION: prints the answer, nothing if there is none.
answer() {
    if [ -e "$ANSWERS/$1" ]; then
        # No newline ends it, which read reports.
        IFS= read -r given <"$ANSWERS/$1" || true
        printf '%s' "$given"
    fi
}

# give QUESTION VALUE
give() {
    printf '%s' "$2" >"$ANSWERS/$1"
}

# quota_bytes TEXT: bytes of a number with or without M or G.
quota_bytes() {
    case $1 in
        "" | [MGmg] | *[!0-9MGmg]* | *[MGmg]?* | 0[0-9]* | ???????????????????*) return 1 ;;
        ??????????*[MGmg]) return 1 ;;
        *[Gg]) echo $((${1%?} * 1073741824)) ;;
        *[Mm]) echo $((${1%?} * 1048576)) ;;
        *) echo "$1" ;;
    esac
}

# is_path TEXT: absolute, and safe in a unit file as well.
is_path() {
    case $1 in
        *[!A-Za-z0-9/._+@:-]* | */../* | */..) return 1 ;;
        /?*) ;;
        *) return 1 ;;
    esac
}

is_number() {
    case $1 in
        "" | *[!0-9]* | 0?* | ??????????*) return 1 ;;
    esac
}

# is_bootstrapped DATA-DIR: whether it contains a member already.
is_bootstrapped() {
    [ -n "$1" ] && [ -d "${DPKG_ROOT-}$1/member" ]
}

scheme() {
    if [ "$(answer tls)" = true ]; then echo https; else echo http; fi
}

# Functions of awk for addresses; LC_ALL=C, arguments by the environment.
ADDRESS_AWK='
function is_ipv4(text,    part, i) {
    if (split(text, part, ".") != 4) return 0
    for (i = 1; i <= 4; i++) if (part[i] !~ /^(0|[1-9][0-9]?[0-9]?)$/ || part[i] > 255) return 0
    return 1
}
function is_ipv6(text,    part, groups, i, n) {
    n = split(text, part, ":")
    if (n < 3 || text !~ /^[0-9a-fA-F:.]+$/ || text ~ /:::/ || text ~ /::.*::/) return 0
    if (text ~ /^:[^:]/ || text ~ /[^:]:$/) return 0
    for (i = 1; i <= n; i++) {
        if (part[i] ~ /^[0-9a-fA-F][0-9a-fA-F]?[0-9a-fA-F]?[0-9a-fA-F]?$/) groups++
        else if (i == n && is_ipv4(part[i])) groups += 2
        else if (part[i] != "") return 0
    }
    return text ~ /::/ ? groups < 8 : groups == 8
}
function is_ip(text) {
    return is_ipv4(text) || is_ipv6(text)
}
function is_host(text) {
    if (text ~ /^\[.*\]$/) return is_ipv6(substr(text, 2, length(text) - 2))
    return text ~ /^[A-Za-z0-9._-]+$/ && (text !~ /^[0-9.]+$/ || is_ipv4(text))
}
function is_port(text) {
    return text ~ /^[1-9][0-9]?[0-9]?[0-9]?[0-9]?$/ && text <= 65535
}
# Sets HOST and PORT; "" for what is not there.
function split_host(text) {
    PORT = ""
    HOST = is_ipv6(text) ? "[" text "]" : text
    if (HOST == text && match(text, /:[^:\]]*$/)) {
        HOST = substr(text, 1, RSTART - 1)
        PORT = substr(text, RSTART + 1)
        if (PORT == "") PORT = "missing"
    }
}
'

is_ip() {
    VALUE=$1 LC_ALL=C awk "$ADDRESS_AWK"'BEGIN { exit !is_ip(ENVIRON["VALUE"]) }'
}

# is_listener TEXT: an IP address and a port, or URLs that etcd can listen on.
is_listener() {
    VALUE=$1 LC_ALL=C awk "$ADDRESS_AWK"'BEGIN {
        n = split(ENVIRON["VALUE"], url, /, */)
        for (i = 1; i <= n; i++) {
            if (!sub(/^https?:\/\//, "", url[i]) && (n > 1 || url[i] ~ /\//)) exit 1
            split_host(url[i])
            address = HOST
            gsub(/[][]/, "", address)
            if (!is_port(PORT) || !(is_ipv4(HOST) || HOST ~ /^\[/ && is_ipv6(address) || HOST == "localhost")) exit 1
        }
    }'
}

# complete_members TEXT SCHEME: the list with every entry as NAME=URL; harmless differences (blanks, empty entries, a slash
# at the end, the case of the scheme) are corrected. Status 1: prints KIND<tab>ENTRY of the entry that can't be used; KIND is
# empty, name, scheme, host, port, path or double.
complete_members() {
    VALUE=$1 SCHEME=$2 LC_ALL=C awk "$ADDRESS_AWK"'
    function refuse(kind, text) {
        print kind "\t" text
        exit 1
    }
    BEGIN {
        count = split(ENVIRON["VALUE"], entry, ",")
        for (i = 1; i <= count; i++) {
            gsub(/^[ \t]+|[ \t]+$/, "", entry[i])
            if (entry[i] == "") continue
            name = rest = entry[i]
            if (sub(/[ \t]*=.*/, "", name)) sub(/^[^=]*=[ \t]*/, "", rest)
            if (name !~ /^[A-Za-z0-9._-]+$/) refuse("name", entry[i])
            scheme = ENVIRON["SCHEME"]
            if (match(rest, /^[A-Za-z]+:\/\//)) {
                scheme = tolower(substr(rest, 1, RLENGTH - 3))
                rest = substr(rest, RLENGTH + 1)
            }
            if (scheme != ENVIRON["SCHEME"]) refuse("scheme", entry[i])
            sub(/\/$/, "", rest)
            if (index(rest, "/")) refuse("path", entry[i])
            split_host(rest)
            if (PORT == "") PORT = 2380
            if (!is_host(HOST)) refuse("host", entry[i])
            if (!is_port(PORT)) refuse("port", entry[i])
            url = scheme "://" HOST ":" PORT
            if (tolower(url) in seen) refuse("double", entry[i])
            seen[tolower(url)] = 1
            result = result (result == "" ? "" : ",") name "=" url
        }
        if (result == "") refuse("empty", "")
        print result
    }'
}

# urls_of NAME MEMBERS: the URLs of one member, separated by commas.
urls_of() {
    NAME=$1 MEMBERS=$2 awk 'BEGIN {
        n = split(ENVIRON["MEMBERS"], entry, ",")
        prefix = ENVIRON["NAME"] "="
        for (i = 1; i <= n; i++) if (index(entry[i], prefix) == 1) {
            printf "%s%s", comma, substr(entry[i], length(prefix) + 1)
            comma = ","
        }
    }'
}

# names_of MEMBERS: the names in the list, each once.
names_of() {
    printf '%s\n' "$1" | tr ',' '\n' | sed 's/=.*//' | awk '!seen[$0]++ { printf "%s%s", comma, $0; comma = ", " }'
}

# plain_address TEXT: without the brackets that an IPv6 address has in a URL.
plain_address() {
    case $1 in
        "["*:*"]") printf '%s\n' "$1" | tr -d '[]' ;;
        *) printf '%s\n' "$1" ;;
    esac
}
