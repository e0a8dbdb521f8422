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

scheme() {
    if [ "$(answer tls)" = true ]; then echo https; else echo http; fi
}
