# shellcheck shell=sh
# Which steps from one version of etcd to another upstream forbids or advises against, and why.
# $view is a directory.
# Needs: bbolt, downgrade, member, service, yaml.
# shellcheck disable=SC2154  # view

# minor_of VERSION: "3 6" of 3.6.7, for comparisons.
minor_of() { printf '%s\n' "$1" | sed -n 's/^v\{0,1\}\([0-9]*\)\.\([0-9]*\).*/\1 \2/p'; }

# minor_is_newer VERSION THAN
minor_is_newer() {
    # shellcheck disable=SC2046  # two numbers each
    set -- $(minor_of "$1") $(minor_of "$2")
    [ $# = 4 ] || return 1
    [ "$1" -gt "$3" ] || { [ "$1" -eq "$3" ] && [ "$2" -gt "$4" ]; }
}

# newer_data_versions VERSION: versions in the database with a newer minor. The cluster's version may be newer during a
# downgrade to that minor; the storage version (written since 3.6) may not. Status 2: the database
# can't be read.
newer_data_versions() {
    newer_database=$(database_file) || pass_on "$newer_database" || return
    newer_cluster=$(bbolt_value "$newer_database" cluster clusterVersion) || pass_on "$newer_cluster" || return
    newer_storage=$(bbolt_value "$newer_database" meta storageVersion) || pass_on "$newer_storage" || return
    if minor_is_newer "$newer_cluster" "$1"; then
        newer_target=$(downgrade_target) || pass_on "$newer_target" || return
        [ "$newer_target" = "$(minor_of "$1" | tr ' ' .)" ] || echo "$newer_cluster"
    fi
    if minor_is_newer "$newer_storage" "$1"; then echo "$newer_storage"; fi
}

# patch_of VERSION: 26 of 3.5.26; nothing if the patch is unknown.
patch_of() { printf '%s\n' "$1" | sed -n 's/^v\{0,1\}[0-9]*\.[0-9]*\.\([0-9]*\).*/\1/p'; }

# minors_apart FROM TO: how many minor versions TO is ahead; nothing for another major version.
minors_apart() {
    # shellcheck disable=SC2046  # two numbers each
    set -- $(minor_of "$1") $(minor_of "$2")
    if [ $# = 4 ] && [ "$1" = "$3" ]; then echo $(($4 - $2)); fi
}

# is_step FROM TO FROM_MINOR TO_MINOR
is_step() {
    case $1 in "$3" | "$3".*) ;; *) return 1 ;; esac
    case $2 in "$4" | "$4".*) ;; *) return 1 ;; esac
}

# forbidden_step FROM TO: three lines: what, why, what to do. Nothing for a step that upstream allows. FROM is the oldest
# version that runs in the cluster; without a patch number (read from data) it counts as the oldest patch.
forbidden_step() {
    apart=$(minors_apart "$1" "$2")
    if [ -z "$apart" ] || [ "$apart" -gt 1 ]; then
        between=$(minor_of "$1" | awk '{ print $1 "." $2 + 1 }')
        echo "etcd $2 can't follow $1: it skips a minor version"
        echo "upstream supports one minor version at a time; a skipped version can't convert the data"
        # If that step is forbidden too, its own first step comes first.
        before_it=
        [ -z "$apart" ] || before_it=$(forbidden_step "$1" "$between" | sed -n 3p)
        if [ -n "$before_it" ]; then
            echo "$before_it"
        else
            echo "upgrade every node to $between first, one node after the other: apt install 'etcd-ha=$between.*'"
        fi
    elif is_step "$1" "$2" 3.5 3.6 && [ "$(patch_or_0 "$1")" -lt 26 ]; then
        echo "etcd $2 can't follow $1: all members must run 3.5.26 or later first"
        echo "members that were removed or promoted long ago reappear in 3.6 in a wrong state and can break the quorum" \
            "(https://github.com/etcd-io/etcd/issues/20967, /issues/19557)"
        echo "upgrade every node to 3.5.32 or later first, one node after the other: apt install 'etcd-ha=3.5.*'"
    elif is_step "$1" "$2" 3.6 3.7 && [ "$(patch_or_0 "$1")" -lt 11 ]; then
        echo "etcd $2 can't follow $1: all members must run 3.6.11 or later first"
        echo "3.7 starts from data that only 3.6.11 and later store completely (https://etcd.io/docs/v3.7/upgrades/upgrade_3_7/)"
        echo "upgrade every node to 3.6.11 or later first, one node after the other: apt install 'etcd-ha=3.6.*'"
    fi
}

