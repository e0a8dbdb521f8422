# shellcheck shell=sh
# Why the member must restart: what it runs and what it read at its start, compared with what is installed now.
# Needs: member, service, yaml.

# Written by preflight, in the RuntimeDirectory of the unit: the process, and "CHECKSUM FILE" of each file that etcd reads once.
START_RECORD=/run/etcd-ha/start

# files_read_once: one per line: etcd.yaml and the files that certificate-plan.awk finds in it.
files_read_once() {
    printf '%s\n' "$CONFIG"
    listed=$(yaml_list "$CONFIG") || return 0
    printf '%s\n' "$listed" | LC_ALL=C awk -f "$LIB/certificate-plan.awk" | sed -n "s/^once$(printf '\037')//p" | sort -u
}

# record_start: for preflight, just before etcd takes its place.
record_start() {
    [ -n "${RUNTIME_DIRECTORY-}" ] || return 0
    {
        echo "$$"
        files_read_once | while read -r read_file; do printf '%s %s\n' "$(checksum_of "$read_file")" "$read_file"; done
    } >"$RUNTIME_DIRECTORY/start" || return 0
}

# checksum_of FILE: "-" if it can't be read.
checksum_of() { { sha256sum <"$1" || echo -; } 2>/dev/null | cut -d ' ' -f 1; }

# why_restart PID [PART...]: reasons, one per line, from the program, the files and the unit, or from those PARTs only; nothing
# if the member is up to date.
why_restart() {
    due_pid=$1
    shift
    [ $# != 0 ] || set -- program file unit
    for due_part in "$@"; do "why_$due_part" "$due_pid"; done
}

# why_unit PID: the unit has changed since systemd read it.
why_unit() {
    if [ "$(unit_property NeedDaemonReload)" = yes ]; then echo "the unit was changed (systemctl daemon-reload)"; fi
}

# next_program: what the next start of the service runs.
next_program() {
    next_path=$(unit_property ExecStart | sed -n 's/^{ path=\([^;]*\) ;.*/\1/p')
    case $next_path in
        */preflight) echo "$ETCD_BIN/etcd" ;;
        *) readlink -f "$next_path" ;;
    esac
}

# why_program PID: nothing while the process is still preflight.
why_program() {
    due_version=$(version_of_process "$1")
    due_next=$(next_program) || due_next=
    if [ -z "$due_version" ] || ! [ -x "$due_next" ] || cmp -s "/proc/$1/exe" "$due_next"; then return 0; fi
    due_next_version=$(version_of "$due_next")
    if [ "$due_next_version" = "$due_version" ]; then
        echo "the binary was replaced after the start"
    else
        echo "etcd $due_version runs, ${due_next_version:-another program} is installed"
    fi
}

# why_file PID: a file that etcd read at its start has different content now.
why_file() {
    # The account etcd can write anything to the record, so the list of files does not come from there.
    if [ -f "$START_RECORD" ] && [ "$(sed -n 1p "$START_RECORD")" = "$1" ]; then
        files_read_once | while read -r due_file; do
            due_checksum=$(FILE=$due_file awk 'substr($0, length($1) + 2) == ENVIRON["FILE"] { print $1 }' "$START_RECORD")
            due_checksum=${due_checksum:--}
            case $due_checksum:$(checksum_of "$due_file") in
                "$due_checksum:$due_checksum") ;;
                *:-) echo "$due_file was removed since the start" ;;
                -:*) echo "$due_file is new since the start" ;;
                *) echo "$due_file was changed since the start" ;;
            esac
        done
    elif [ -r "$CONFIG" ]; then
        files_read_once | while read -r due_file; do
            if was_written_after_start "$due_file"; then
                echo "$due_file was written after the start, and it is unknown what etcd has read"
            fi
        done
    fi
}

# was_written_after_start FILE: for a process that preflight did not start; compares the service's start with the file's ctime.
was_written_after_start() {
    due_start=$(systemctl show --timestamp=us+utc --property=ExecMainStartTimestamp --value etcd.service 2>/dev/null)
    due_start=$(date -d "${due_start:-none}" +%s.%N 2>/dev/null) || return 1
    printf '%s %s\n' "$(stat -c %.9Z "$1")" "$due_start" | awk '{ exit !($1 > $2) }'
}

PENDING=/run/etcd-ha.restart-pending

# pending_note REASON WHY_NOT
pending_note() {
    printf '%s\n%s\n%s\n' "$(unit_property MainPID)" "$1" "$2" >"$PENDING.new"
    mv "$PENDING.new" "$PENDING"
}

# Status 1 if no restart is due any longer.
is_pending() { [ -e "$PENDING" ] && [ "$(sed -n 1p "$PENDING")" = "$(unit_property MainPID)" ]; }

pending_why() { sed -n 2p "$PENDING"; }

# pending_why_not: why it was not restarted so far.
pending_why_not() { sed -n 3p "$PENDING"; }

pending_clear() { rm -f "$PENDING"; }
