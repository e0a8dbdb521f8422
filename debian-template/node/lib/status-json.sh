# shellcheck shell=sh
# Prints the results of commands/status as JSON: its variables, and the tables in the directory $view.
# Needs: tls-change.
# shellcheck disable=SC2154  # set in commands/status

# json_string TEXT, or null when empty
json_string() {
    if [ -z "$1" ]; then
        printf null
    else
        printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"
    fi
}

# json_strings: the lines of stdin as an array
json_strings() {
    separator=
    printf '['
    while IFS= read -r text; do
        [ -n "$text" ] || continue
        printf '%s' "$separator"
        json_string "$text"
        separator=,
    done
    printf ']'
}

# json_faults: null if they can't be read. The builder refuses anything in that file that JSON would have to escape.
json_faults() {
    [ -r "$FAULTS" ] || {
        printf null
        return 0
    }
    separator=
    printf '['
    while IFS='|' read -r fixed what source; do
        case $fixed in "#"*) continue ;; esac
        printf '%s{"what":"%s","source":"%s","fixed_in":' "$separator" "$what" "$source"
        if [ -n "$fixed" ]; then printf '"%s"}' "$fixed"; else printf 'null}'; fi
        separator=,
    done <"$FAULTS"
    printf ']'
}

# json_tls_change: three keys, with a comma after each.
json_tls_change() {
    json_way=none
    json_next=
    json_stages=
    while IFS='|' read -r first name stage; do
        case $first in
            "") ;;
            next) json_next=$name ;;
            *)
                json_way=$first
                json_stages="$json_stages${json_stages:+,}{\"name\":$(json_string "$name"),\"stage\":\"$stage\"}"
                ;;
        esac
    done <<END
$(tls_stages)
END
    if [ "$tls_known" = no ]; then json_way=; fi
    printf '"tls_change":%s,"tls_next":%s,"tls_stages":[%s],' "$(json_string "$json_way")" "$(json_string "$json_next")" \
        "$json_stages"
}

report_json() {
    json_boolean() { if [ "$1" = "$2" ]; then printf true; else printf false; fi; }
    json_pairs() { # KEY VALUE...: with a comma after each
        while [ $# -gt 0 ]; do
            printf '"%s":%s,' "$1" "$(json_string "$2")"
            shift 2
        done
    }
    json_quorum() { if [ "$quorum" = unknown ]; then printf null; else json_boolean "$quorum" yes; fi; }
    printf '{'
    json_pairs package "$package_version" installed "$installed_version" running "$running_version" \
        service "$service_state" failure "$start_failure" enabled "$service_enabled" unit "$service_unit" name "$own_name" member_id "$member_id" \
        leader_id "$leader_id" leader "$leader_name"
    json_pairs backup_made "${backup_made%% *}" backup "${backup_made#* }" \
        backup_failed "${backup_failed%% *}" backup_failure "${backup_failed#* }" backup_timer "$backup_timer"
    case $downgrade in
        none) printf '"downgrade":false,"downgrade_target":null,' ;;
        unknown) printf '"downgrade":null,"downgrade_target":null,' ;;
        *) printf '"downgrade":true,"downgrade_target":"%s",' "$downgrade" ;;
    esac
    json_tls_change
    printf '"known_faults":'
    json_faults
    printf ',"restarts":%s,"restarting":%s,' "${service_restarts:-null}" "$(json_boolean "$restarting" yes)"
    printf '"pid":%s,"quorum":%s,"database_bytes":%s,"quota_bytes":%s,' "${pid:-null}" "$(json_quorum)" \
        "${database_bytes:-null}" "${quota_bytes:-null}"
    printf '"alarms":%s,"pending_restart":%s,"config_warnings":%s,"unread":%s,"members":[' \
        "$(printf '%s\n' "$alarms" | tr ',' '\n' | json_strings)" "$(json_strings <"$view/restart")" \
        "$(json_strings <"$view/warnings")" "$(json_strings <"$view/unread")"
    comma=
    while IFS='|' read -r id name url health _ version bytes alarm learner _; do
        printf '%s{' "$comma"
        json_pairs id "$id" name "$name" endpoint "$url" health "$health" version "$version"
        printf '"is_leader":%s,"is_learner":%s,"database_bytes":%s,"alarms":%s}' \
            "$(json_boolean "${id:-unknown}" "$leader_id")" "$(json_boolean "$learner" true)" \
            "${bytes:-null}" "$(printf '%s\n' "$alarm" | tr ',' '\n' | json_strings)"
        comma=,
    done <"$view/rows"
    printf ']}\n'
}
