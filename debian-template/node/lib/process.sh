# shellcheck shell=sh
# The members that run on this system, and what they have open. Only root may look.
# Needs: service.

# etcd_processes: the members that run on this system, by process id.
etcd_processes() {
    {
        grep -lsx etcd /proc/[0-9]*/comm
        find /proc/[0-9]*/exe -maxdepth 0 \( -lname '*/etcd' -o -lname '*/etcd (deleted)' \) -print
    } 2>/dev/null | cut -d / -f 3 | sort -un | while read -r found_process; do
        if is_of_this_system "$found_process" && [ -n "$(process_database "$found_process")" ]; then
            echo "$found_process"
        fi
    done
}

# is_of_this_system PID: not in a container, which has separate process ids or a separate root directory. A service in a sandbox
# has separate mounts, but the same root.
is_of_this_system() {
    [ "$(readlink "/proc/$1/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] &&
        [ "$(stat -L -c %d:%i "/proc/$1/root" 2>/dev/null)" = "$(stat -L -c %d:%i /)" ]
}

# process_database PID: the database that it has open. A process without one is not a member (etcd gateway), or not yet.
process_database() { process_file "$1" '*/member/snap/db'; }

# process_file PID PATTERN: the first open file of that name, as this system sees it.
process_file() {
    open_file=$(find "/proc/$1/fd" -maxdepth 1 -lname "$2" -printf '%l\n' 2>/dev/null | sort | sed -n 1p)
    [ -n "$open_file" ] || return 1
    process_path "$1" "$open_file"
}

# process_path PID PATH: where we find PATH of the process, which may have a private /tmp.
process_path() {
    if [ "$(stat -c %d:%i "$2" 2>/dev/null)" = "$(stat -c %d:%i "/proc/$1/root$2" 2>/dev/null)" ]; then
        printf '%s\n' "$2"
    else
        printf '%s\n' "/proc/$1/root$2"
    fi
}

# process_program PID: the path from which it was started, where there may be another file by now.
process_program() { readlink "/proc/$1/exe" | sed 's/ (deleted)$//'; }

# process_unit PID: the unit whose main process it is.
process_unit() {
    running_unit=$(sed -n 's|^[0-9]*:[^:]*:/\(.*/\)\{0,1\}\([^/]*\.service\)$|\2|p' "/proc/$1/cgroup" 2>/dev/null | sed -n 1p)
    [ -n "$running_unit" ] &&
        [ "$(systemctl show --property=MainPID --value "$running_unit" 2>/dev/null)" = "$1" ] && echo "$running_unit"
}

# describe_process PID
describe_process() {
    described_unit=$(process_unit "$1") || described_unit=
    echo "process $1, $(process_program "$1")${described_unit:+ by $described_unit}"
}

# guarded_processes OLD_PACKAGE: at the first installation each member that runs here, since any may use the package's programs at
# its next start; at a later one those that run the package's programs, and the service.
guarded_processes() {
    etcd_processes | while read -r guarded; do
        case $1:$(process_program "$guarded") in
            :* | *:/usr/lib/etcd-ha/bin/etcd) echo "$guarded" ;;
            *) [ "$(unit_property MainPID)" != "$guarded" ] || echo "$guarded" ;;
        esac
    done
}
