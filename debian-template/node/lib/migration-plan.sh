# shellcheck shell=sh
# What a migration is to do: found out once and written down before the first change, so that it can be resumed.
# Needs fail(), say(), yaml.sh, bbolt.sh, member.sh, takeover.sh, upgrade-rules.sh and environment-to-yaml.sh. Nothing here
# writes: plan and options are variables, which a dry run prints.
# shellcheck disable=SC2153  # PLAN is the file

DEFAULTS=/etc/default/etcd
DROP_INS=/etc/systemd/system/etcd.service.d
KEYS=/usr/share/etcd-ha/config-keys

# planned NAME: kind (debian: from variables to a file; own: only the data moves), source, target, moved_log; to and force as
# they were asked for.
planned() { printf '%s\n' "$plan" | sed -n "s/^$1=//p"; }

# debian_option FLAG
debian_option() { printf '%s\n' "$options" | option "$1"; }

# What Debian's unit set, the drop-ins over it, the defaults file over these. Drop-ins hold `Environment=A=b "C=d"`.
debian_options() {
    printf 'ETCD_NAME=%s\nETCD_DATA_DIR=/var/lib/etcd/default\n' "$(uname -n)" | environment_options
    for drop_in in "$DROP_INS"/*.conf; do
        [ ! -e "$drop_in" ] || sed -n 's/^[[:space:]]*Environment=//p' "$drop_in" | tr -d "\"'" | tr ' ' '\n'
    done | environment_options
    [ ! -e "$DEFAULTS" ] || environment_options "$DEFAULTS"
}

# make_plan TARGET FORCE
make_plan() {
    options=
    if [ -e "$CONFIG" ]; then
        { source=$(data_dir) && log=$(setting wal-dir); } ||
            fail "what is to be migrated can't be told" "Write data-dir and wal-dir as one line each, then again: etcd-ha migrate"
        if ! takeover_is_endangered "$CONFIG"; then
            say "nothing to migrate: $CONFIG is there and names no data under /var/lib/etcd"
            exit 0
        fi
        kind=own
    else
        options=$(debian_options)
        kind=debian
        source=$(debian_option data-dir)
        log=$(debian_option wal-dir) || log=
        if file=$(debian_option config-file); then
            fail "Debian's etcd was set up by $file" "To go on with that: cp $file $CONFIG; etcd-ha migrate"
        fi
    fi
    [ -e "$source/member" ] || fail "nothing to migrate: no data in $source"
    case $source in
        /var/lib/etcd/*) target=$1 ;;
        *) target=$source ;;
    esac
    case $log in /var/lib/etcd/*) moved_log=$log ;; *) moved_log= ;; esac
    [ "$target" = "$source" ] || ! [ -e "$target/member" ] || fail "there is a member's data in $target already"
    [ "$target" = "$source" ] || fits_into "$source" "$target" ||
        fail "$target has no room for a copy of $source ($(du -sh "$source" | cut -f 1))" \
            "Make room, or give another directory: etcd-ha migrate --to DIR"
    plan=$(printf '%s=%s\n' kind "$kind" source "$source" target "$target" moved_log "$moved_log" to "$1" force "$2")
}

# A drop-in made for Debian's unit that names another command would start that one, on the old data.
check_is_whole_unit() {
    if has_systemd && ! takeover_has_admin_unit && [ -d "$DROP_INS" ] && grep -qs '^[[:space:]]*ExecStart=' "$DROP_INS"/*; then
        fail "a drop-in in $DROP_INS replaces the command of etcd.service" \
            "Move it away, then: systemctl daemon-reload; etcd-ha migrate"
    fi
}

# check_versions DIR
check_versions() {
    own=$(version_of "$ETCD_BIN/etcd")
    data=$(bbolt_value "$1/member/snap/db" cluster clusterVersion 2>&1) ||
        fail "the database in $1 can't be read: $data" "(--force: go on without knowing its version)"
    if minor_is_newer "$data" "$own"; then fail "the data is of etcd $data, newer than this package's $own"; fi
    # The data knows the minor only. A package that went on to the next minor may not have been all of the cluster.
    # shellcheck disable=SC2016  # dpkg-query's variable
    last=$(dpkg-query -W -f '${Version}' etcd-server 2>/dev/null) || last=
    last=${last%-*}
    # A young cluster says 3.0.0 until all of its members have told their version.
    case $data in "" | 3.0.*) [ -n "$last" ] || return 0 ;; *) [ "$(minors_apart "$data" "$last")" = 0 ] || last=${data%.*} ;; esac
    forbidden=$(forbidden_step "$last" "$own")
    if [ -n "$forbidden" ]; then
        fail "$(printf '%s\n' "$forbidden" | sed -n 1p)" "$(printf '%s\n' "$forbidden" | sed -n 2p)" \
            "$(printf '%s\n' "$forbidden" | sed -n 3p)" "(--force: do it anyway)"
    fi
}

# new_configuration: the whole file, from the options that Debian's etcd had.
new_configuration() {
    echo "# made by the package etcd-ha (etcd-ha migrate) from $DEFAULTS; the original is kept in /var/backups/etcd-ha"
    {
        printf '%s\n' "$options" | grep -v "^wal-dir$(printf '\t')" || true
        if [ -z "$(planned moved_log)" ] && log=$(debian_option wal-dir); then printf 'wal-dir\t%s\n' "$log"; fi
    } | options_with_defaults "$(planned target)" | options_to_yaml "$KEYS"
}

# find_plan TO FORCE: the plan that was begun in PLAN, or a new one.
find_plan() {
    if [ -e "$PLAN" ]; then
        plan=$(cat "$PLAN")
        options=$(cat "$KEEP/options" 2>/dev/null) || true
        check_is_same_plan "$1" "$2"
    else
        make_plan "${1:-/var/lib/etcd-ha}" "$2"
        check_is_whole_unit
        [ "$2" = yes ] || check_versions "$source"
    fi
}

# What was begun ends as it was planned: data is on the move already.
check_is_same_plan() {
    if [ -n "$1" ] && [ "$1" != "$(planned to)" ]; then
        fail "a migration to $(planned to) was begun, and not to $1" "To end it as it was begun: etcd-ha migrate"
    fi
    if [ "$2" = yes ] && [ "$(planned force)" != yes ]; then
        fail "a migration was begun without --force" "To end it as it was begun: etcd-ha migrate"
    fi
}
