# shellcheck shell=sh
# Takes a member's data to another directory, in steps that a kill may end anywhere: run again, they go on.
# Needs: process.

# data_is_in_use DIR: a running etcd holds a lock on its database.
data_is_in_use() {
    if [ -e "$1/member/snap/db" ]; then ! flock --nonblock --shared "$1/member/snap/db" true; else return 1; fi
}

# way_to_end_users DIR: what ends those that have its database open, as a command.
way_to_end_users() {
    find /proc/[0-9]*/fd -lname "$(readlink -f "$1")/member/snap/db" 2>/dev/null | cut -d / -f 3 | sort -un | while read -r user; do
        if user_unit=$(process_unit "$user"); then
            echo "systemctl stop $user_unit"
        else
            echo "kill $user; while [ -e /proc/$user ]; do sleep 1; done"
        fi
    done | paste -sd ';' | sed 's/;\([^ ]\)/; \1/g'
}

# fits_into SOURCE TARGET: TARGET's file system has room for a copy of SOURCE. Parts of the path may not be there yet.
fits_into() {
    existing=$2
    while [ ! -d "$existing" ]; do existing=$(dirname "$existing"); done
    needed=$(du -sk "$1" | cut -f 1)
    free=$(df -Pk "$existing" | awk 'NR == 2 { print $4 }')
    [ "$free" -gt "$((needed + 10240))" ]
}

# copy_verified SOURCE COPY: status 1, and what differs, if the copy is not the same.
copy_verified() { cp -a "$1" "$2" 2>&1 && diff -rq "$1" "$2" 2>&1; }

# move_member SOURCE WAL TARGET: TARGET/member becomes a verified copy of SOURCE/member, in one rename. A log kept elsewhere
# (WAL, else empty) comes into it. Status 1, and the reason: not so, and nothing is lost.
move_member() {
    rm -rf "$3/.partial"
    if [ -e "$3/member" ]; then return 0; fi
    if ! fits_into "$1" "$3"; then
        echo "$3 has not enough free space for a copy of $1 ($(du -sh "$1" | cut -f 1))"
        return 1
    fi
    # Each step by hand: in a condition of the caller, set -e ends nothing.
    {
        install -d -m 0700 "$3/.partial" && copy_verified "$1/member" "$3/.partial/member" &&
            if [ -n "$2" ]; then rm -rf "$3/.partial/member/wal" && copy_verified "$2" "$3/.partial/member/wal"; fi &&
            chown -R etcd:etcd "$3/.partial" && find "$3/.partial" -type d -exec chmod 0700 {} + && sync -f "$3/.partial" &&
            mv "$3/.partial/member" "$3/member" && rmdir "$3/.partial" && sync -f "$3"
    } 2>&1
}

# retire_data DIR: the original stays, but under a name that no etcd starts from: it would be an old copy of this member.
retire_data() {
    if [ -e "$1/member" ]; then
        mv "$1/member" "$1/member.before-etcd-ha"
        sync -f "$1"
    fi
}
