# shellcheck shell=sh
# For preinst: a verified snapshot of the data before an upgrade. Needs member.sh, guard.sh; $view is a directory.
# shellcheck disable=SC2154  # view

SNAPSHOTS=${SNAPSHOTS:-/var/backups/etcd-ha}
# What stays free on the disk besides, for the member itself: one in RESERVED_PART of the whole, but at least and at most
# so many bytes. 2 GiB is etcd's own default for the size of a database, whatever the size of the disk.
RESERVE=67108864
RESERVE_AT_MOST=2147483648
RESERVED_PART=20

# debconf_answer QUESTION DEFAULT: without debconf's front end, which would run the config script once more.
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

# space_of DIR: what is free there, and what has to stay free, in bytes.
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

# take_snapshot FROM TO
take_snapshot() {
    if ! [ -x "$ETCD_BIN/etcdctl" ]; then
        say "warning: no snapshot before the upgrade, since there is no etcdctl"
        return 0
    fi
    if ! endpoint=$(own_endpoint 2>"$view/reason"); then
        say "warning: no snapshot before the upgrade, since nothing tells where the member on this node listens:" \
            "$(cat "$view/reason")"
        return 0
    fi
    if ! ask_etcd 3 "$endpoint" endpoint status >/dev/null; then
        say "warning: no snapshot before the upgrade, since the member on this node does not answer"
        return 0
    fi
    mkdir -p "$SNAPSHOTS"
    chmod 0700 "$SNAPSHOTS"
    # What a killed run left.
    rm -f "$SNAPSHOTS"/snapshot-*.db.part
    size=$(stat -c %s "$(database_file)")
    if ! has_room "$SNAPSHOTS" "$size"; then
        # shellcheck disable=SC2046  # two numbers
        set -- "$1" "$2" $(space_of "$SNAPSHOTS")
        refuse_upgrade "$SNAPSHOTS has no room for the snapshot before the upgrade to etcd $2" \
            "the database has $(mebibytes "$size"), $(mebibytes "$3") are free, and $(mebibytes "$4") of these have to stay free" \
            "a full disk would stop the member" \
            "make room (older snapshots: $SNAPSHOTS/snapshot-*.db), or mount a larger disk there; then again"
        return 0
    fi
    snapshot=$SNAPSHOTS/snapshot-$1-$(date -u +%Y%m%dT%H%M%SZ).db
    # Of another member, in the same second.
    [ ! -e "$snapshot" ] || snapshot=${snapshot%.db}-$$.db
    if ! save_snapshot "$snapshot"; then
        rm -f "$snapshot" "$snapshot.part"
        refuse_upgrade "no snapshot could be made before the upgrade to etcd $2" "$(tail -n 1 "$view/snapshot")" \
            "without one there is no way back to $1" \
            "with authentication on, put USER:PASSWORD into $CREDENTIALS (mode 0600). To see more: etcdctl --endpoints=$endpoint snapshot save $snapshot"
        return 0
    fi
    say "snapshot of the data: $snapshot"
    prune_snapshots
}

mebibytes() { awk -v bytes="$1" 'BEGIN { printf "%.0f MiB", bytes / 1048576 }'; }

# save_snapshot FILE: as etcd itself checks it.
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
