# shellcheck shell=sh
# For preinst: keys of the v2 API, which etcd 3.6 refuses. Needs notice.sh, member.sh, upgrade-rules.sh, guard.sh,
# snapshot.sh; $view is a directory.
# shellcheck disable=SC2154  # view

# The v2 store: only the tools of 3.5 can tell, on a copy, since the member runs.
guard_against_v2_data() { # FROM TO
    is_step "$1" "$2" 3.5 3.6 || return 0
    if ! "$ETCD_BIN/etcdutl" check v2store --help >/dev/null 2>&1; then
        say "warning: etcd $1 can't tell whether data of the v2 API is left, which 3.6 refuses; 3.5.32 and later can"
    elif ! copy_log "$view/copy/member"; then
        say "warning: not checked whether data of the v2 API is left, which 3.6 refuses: no room for a copy in ${view%/*}"
    elif ! "$ETCD_BIN/etcdutl" check v2store --data-dir "$view/copy" >"$view/v2" 2>&1; then
        rm -rf "$view/copy"
        if ! grep -q 'custom .*content' "$view/v2"; then
            say "warning: not checked whether data of the v2 API is left, which 3.6 refuses: $(tail -n 1 "$view/v2")"
            return 0
        fi
        refuse_upgrade "etcd $2 would not start: keys of the v2 API are left" "$(tail -n 1 "$view/v2")" \
            "3.6 has no v2 store and refuses data in it (https://etcd.io/docs/v3.6/upgrades/upgrade_3_6/)" \
            "move clients to the v3 API (Patroni: etcd3), delete the v2 keys (ETCDCTL_API=2 etcdctl rm -r /service);
         when the member has written its next snapshot (snapshot-count) they are gone"
    fi
    rm -rf "$view/copy"
}

# copy_log DIR: log and v2 snapshots, where that leaves room enough.
copy_log() {
    copied_log=$(wal_dir) && copied_data=$(data_dir) || return 1
    log_bytes=$(du -sbc "$copied_log" "$copied_data"/member/snap/*.snap 2>/dev/null | tail -n 1 | cut -f 1)
    has_room "${view%/*}" "${log_bytes:-0}" || return 1
    mkdir -p "$1/snap" "$1/wal"
    cp "$copied_data"/member/snap/*.snap "$1/snap/" 2>/dev/null || true
    cp "$copied_log"/*.wal "$1/wal/" 2>/dev/null || return 1
}
