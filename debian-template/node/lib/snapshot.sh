# shellcheck shell=sh
# For preinst: a verified snapshot of the data before an upgrade. $view is a directory.
# Needs: member, upgrade.
# shellcheck disable=SC2154  # view

SNAPSHOTS=${SNAPSHOTS:-/var/backups/etcd-ha}
# What must stay free on the disk for the member itself: one part in RESERVED_PART of the disk, within a minimum and a maximum
# in bytes. 2 GiB is etcd's default limit for the size of a database, whatever the size of the disk.
RESERVE=67108864
RESERVE_AT_MOST=2147483648
RESERVED_PART=20

# debconf_answer QUESTION DEFAULT: without debconf's frontend, which would run the config script again.
debconf_answer() {
    answered=$(echo "GET etcd-ha/$1" | debconf-communicate -f noninteractive etcd-ha 2>/dev/null | sed -n 's/^0 //p') || true
    echo "${answered:-$2}"
}

# wants_snapshot FROM TO
wants_snapshot() {
    case $(debconf_answer snapshot minor) in
        never) return 1 ;;
        always) return 0 ;;
        *) [ "$(minors_apart "$1" "$2")" != 0 ] ;;
    esac
}

# space_of DIR: the free space, and how much of it must stay free, in bytes.
space_of() {
    df -Pk "$1" | awk -v part="$RESERVED_PART" -v least="$RESERVE" -v most="$RESERVE_AT_MOST" '
        NR == 2 {
            share = $2 * 1024 / part
            if (share < least) share = least
            if (share > most) share = most
            printf "%.0f %.0f\n", $4 * 1024, share
        }'
}

# has_room DIR BYTES
has_room() {
    space_of "$1" | SIZE=$2 awk '{ room = $1 - ENVIRON["SIZE"] >= $2 } END { exit !room }'
}

mebibytes() { awk -v bytes="$1" 'BEGIN { printf "%.0f MiB", bytes / 1048576 }'; }

# save_snapshot FILE: saves a snapshot and checks it with etcd's own tool.
save_snapshot() {
    timeout 900 "$ETCD_BIN/etcdctl" --endpoints="$endpoint" snapshot save "$1" >"$view/snapshot" 2>&1 || return 1
    # 3.4 has no etcdutl.
    checker=$ETCD_BIN/etcdutl
    [ -x "$checker" ] || checker=$ETCD_BIN/etcdctl
    "$checker" snapshot status "$1" >"$view/snapshot" 2>&1
}

prune_snapshots() {
    kept=$(debconf_answer snapshots-kept 3)
    case $kept in "" | 0 | *[!0-9]*) kept=3 ;; esac
    find "$SNAPSHOTS" -maxdepth 1 -name 'snapshot-*.db' -printf '%T@ %p\n' | sort -rn | sed "1,${kept}d; s/^[^ ]* //" |
        while read -r old; do rm -f "$old"; done
}

# copy_log DIR: copies the log and v2 snapshots, if that leaves enough free space.
copy_log() {
    copied_log=$(wal_dir) && copied_data=$(data_dir) || return 1
    log_bytes=$(du -sbc "$copied_log" "$copied_data"/member/snap/*.snap 2>/dev/null | tail -n 1 | cut -f 1)
    has_room "${view%/*}" "${log_bytes:-0}" || return 1
    mkdir -p "$1/snap" "$1/wal"
    cp "$copied_data"/member/snap/*.snap "$1/snap/" 2>/dev/null || true
    cp "$copied_log"/*.wal "$1/wal/" 2>/dev/null || return 1
}
