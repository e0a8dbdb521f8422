# shellcheck shell=sh
# For preinst: refuses a step that upstream forbids, before a file changes. Facts are what runs, the old version, what runs in
# the cluster, and the data. Needs notice.sh, systemd.sh, yaml.sh, bbolt.sh, member.sh, cluster-view.sh, upgrade-rules.sh,
# v2-data.sh, guarded.sh. $view is a directory of its own.
# shellcheck disable=SC2154  # view

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
# have told their version. Status 2: it can't be read, and stderr says why.
data_versions() {
    versions_database=$(database_file) || return 2
    versions_cluster=$(bbolt_value "$versions_database" cluster clusterVersion) || return 2
    versions_storage=$(bbolt_value "$versions_database" meta storageVersion) || return 2
    printf '%s\n' "$versions_cluster" "$versions_storage" | grep . | grep -v '^3\.0\.' || true
}

# lowest VERSION...
lowest() { printf '%s\n' "$@" | grep . | sort -V | head -n 1; }

way_back() { # DATA TO
    if [ "$(minors_apart "$1" "$2")" = -1 ] && minor_is_newer "$1" 3.5; then
        older=$(minor_of "$2" | tr ' ' .)
        echo "etcdctl downgrade validate $older && etcdctl downgrade enable $older. When all members show that storage version, again"
    else
        echo "keep ${1%.*}; the way back is a snapshot from before the upgrade, restored on all members"
    fi
}

# guard_against_older TO FROM: what ran last counts where the data says nothing.
guard_against_older() {
    newer=$(newer_data_versions "$1" 2>/dev/null | sed -n 1p) || newer=
    if [ -z "$newer" ] && [ -z "$(data_versions 2>/dev/null)" ] && minor_is_newer "$2" "$1"; then newer=$2; fi
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
        echo "etcd ${1:-of unknown version} on this node${guarded_process:+ ($(describe_process "$guarded_process"))}"
        awk -F '|' '$6 != "" { print "etcd " $6 " on " ($2 == "" ? $3 : $2) }' "$view/rows"
        data_versions 2>/dev/null | sed 's/^/data of /'
    } | sort -u | paste -sd ';' | sed 's/;/, /g' >"$view/found"
}

# oldest_of FROM: the oldest version in the cluster, whose version is that of its oldest member. The data knows the minor only.
oldest_of() {
    # shellcheck disable=SC2046  # versions
    oldest=$(lowest "$1" $(cut -d '|' -f 6 "$view/rows"))
    for data_version in $(data_versions 2>/dev/null); do
        if [ "$(minors_apart "$data_version" "${oldest:-$data_version}")" != 0 ] || [ -z "$oldest" ]; then
            oldest=$(lowest "$oldest" "${data_version%.*}")
        fi
    done
    echo "$oldest"
}

guard_data() { # FROM TO
    : >"$view/rows"
    : >"$view/found"
    if ! unread=$(data_versions 2>&1 >/dev/null); then
        say "warning: the database in $(data_dir) can't be read ($unread), so the step is judged by the etcd that ran:" \
            "${1:-of unknown version}"
    fi
    guard_against_older "$2" "$1"
    echo "${guarded_process:-0} ${1:--} $2" >>"$view/guarded"
    # shellcheck disable=SC2046  # versions
    [ "$(minors_apart "$(lowest "$1" $(data_versions 2>/dev/null))" "$2")" != 0 ] || return 0
    own_endpoint >/dev/null 2>"$view/reason" || say "warning: the member on this node can't be asked: $(cat "$view/reason")"
    cluster_view "$view" 2>/dev/null
    warn_of_members
    write_found "$1"
    oldest=$(oldest_of "$1")
    if [ -z "$oldest" ]; then
        say "warning: nothing tells which version of etcd the data in $(data_dir) is of"
        return 0
    fi
    guard_against_forbidden "$oldest" "$2"
    inadvisable_step "$oldest" "$2" | while read -r advice; do say "warning: $advice"; done
    guard_against_v2_data "$oldest" "$2"
}

# guard_by_version FROM TO REASON: where the file doesn't tell where the data is, and no process does.
guard_by_version() {
    if [ -z "$1" ] || [ "$(minors_apart "$1" "$2")" = 0 ]; then return 0; fi
    say "warning: $3. No member runs either, so neither data nor members are checked, and no snapshot is taken." \
        "The step is judged by the version that was installed, $1"
    echo "etcd $1 on this node" >"$view/found"
    if minor_is_newer "$1" "$2"; then
        refuse_upgrade "etcd $2 can't run on the data of etcd $1" "etcd $1 ran here" \
            "etcd does not start on data of a newer minor version" "$(way_back "$1" "$2")"
    fi
    guard_against_forbidden "$1" "$2"
}
