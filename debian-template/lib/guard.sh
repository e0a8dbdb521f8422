# shellcheck shell=sh
# For preinst: refuses a step that upstream forbids, before a file changes. Facts are the old version, what runs in the
# cluster, and the data. Needs notice.sh, systemd.sh, yaml.sh, bbolt.sh, member.sh, cluster-view.sh, upgrade-rules.sh, v2-data.sh,
# snapshot.sh. $view is a directory of its own.
# shellcheck disable=SC2034,SC2154  # guarded_from and guarded_to are for preinst; view

# refuse_upgrade SUMMARY FOUND WHY WAY: ends the installation, unless the admin has taken it upon himself.
refuse_upgrade() {
    permit=/etc/etcd/allow-upgrade-to-$package_version
    if [ -e "$permit" ]; then
        say "warning: $1. It is done all the same, since $permit is there."
        return 0
    fi
    cat >&2 <<END
etcd-ha: error: $1
  found: $2
  why:   $3
  now:   $4
  Nothing was changed. To do it all the same, this once: touch $permit
END
    exit 1
}

# upstream_version DEBIAN_VERSION: 3.7.0-rc.0 of 3.7.0~rc.0-1.
upstream_version() { printf '%s\n' "${1%-*}" | sed 's/^[0-9]*://; s/~/-/'; }

# version_here OLD_PACKAGE: what last ran on the data: the process, else the old package, else a program of somebody's own.
version_here() {
    pid=$(unit_property MainPID)
    if [ "${pid:-0}" != 0 ]; then version_of_process "$pid" | grep . && return 0; fi
    if [ -n "$1" ]; then upstream_version "$1" && return 0; fi
    for program in "$ETCD_BIN/etcd" "$(command -v etcd)"; do
        if [ -x "$program" ]; then version_of "$program" | grep . && return 0; fi
    done
    return 0
}

# data_versions: of the cluster and of the storage, as the database says. A young cluster says 3.0.0 until all of its members
# have told their version.
data_versions() {
    {
        bbolt_get "$(database_file)" cluster clusterVersion || true
        bbolt_get "$(database_file)" meta storageVersion || true
    } | grep -v '^3\.0\.' || true
}

# lowest VERSION...
lowest() { printf '%s\n' "$@" | grep . | sort -V | head -n 1; }

way_back() { # DATA TO
    if [ "$(minors_apart "$1" "$2")" = -1 ] && minor_is_newer "$1" 3.5; then
        older=$(minor_of "$2" | tr ' ' .)
        echo "etcdctl downgrade validate $older && etcdctl downgrade enable $older; when all members show that storage version, again"
    else
        echo "keep ${1%.*}; the way back is a snapshot from before the upgrade, restored on all members"
    fi
}

# guard_against_older TO FROM: what ran last counts where the data says nothing.
guard_against_older() {
    newer=$(newer_data_versions "$1" | sed -n 1p)
    if [ -z "$newer" ] && [ -z "$(data_versions)" ] && minor_is_newer "$2" "$1"; then newer=$2; fi
    [ -n "$newer" ] || return 0
    refuse_upgrade "etcd $1 can't run on the data of etcd $newer" "$(data_dir) holds data of $newer" \
        "etcd does not start on data of a newer minor version" "$(way_back "$newer" "$1")"
}

guard_against_forbidden() { # FROM TO
    forbidden_step "$1" "$2" >"$view/forbidden"
    [ -s "$view/forbidden" ] || return 0
    # shellcheck disable=SC2046  # one line each
    refuse_upgrade "$(sed -n 1p "$view/forbidden")" "$(cat "$view/found")" "$(sed -n 2p "$view/forbidden")" \
        "$(sed -n 3p "$view/forbidden")"
}

warn_of_members() {
    awk -F '|' '$4 != "healthy" { print $2 == "" ? $3 : $2, "is", $4 }' "$view/rows" | while read -r ill; do
        say "warning: $ill; upstream asks for a healthy cluster before an upgrade to another minor version"
    done
}

# found: what runs where, for the message.
write_found() { # FROM
    {
        echo "etcd ${1:-of unknown version} on this node"
        awk -F '|' '$6 != "" { print "etcd " $6 " on " ($2 == "" ? $3 : $2) }' "$view/rows"
        data_versions | sed 's/^/data of /'
    } | sort -u | paste -sd , | sed 's/,/, /g' >"$view/found"
}

# oldest_of FROM: the oldest version in the cluster, whose version is that of its oldest member. The data knows the minor only.
oldest_of() {
    # shellcheck disable=SC2046  # versions
    oldest=$(lowest "$1" $(cut -d '|' -f 6 "$view/rows"))
    for data_version in $(data_versions); do
        if [ "$(minors_apart "$data_version" "${oldest:-$data_version}")" != 0 ] || [ -z "$oldest" ]; then
            oldest=$(lowest "$oldest" "${data_version%.*}")
        fi
    done
    echo "$oldest"
}

# guard OLD_PACKAGE: sets guarded_from, guarded_to; both are empty where there is nothing to lose.
guard() {
    guarded_from=
    guarded_to=
    : >"$view/rows"
    : >"$view/found"
    [ -r "$CONFIG" ] || return 0
    to=$(upstream_version "$package_version")
    if ! yaml_list "$CONFIG" >/dev/null 2>&1 || ! database_file >/dev/null 2>&1 || ! wal_dir >/dev/null 2>&1; then
        guard_by_version "$(version_here "$1")" "$to"
        return 0
    fi
    member_has_data || return 0
    from=$(version_here "$1")
    guard_against_older "$to" "$from"
    guarded_from=$from
    guarded_to=$to
    # shellcheck disable=SC2046  # versions
    [ "$(minors_apart "$(lowest "$from" $(data_versions))" "$to")" != 0 ] || return 0
    cluster_view "$view"
    warn_of_members
    write_found "$from"
    oldest=$(oldest_of "$from")
    if [ -z "$oldest" ]; then
        say "warning: nothing tells which version of etcd the data in $(data_dir) is of"
        return 0
    fi
    guard_against_forbidden "$oldest" "$to"
    inadvisable_step "$oldest" "$to" | while read -r advice; do say "warning: $advice"; done
    guard_against_v2_data "$oldest" "$to"
}

# guard_by_version FROM TO: where the file doesn't tell where the data is.
guard_by_version() {
    if [ -z "$1" ] || [ "$(minors_apart "$1" "$2")" = 0 ]; then return 0; fi
    say "warning: $CONFIG can't be read for certain (etcd-ha config lint), so neither data nor members are checked, and no" \
        "snapshot is taken"
    echo "etcd $1 on this node" >"$view/found"
    if minor_is_newer "$1" "$2"; then
        refuse_upgrade "etcd $2 can't run on the data of etcd $1" "etcd $1 ran here" \
            "etcd does not start on data of a newer minor version" "$(way_back "$1" "$2")"
    fi
    guard_against_forbidden "$1" "$2"
}
