# shellcheck shell=sh
# For preinst: the members that an installation concerns. Needs what guard.sh needs, process.sh and process-settings.sh.
# shellcheck disable=SC2034,SC2154  # PROCESS_TELLS, for setting(); view, package_version

# guarded_processes OLD_PACKAGE: each member that runs here takes the first package's programs at its next start, as far as
# anybody can tell; of a later one those that run its programs, and the service.
guarded_processes() {
    etcd_processes | while read -r guarded; do
        case $1:$(process_program "$guarded") in
            :* | *:/usr/lib/etcd-ha/bin/etcd) echo "$guarded" ;;
            *) [ "$(unit_property MainPID)" != "$guarded" ] || echo "$guarded" ;;
        esac
    done
}

# describe_process PID
describe_process() {
    described_unit=$(process_unit "$1") || described_unit=
    echo "process $1, $(process_program "$1")${described_unit:+ by $described_unit}"
}

# guard OLD_PACKAGE: each member that runs here, by what the process shows, and the one that etcd.yaml tells of. What was looked
# at is in $view/guarded for the snapshots, in lines "PID FROM TO"; PID is 0 without a process. Each in a shell of its own,
# since the settings of one are not those of another.
guard() {
    : >"$view/guarded"
    : >"$view/judged"
    to=$(upstream_version "$package_version")
    for guarded_process in $(guarded_processes "$1"); do
        (guard_process "$guarded_process" "$to")
    done
    guarded_process=
    if [ -e "$CONFIG" ]; then
        (guard_file "$1" "$to")
    elif ! [ -s "$view/judged" ]; then
        (guard_unit "$to")
    fi
}

# take_settings PID: and the tools that lie beside its program, where there are none.
take_settings() {
    [ -x "$ETCD_BIN/etcdctl" ] || ETCD_BIN=$(dirname "/proc/$1/root$(process_program "$1")")
    settings_of "$1"
    identify_client 2>/dev/null || true
}

guard_process() { # PID TO
    echo "$CONFIG" >"$view/file"
    take_settings "$1"
    if [ "$CONFIG" = "$(cat "$view/file")" ]; then echo file >>"$view/judged"; fi
    stat -L -c %d:%i "$(database_file)" >>"$view/judged" || true
    guard_data "$(version_of_process "$1")" "$2"
}

guard_file() { # OLD_PACKAGE TO
    log=
    if database=$(database_file 2>&1) && log=$(wal_dir 2>&1); then
        member_has_data || return 0
        if grep -qxF "$(stat -L -c %d:%i "$database" 2>/dev/null || echo none)" "$view/judged"; then return 0; fi
        guard_data "$(version_here "$1")" "$2"
    elif ! grep -qxF file "$view/judged"; then
        guard_by_version "$(version_here "$1")" "$2" "${log:-$database}"
    fi
}

# guard_unit TO: a unit of the admin that starts etcd by flags or variables, and is stopped.
guard_unit() {
    case $(unit_property FragmentPath) in /etc/systemd/*) ;; *) return 0 ;; esac
    command_of_unit=$(unit_property ExecStart)
    data_of_unit=$({
        unit_property Environment | tr ' ' '\n' | sed -n 's/^"\{0,1\}ETCD_DATA_DIR=//p'
        printf '%s\n' "$command_of_unit" | sed -n 's/.*argv\[\]=[^;]* --\{0,1\}data-dir[= ]\([^ ;]*\).*/\1/p'
    } | tail -n 1)
    program_of_unit=$(printf '%s\n' "$command_of_unit" | sed -n 's/^{ path=\([^;]*\) ;.*/\1/p')
    from=$(version_of "$(readlink -f "$program_of_unit")" 2>/dev/null) || from=
    if ! [ -d "$data_of_unit/member/snap" ]; then
        say "warning: $(unit_property FragmentPath) does not tell where its data is, so nothing is checked of an upgrade from" \
            "etcd ${from:-of unknown version}"
        return 0
    fi
    printf 'data-dir\t%s\n' "$data_of_unit" >"$view/process"
    PROCESS_TELLS=$view/process
    guard_data "$from" "$1"
}

# take_snapshots: of what was looked at, where the step asks for one.
take_snapshots() {
    while read -r guarded_process from to <&5; do
        if wants_snapshot "$from" "$to"; then
            (
                [ "$guarded_process" = 0 ] || take_settings "$guarded_process"
                take_snapshot "$from" "$to"
            )
        fi
    done 5<"$view/guarded"
}
