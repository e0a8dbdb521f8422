# shellcheck shell=sh
# For preinst: refuses a step that upstream forbids, before a file changes. Facts are the old version, what runs in the
# cluster, and the data. Needs notice.sh, yaml.sh, bbolt.sh, member.sh, cluster-view.sh, upgrade-rules.sh, snapshot.sh.
# $view is a directory of its own.
# shellcheck disable=SC2154  # view

# refuse_upgrade TO SUMMARY FOUND WHY WAY: ends the installation, unless the admin has taken it upon himself.
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
    pid=$(systemctl show --property=MainPID --value etcd.service 2>/dev/null) || pid=
    if [ "${pid:-0}" != 0 ]; then version_of "/proc/$pid/exe" | grep . && return 0; fi
    if [ -n "$1" ]; then upstream_version "$1" && return 0; fi
    for program in "$ETCD_BIN/etcd" "$(command -v etcd)"; do
        if [ -x "$program" ]; then version_of "$program" | grep . && return 0; fi
    done
}

# data_versions: of the cluster and of the storage, as the database says.
data_versions() {
    bbolt_get "$(database_file)" cluster clusterVersion || true
    bbolt_get "$(database_file)" meta storageVersion || true
}

# lowest VERSION...
lowest() { printf '%s\n' "$@" | grep . | sort -V | head -n 1; }

way_back() { # DATA TO
    if [ "$(minors_apart "$1" "$2")" = -1 ] && minor_is_newer "$1" 3.5; then
        echo "etcdctl downgrade validate ${2%.*} && etcdctl downgrade enable ${2%.*}; when all members show that storage version, again"
    else
        echo "keep ${1%.*}; the way back is a snapshot from before the upgrade, restored on all members"
    fi
}

guard_against_older() { # TO
    for data_version in $(data_versions); do
        minor_is_newer "$data_version" "$1" || continue
        case $(bbolt_get "$(database_file)" cluster downgrade) in
            *'"target-version":"'"${1%.*}".*'"enabled":true'*) continue ;;
        esac
        refuse_upgrade "etcd $1 can't run on the data of etcd $data_version" "$(data_dir) holds data of $data_version" \
            "etcd does not start on data of a newer minor version" "$(way_back "$data_version" "$1")"
    done
}

guard_against_forbidden() { # FROM TO
    forbidden_step "$1" "$2" >"$view/forbidden"
    [ -s "$view/forbidden" ] || return 0
    # shellcheck disable=SC2046  # one line each
    refuse_upgrade "$(sed -n 1p "$view/forbidden")" "$(cat "$view/found")" "$(sed -n 2p "$view/forbidden")" \
        "$(sed -n 3p "$view/forbidden")"
}

# The v2 store: only the tools of 3.5 can tell, on a copy, since the member runs.
guard_against_v2_data() { # FROM TO
    is_step "$1" "$2" 3.5 3.6 || return 0
    if ! "$ETCD_BIN/etcdutl" check v2store --help >/dev/null 2>&1; then
        say "warning: etcd $1 can't tell whether data of the v2 API is left, which 3.6 refuses; 3.5.32 and later can"
        return 0
    fi
    copy=$view/copy/member
    mkdir -p "$copy/snap" "$copy/wal"
    cp "$(data_dir)"/member/snap/*.snap "$copy/snap/" 2>/dev/null || true
    cp "$(wal_dir)"/*.wal "$copy/wal/"
    if "$ETCD_BIN/etcdutl" check v2store --data-dir "${copy%/member}" >"$view/v2" 2>&1; then
        rm -rf "$view/copy"
        return 0
    fi
    rm -rf "$view/copy"
    refuse_upgrade "etcd $2 would not start: keys of the v2 API are left" "$(tail -n 1 "$view/v2")" \
        "3.6 has no v2 store and refuses data in it (https://etcd.io/docs/v3.6/upgrades/upgrade_3_6/)" \
        "move clients to the v3 API (Patroni: etcd3), delete the v2 keys (ETCDCTL_API=2 etcdctl rm -r /service); when the
         member has written its next snapshot (snapshot-count) they are gone"
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
    if [ -n "$1" ] && [ -r "$CONFIG" ] && ! yaml_list "$CONFIG" >/dev/null 2>&1; then
        # Where the data is can't be read; the versions can be compared.
        guard_against_forbidden "$(upstream_version "$1")" "$(upstream_version "$package_version")"
        return 0
    fi
    [ -r "$CONFIG" ] && member_has_data || return 0
    guarded_to=$(upstream_version "$package_version")
    guard_against_older "$guarded_to"
    guarded_from=$(version_here "$1")
    # shellcheck disable=SC2046  # versions
    [ "$(minors_apart "$(lowest "$guarded_from" $(data_versions))" "$guarded_to")" != 0 ] || return 0
    cluster_view "$view"
    warn_of_members
    write_found "$guarded_from"
    oldest=$(oldest_of "$guarded_from")
    guard_against_forbidden "$oldest" "$guarded_to"
    inadvisable_step "$oldest" "$guarded_to" | while read -r advice; do say "warning: $advice"; done
    guard_against_v2_data "$oldest" "$guarded_to"
}
