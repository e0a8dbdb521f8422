# shellcheck shell=sh
# Asks etcd itself whether it accepts a configuration file: the right answer for each version, without a table.
# Needs: yaml.

# etcd_refusal ETCD FILE: why the binary ETCD would refuse FILE; nothing if it accepts the file or if that can't be determined.
# etcd reads and validates the whole file first, opening its logs on the way, then lists its data directory, and only then
# opens a port. A copy of FILE whose data-dir is not a directory, and whose log is stderr, ends it in between, in about 30 ms.
etcd_refusal() {
    refusal_dir=$(mktemp -d) || return 0
    # The probe's own data-dir and log go to its end, since etcd uses the last of two equal keys; unless our reader of etcd.yaml
    # can't be sure that these are then keys of the top level.
    if { cat "$2" && printf '\n%s\n' "data-dir: /dev/null" "log-outputs: [stderr]" "enable-log-rotation: false"; } \
        >"$refusal_dir/etcd.yaml" 2>/dev/null && yaml_list "$refusal_dir/etcd.yaml" >/dev/null 2>&1; then
        # Without the lock on the file (yaml-file.sh), which must be released when its holder ends.
        # shellcheck disable=SC2046  # words
        (cd "$refusal_dir" && env -u NOTIFY_SOCKET timeout 5 $(refusal_confinement "$refusal_dir") "$1" \
            --config-file "$refusal_dir/etcd.yaml") </dev/null >"$refusal_dir/said" 2>&1 7<&- || true
        # 3.4 logs lines of text, later ones JSON; a bad log-level is a panic in all of them.
        sed -n \
            -e 's/.*"msg":"failed to verify flags","error":"\(.*\)"}$/\1/p' \
            -e "s/.*error verifying flags, \\(.*\\)\\. See 'etcd --help'\\.\$/\\1/p" \
            -e 's/^unexpected error setting up \(.*\)/\1/p' \
            -e 's/^panic: \(.*\)/\1/p' "$refusal_dir/said" |
            sed -e 's/\\"/"/g' -e 's/\\\\/\\/g' -e 's/Go struct field config[A-Za-z]*\.\(Config\.\)\{0,1\}/key /' |
            head -n 1
    fi
    rm -rf "$refusal_dir"
}

# refusal_confinement DIR: the words before a command that run it without privileges: as the account that owns DIR from now
# on, and without a network if the kernel allows that.
refusal_confinement() {
    [ "$(id -u)" = 0 ] || return 0
    refusal_uid=$(id -u etcd 2>/dev/null) || refusal_uid=65534
    refusal_gid=$(id -g etcd 2>/dev/null) || refusal_gid=65534
    chown -R "$refusal_uid:$refusal_gid" "$1"
    if unshare --net true 2>/dev/null; then echo unshare --net; fi
    echo setpriv --reuid "$refusal_uid" --regid "$refusal_gid" --clear-groups --no-new-privs
}
