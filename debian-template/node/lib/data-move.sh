# shellcheck shell=sh
# Moves a member's data to another directory. If killed at any step, run again: it continues.
# Needs: process.

# data_is_in_use DIR: a running etcd holds a lock on its database.
data_is_in_use() {
    if [ -e "$1/member/snap/db" ]; then ! flock --nonblock --shared "$1/member/snap/db" true; else return 1; fi
}

# way_to_end_users DIR: a command that ends the processes that have its database open.
way_to_end_users() {
    find /proc/[0-9]*/fd -lname "$(readlink -f "$1")/member/snap/db" 2>/dev/null | cut -d / -f 3 | sort -un | while read -r user; do
        if user_unit=$(process_unit "$user"); then
            echo "systemctl stop $user_unit"
        else
            echo "kill $user; while [ -e /proc/$user ]; do sleep 1; done"
        fi
    done | paste -sd ';' | sed 's/;\([^ ]\)/; \1/g'
}

# fits_into SOURCE TARGET: whether TARGET's file system has space for a copy of SOURCE. Parts of the path may not exist yet.
fits_into() {
    existing=$2
    while [ ! -d "$existing" ]; do existing=$(dirname "$existing"); done
    needed=$(du -sk "$1" | cut -f 1)
    free=$(df -Pk "$existing" | awk 'NR == 2 { print $4 }')
    [ "$free" -gt "$((needed + 10240))" ]
}

# copy_verified SOURCE COPY: status 1, and what differs, if the copy is not identical.
copy_verified() { cp -a "$1" "$2" 2>&1 && diff -rq "$1" "$2" 2>&1; }

# move_member SOURCE WAL TARGET: TARGET/member becomes a verified copy of SOURCE/member, in one rename. It includes a log kept
# elsewhere (WAL, otherwise empty). Status 1, and the reason: it was not copied, and nothing is lost.
move_member() {
    rm -rf "$3/.partial"
    if [ -e "$3/member" ]; then return 0; fi
    if ! fits_into "$1" "$3"; then
        echo "$3 does not have enough free space for a copy of $1 ($(du -sh "$1" | cut -f 1))"
        return 1
    fi
    # Steps joined by &&: set -e has no effect in a condition of the caller.
    {
        install -d -m 0700 "$3/.partial" && copy_verified "$1/member" "$3/.partial/member" &&
            if [ -n "$2" ]; then rm -rf "$3/.partial/member/wal" && copy_verified "$2" "$3/.partial/member/wal"; fi &&
            chown -R etcd:etcd "$3/.partial" && find "$3/.partial" -type d -exec chmod 0700 {} + && sync -f "$3/.partial" &&
            mv "$3/.partial/member" "$3/member" && rmdir "$3/.partial" && sync -f "$3"
    } 2>&1
}

# retire_data DIR: keeps the original, under a name from which no etcd starts: it is an outdated copy of this member.
retire_data() {
    if [ -e "$1/member" ]; then
        mv "$1/member" "$1/member.before-etcd-ha"
        sync -f "$1"
    fi
}
