# shellcheck shell=sh
# Whether the cluster is being downgraded to an older minor version, from the data on this node.
# Needs: bbolt, member, yaml.

# downgrade_target: that minor version, such as 3.6; nothing for none. Status 2: the database can't be read.
downgrade_target() {
    target_database=$(database_file) || pass_on "$target_database" || return
    target_stored=$(bbolt_value "$target_database" cluster downgrade) || pass_on "$target_stored" || return
    case $target_stored in
        *'"enabled":true'*) printf '%s\n' "$target_stored" | sed -n 's/.*"target-version":"\([0-9]*\.[0-9]*\).*/\1/p' ;;
    esac
}

# has_downgrade: whether this node has the command; beside an etcd that was installed by hand, upstream's alone is there.
has_downgrade() { [ -x "${ETCD_HA_COMMANDS:-/usr/lib/etcd-ha}/downgrade" ]; }

# way_on TARGET: what ends a downgrade. etcdctl 3.5 has no command for it.
way_on() {
    if has_downgrade; then
        echo "go on with etcd-ha $1; or, to stay with the newer minor version on all members: etcd-ha downgrade --cancel"
    else
        echo "go on with etcd-ha $1; or cancel the downgrade by etcdctl of the newer version"
    fi
}

# members_behind DIR TARGET: names and versions of the members that do not run that minor version, from cluster_view's table in DIR.
members_behind() {
    awk -F '|' -v target="$2." '
        index($6, target) != 1 { printf "%s%s (%s)", count++ ? ", " : "", $2 == "" ? $3 : $2, $6 == "" ? $4 : $6 }
    ' "$1/rows"
}