patch_or_0() { patch_of "$1" | grep . || echo 0; }

# inadvisable_step FROM TO: a line for what upstream advises against.
inadvisable_step() {
    if is_step "$1" "$2" 3.5 3.6 && [ "$(patch_or_0 "$1")" -lt 32 ]; then
        echo "upstream asks for 3.5.32 or later before 3.6 (https://etcd.io/docs/v3.6/upgrades/upgrade_3_6/); $1 is running"
    elif is_step "$1" "$2" 3.4 3.5; then
        echo "upstream asks for the newest 3.4 before 3.5 (https://etcd.io/docs/v3.5/upgrades/upgrade_3_5/); $1 is running"
    fi
}

# upstream_version DEBIAN_VERSION: 3.7.0-rc.0 of 3.7.0~rc.0-1.
upstream_version() { printf '%s\n' "${1%-*}" | sed 's/^[0-9]*://; s/~/-/'; }

# data_versions: of the cluster and of the storage, from the database. A young cluster has 3.0.0 until all of its members have
# reported their versions. Status 2: it can't be read.
data_versions() {
    versions_database=$(database_file) || pass_on "$versions_database" || return
    versions_cluster=$(bbolt_value "$versions_database" cluster clusterVersion) || pass_on "$versions_cluster" || return
    versions_storage=$(bbolt_value "$versions_database" meta storageVersion) || pass_on "$versions_storage" || return
    printf '%s\n' "$versions_cluster" "$versions_storage" | grep . | grep -v '^3\.0\.' || true
}

# lowest VERSION...
lowest() { printf '%s\n' "$@" | grep . | sort -V | head -n 1; }

way_back() { # DATA TO
    if [ "$(minors_apart "$1" "$2")" = -1 ] && minor_is_newer "$1" 3.5; then
        older=$(minor_of "$2" | tr ' ' .)
        if has_downgrade; then
            echo "when this has ended, try again: etcd-ha downgrade $older"
        else
            echo "etcdctl downgrade validate $older && etcdctl downgrade enable $older. When all members show that storage version, try again"
        fi
    else
        echo "keep ${1%.*}; to go back, restore a snapshot from before the upgrade on all members"
    fi
}

# way_to_a_snapshot: the commands for the member of etcd-ha; what to do with another one.
way_to_a_snapshot() {
    count=$(setting snapshot-count) || count=
    if [ "$CONFIG" != /etc/etcd/etcd.yaml ] || ! [ -x "${ETCD_HA_COMMANDS:-/usr/lib/etcd-ha}/config" ]; then
        echo "start this member once with the setting snapshot-count: 10, so that it makes a snapshot, then try again"
        return 0
    fi
    if [ -n "$count" ]; then after="set snapshot-count $count"; else after="unset snapshot-count"; fi
    echo "wait until the member makes a snapshot (after each ${count:-10000} writes), or have it make one, then try again:"
    echo "         etcd-ha config set snapshot-count 10 && etcd-ha restart && etcd-ha config $after"
}

# oldest_of FROM: the oldest version in the cluster, whose version is that of its oldest member. The data has only the minor.
oldest_of() {
    # shellcheck disable=SC2046  # versions
    oldest=$(lowest "$1" $(cut -d '|' -f 6 "$view/rows"))
    known_versions=$(data_versions) || known_versions=
    for data_version in $known_versions; do
        if [ "$(minors_apart "$data_version" "${oldest:-$data_version}")" != 0 ] || [ -z "$oldest" ]; then
            oldest=$(lowest "$oldest" "${data_version%.*}")
        fi
    done
    echo "$oldest"
}

# version_here OLD_PACKAGE: what last ran on the data: the process, else the old package, else a program installed by hand.
version_here() {
    pid=$(unit_property MainPID)
    if [ "${pid:-0}" != 0 ]; then version_of_process "$pid" | grep . && return 0; fi
    if [ -n "$1" ]; then upstream_version "$1" && return 0; fi
    for program in "$ETCD_BIN/etcd" "$(command -v etcd)"; do
        if [ -x "$program" ]; then version_of "$program" | grep . && return 0; fi
    done
    return 0
}
