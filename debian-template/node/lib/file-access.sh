# shellcheck shell=sh
# What the account that runs this may read and write.
# Needs: nothing.

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

# why_not_writable DIRECTORY: the system's reason, found with a temporary file, as etcd does it. "Read-only mount" means a
# file system that is writable elsewhere: a sandbox. Status 1: the directory is writable.
why_not_writable() {
    if refused=$(LC_ALL=C mktemp -p "$1" .etcd-ha-XXXXXX 2>&1); then
        rm -f "$refused"
        return 1
    fi
    refused=${refused##*: }
    if [ "$refused" = "Read-only file system" ]; then
        case ,$(findmnt -n -o FS-OPTIONS -T "$1"), in *,ro,*) ;; *) refused="Read-only mount" ;; esac
    fi
    echo "$refused"
}
