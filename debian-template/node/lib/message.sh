# shellcheck shell=sh
# What commands and maintainer scripts say to people.
#
# The rule of this folder: only commands and maintainer scripts speak to people (standard error, debconf) or exit. Any other
# function gives its value on standard output and a status: 0, the value is there; 1, there is none, or no; 2, it can't be
# known for certain, and standard output has the reason in its place. pass_on (yaml.sh) hands such a reason to the caller.
# Needs: nothing.

# say TEXT...: standard output belongs to results, and in maintainer scripts to debconf.
say() {
    echo "etcd-ha: $*" >&2
}

# stop STATUS SUMMARY LINE...: ends the command; the lines show what to type next.
stop() {
    say "error: $2"
    stop_status=$1
    shift 2
    [ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/  /' >&2
    exit "$stop_status"
}

# fail SUMMARY LINE...
fail() { stop 1 "$@"; }

# quoted TEXT: as one shell word.
quoted() {
    case $1 in
        *[!A-Za-z0-9._=:,/-]*) printf "'%s'\n" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")" ;;
        *) printf '%s\n' "$1" ;;
    esac
}
