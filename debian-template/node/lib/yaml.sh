# shellcheck shell=sh
# Reading and editing of etcd.yaml. The awk programs are in YAML_AWK where this is part of a maintainer script that
# runs before the package is unpacked; otherwise they are next to this file, in LIB.
# Needs: nothing.

# yaml_awk MODE FILE: see yaml-read.awk. A NUL becomes a byte that is refused.
yaml_awk() {
    { tr '\000' '\001' <"$2" && printf .; } 2>/dev/null |
        LC_ALL=C YAML_MODE=$1 awk "${YAML_AWK:-$(cat "$LIB/yaml-value.awk" "$LIB/yaml-read.awk" "$LIB/yaml-edit.awk")}"
}

# pass_on REASON: after a failed VALUE=$(…), passes its status and reason on: VALUE=$(…) || pass_on "$VALUE" || return
pass_on() {
    passed_status=$?
    [ -z "$1" ] || printf '%s\n' "$1"
    return "$passed_status"
}

# yaml_get FILE KEY: prints the value of a key, dotted if it is in a block (peer-transport-security.cert-file).
# Status 1: absent or null. Status 2: it can't be read, and the reason is printed instead.
yaml_get() {
    YAML_KEY=$2 yaml_awk get "$1"
}

# yaml_values FILE KEY...: lines STATUS KEY VALUE, separated by tabs; the statuses are those of yaml_get, and the value is
# the reason where the status is 2. Status 2: nothing can be read.
yaml_values() {
    yaml_file=$1
    shift
    YAML_KEY=$(printf '%s\n' "$@") yaml_awk values "$yaml_file"
}

# row_of ROWS KEY: sets row_status and row_value from rows of yaml_values; by the shell alone, since a process takes longer.
# Status 1: the key was not asked for.
row_of() {
    row_all="
$1"
    for row_status in 0 1 2; do
        row_value=${row_all#*"
$row_status	$2	"}
        [ "$row_value" != "$row_all" ] || continue
        row_value=${row_value%%"
"*}
        return 0
    done
    return 1
}

# yaml_list FILE: LINE KEY KIND VALUE of all keys, separated by tabs. Status 2 as above.
yaml_list() {
    yaml_awk list "$1"
}

# yaml_edit FILE EDITS: prints the edited file; EDITS are lines OP KEY KIND VALUE (yaml-edit.awk). Status 2 as above.
yaml_edit() {
    YAML_EDITS=$2 yaml_awk edit "$1"
}
