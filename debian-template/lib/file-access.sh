# shellcheck shell=sh
# What the account that runs this may read.

# blocked_at FILE: the first part of the path that this account can't enter or read.
blocked_at() {
    walked=
    remaining=${1#/}
    while [ "$remaining" != "${remaining#*/}" ]; do
        walked=$walked/${remaining%%/*}
        remaining=${remaining#*/}
        [ -e "$walked" ] || return 1
        [ -x "$walked" ] || { echo "$walked" && return 0; }
    done
    if [ -e "$1" ] && ! [ -r "$1" ]; then echo "$1"; else return 1; fi
}
