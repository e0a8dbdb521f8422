# shellcheck shell=sh
# Answers to the package's questions: one file per question in the folder ANSWERS. This part checks and completes them;
# it is also put into the config script, which runs before the package is unpacked.

# shellcheck disable=SC2034  # read by debconf.sh
QUESTIONS="setup node-name address members cluster-state cluster-token data-dir tls tls-ca tls-cert tls-key
metrics-address heartbeat-interval election-timeout quota auto-compaction"

# answer QUESTION: prints the answer, nothing if there is none.
answer() {
    [ ! -e "$ANSWERS/$1" ] || cat "$ANSWERS/$1"
}

# give QUESTION VALUE
give() {
    printf '%s' "$2" >"$ANSWERS/$1"
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

# complete_members TEXT SCHEME: the list with every entry as NAME=URL. Status 1: prints the entry that can't be used.
complete_members() {
    VALUE=$1 SCHEME=$2 LC_ALL=C awk "$ADDRESS_AWK"'
    function refuse(text) {
        print text
        exit 1
    }
    BEGIN {
        count = split(ENVIRON["VALUE"], entry, ",")
        if (!count) refuse("")
        for (i = 1; i <= count; i++) {
            gsub(/^[ \t]+|[ \t]+$/, "", entry[i])
            name = rest = entry[i]
            if (sub(/=.*/, "", name)) sub(/^[^=]*=/, "", rest)
            scheme = ENVIRON["SCHEME"]
            if (match(rest, /^[a-z]+:\/\//)) {
                scheme = substr(rest, 1, RLENGTH - 3)
                rest = substr(rest, RLENGTH + 1)
            }
            split_host(rest)
            if (PORT == "") PORT = 2380
            url = scheme "://" HOST ":" PORT
            if (name !~ /^[A-Za-z0-9._-]+$/ || scheme != ENVIRON["SCHEME"] || !is_host(HOST) || !is_port(PORT)) refuse(entry[i])
            if (url in seen) refuse(entry[i])
            seen[url] = 1
            result = result (i > 1 ? "," : "") name "=" url
        }
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

# quota_bytes TEXT: bytes of a number with or without M or G.
quota_bytes() {
    case $1 in
        "" | [MG] | *[!0-9MG]* | *[MG]?* | 0[0-9]* | ???????????????????*) return 1 ;;
        ??????????*[MG]) return 1 ;;
        *G) echo $((${1%G} * 1073741824)) ;;
        *M) echo $((${1%M} * 1048576)) ;;
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

scheme() {
    if [ "$(answer tls)" = true ]; then echo https; else echo http; fi
}
