# shellcheck shell=sh
# Changing etcd.yaml: one writer at a time, in one rename, with owner and mode kept and a copy of the previous file.
# Needs: yaml.

BACKUPS=${BACKUPS:-${DPKG_ROOT-}/var/backups/etcd-ha}
# Seconds. An edit takes one or two, and twenty writers may wait for each other.
LOCK_WAIT=${LOCK_WAIT:-120}

# lock_file FILE: until unlock_file, or the end of this process however it ends, no other writer of this package reads FILE to
# change it. The lock is on FILE's directory, descriptor 7. Status 1, and the reason in LOCKED_OUT, if it is not free within
# LOCK_WAIT seconds.
lock_file() {
    mkdir -p "${1%/*}"
    exec 7<"${1%/*}"
    flock --wait "$LOCK_WAIT" 7 && return 0
    exec 7<&-
    # shellcheck disable=SC2034  # for the caller
    LOCKED_OUT="another program has been changing $1 for $LOCK_WAIT s (lslocks shows which)"
    return 1
}

unlock_file() {
    exec 7<&-
}

# why_untouchable FILE: prints why the file can't be edited safely; nothing if it can.
why_untouchable() {
    if [ -L "$1" ]; then
        echo "it is a symbolic link"
    elif [ ! -f "$1" ]; then
        echo "it is not a regular file"
    elif [ ! -r "$1" ]; then
        echo "it can't be read"
    else
        untouchable=$(yaml_list "$1") || printf '%s\n' "$untouchable"
    fi
}

keep_copy() {
    [ -d "$BACKUPS" ] || install -d -m 0700 "$BACKUPS"
    copy=$BACKUPS/${1##*/}.$(date -u +%Y%m%dT%H%M%SZ)
    while [ -e "$copy" ]; do copy=$copy+; done
    cp -p "$1" "$copy"
    sync "$copy"
}

# prepare_edits FILE EDITS: writes the edited file to FILE.etcd-ha-new, always that name, so that a kill leaves at most one.
# Status 1 if nothing changes, and then even the directory is untouched; 2, and the reason, if the file can't be edited.
prepare_edits() {
    edited=$(mktemp)
    status=0
    yaml_edit "$1" "$2" >"$edited" || status=2
    [ "$status" = 0 ] || cat "$edited"
    if [ "$status" = 0 ] && cmp -s "$1" "$edited"; then status=1; fi
    if [ "$status" = 0 ]; then
        cp -a "$1" "$1.etcd-ha-new"
        cat "$edited" >"$1.etcd-ha-new"
    fi
    rm -f "$edited"
    return "$status"
}

apply_edits() {
    prepare_edits "$1" "$2" || return
    keep_copy "$1"
    commit_file "$1"
}

commit_file() {
    sync "$1.etcd-ha-new"
    mv -f "$1.etcd-ha-new" "$1"
    sync "${1%/*}"
}

# Numeric, since names refer to the host's accounts while DPKG_ROOT is set.
etcd_group() {
    if [ -n "${DPKG_ROOT-}" ]; then
        awk -F : '$1 == "etcd" { print $3 }' "$DPKG_ROOT/etc/group"
    else
        getent group etcd | cut -d : -f 3
    fi
}

# create_file FILE EDITS: a new file, root:etcd 0640.
create_file() {
    mkdir -p "${1%/*}"
    (umask 077 && cat >"$1.etcd-ha-new") <<'END'
# Configuration of etcd, made by the package etcd-ha. Edit it freely: its values take precedence over the answers of
# "dpkg-reconfigure etcd-ha", and comments and other keys are kept. See etcd-ha(8) and etcd(1).
# The keys initial-... matter only at the first start of the member; later, change the cluster with "etcdctl member".

END
    first=$(yaml_edit "$1.etcd-ha-new" "$2") || pass_on "$first" || return
    printf '%s\n' "$first" >"$1.etcd-ha-new"
    chmod 0640 "$1.etcd-ha-new"
    chown "0:$(etcd_group)" "$1.etcd-ha-new"
    commit_file "$1"
}
