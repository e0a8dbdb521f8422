# shellcheck shell=sh
# Prints what tool/status has found out: its variables, and the tables in the directory $view.
# shellcheck disable=SC2154  # set in tool/status

# column NUMBER ROW
column() { printf '%s\n' "$2" | cut -d '|' -f "$1"; }

# human BYTES
human() {
    awk -v bytes="$1" 'BEGIN {
        split("B KiB MiB GiB TiB", unit, " ")
        for (i = 1; bytes >= 1024 && i < 5; i++) bytes /= 1024
        printf(i == 1 ? "%d %s\n" : "%.1f %s\n", bytes, unit[i])
    }'
}

service_line() {
    case $service_state in
        active) printf 'active' ;;
        activating) start_state "$restarting" "$service_restarts" "$start_failure" ;;
        failed) printf 'failed: %s (journalctl -u etcd)' "$service_result" ;;
        *) printf '%s' "${service_state:-unknown}" ;;
    esac
    printf ', %s' "${service_enabled:-no unit}"
    case $service_unit in
        /etc/*) printf ', by the unit %s, not the one of the package' "$service_unit" ;;
    esac
    echo
}

# report_faults: what the programs of the package are known to have. Builtins alone: status has 5 s.
report_faults() {
    [ -r "$FAULTS" ] || line "known fault" "not told: $FAULTS can't be read"
    [ ! -r "$FAULTS" ] || while IFS='|' read -r fixed what _; do
        case $fixed in "#"*) ;; *) line "known fault" "etcd $installed_version: $what; fixed in ${fixed:-no version}" ;; esac
    done <"$FAULTS"
}

report_running() {
    beside=
    case $other_processes in
        "") ;;
        "$pid") beside=", not as etcd.service" ;;
        *) beside="${pid:+; }other etcd processes: $other_processes" ;;
    esac
    if [ -n "$running_version" ]; then
        line running "etcd $running_version, pid $pid$beside"
    else
        line running "no${beside:+; }$beside"
    fi
}

# What the file does not tell, and by what it is known then.
report_configuration() {
    case $CONFIG in
        "$file") line config "$CONFIG: $(grep -c . "$view/warnings") warnings" ;;
        "$view"/*) line config "none: flags and ETCD_ variables of the process $pid, shown as it has them" && return 0 ;;
        *) line config "$CONFIG, by which the process $pid was started; not $file" ;;
    esac
    sed 's/^/            /' "$view/warnings"
    [ -s "$view/unread" ] || return 0
    line "not read" "$(sed "s/ can't be read from .*//" "$view/unread" | paste -sd , | sed 's/,/, /g')"
    sed "s/.* can't be read from /            /" "$view/unread" | sort -u
    echo "            $(if [ -n "$running_version" ]; then
        echo "Shown is what the process has open and answers."
    else
        echo "No process runs that could tell them."
    fi)"
}

# What is known of the quorum, and why not more.
quorum_line() {
    case $quorum in
        yes) echo "leader ${leader_name:-none}, has a quorum" ;;
        no) echo "leader ${leader_name:-none}, NO QUORUM: nothing can be written" ;;
        *)
            awk -F '|' '
                $4 == "unknown" || $4 == "denied" { why = $11; print ($2 == "" ? $3 : $2) (why == "" ? "" : " (" why ")") }
            ' "$view/rows" | paste -sd ';' - | sed 's/;/, /g; s/^/leader and quorum unknown: could not ask /'
            ;;
    esac
}

report_screen() {
    line() { printf '%-11s %s\n' "$1" "$2"; }
    line package "etcd-ha ${package_version:-not installed}, etcd ${installed_version:-missing}"
    report_faults
    report_running
    line service "$(service_line)"
    if [ -z "$running_version" ] && ! [ -e "$CONFIG" ]; then
        line config "none ($CONFIG): dpkg-reconfigure etcd-ha"
        return 0
    fi
    directory=$(data_dir 2>&1) || directory="a directory that can't be told ($directory)"
    line member "${own_name:-unknown}${member_id:+, id $member_id}, data in $directory"
    if grep -q '|denied|' "$view/rows"; then line access "$ASKS_FOR_USER"; fi
    awk -F '|' '$4 == "foreign" { print $2 == "" ? $3 : $2 }' "$view/rows" | while read -r other; do
        line warning "$other answers, but belongs to another cluster; the wrong one of the two starts over: etcd-ha reset"
    done
    line cluster "$member_count members, $(quorum_line)"
    if [ -z "$quota_bytes" ]; then
        line database "${database_bytes:+$(human "$database_bytes"), }quota unknown: it can't be read from $CONFIG"
    elif [ -n "$database_bytes" ]; then
        line database "$(human "$database_bytes") of $(human "$quota_bytes") ($((database_bytes * 100 / quota_bytes)) %)"
    else
        line database "unknown, quota $(human "$quota_bytes")"
    fi
    line alarms "$(why_alarmed "$view" | grep . || echo none)"
    if [ -n "$alarms" ]; then
        way_out_of_alarms "$view" "$(own_endpoint 2>/dev/null || echo "$own_url")" | sed 's/^/            /'
    fi
    line restart "$(paste -sd ';' "$view/restart" | sed 's/^$/not pending/; s/;/; /g')"
    report_configuration
    echo
    {
        echo "ID|NAME|ENDPOINT|HEALTH|ROLE|VERSION|DATABASE"
        while IFS='|' read -r id name url health leader version bytes _ learner _; do
            role=follower
            if [ -z "$version" ]; then role=-; fi
            if [ "$learner" = true ]; then role=learner; fi
            if [ -n "$leader_id" ] && [ "$id" = "$leader_id" ]; then role=leader; fi
            if [ "$leader" = 0 ] && [ -n "$version" ]; then role="no leader"; fi
            size=-
            if [ -n "$bytes" ]; then size=$(human "$bytes"); fi
            printf '%s|%s|%s|%s|%s|%s|%s\n' "${id:--}" "${name:--}" "$url" "$health" "$role" "${version:--}" "$size"
        done <"$view/rows"
    } | columns
}

# columns: lines of fields parted by |, padded. (column(1) is not in every installation.)
columns() {
    awk -F '|' '
        { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } fields = NF }
        END {
            for (row = 1; row <= NR; row++) {
                for (i = 1; i < fields; i++) printf("%-" width[i] "s  ", cell[row, i])
                print cell[row, fields]
            }
        }'
}
