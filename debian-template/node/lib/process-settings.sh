# shellcheck shell=sh
# The settings of a running etcd that no file defines: its arguments and environment, its open files, and its answers at the
# addresses where it listens. Only root may look. $view is a directory.
# Needs: client, member, process.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154  # changed for one shell only; CONFIG, for setting(); view

# process_options PID: lines "FLAG<tab>VALUE" of its ETCD_ variables and its arguments, which win and so come last. Files are
# those of its working directory.
process_options() {
    process_words "$1" | CWD=$(readlink "/proc/$1/cwd") awk -F '\t' '
        $1 ~ /-file$/ && $2 !~ /^\// { print $1 "\t" ENVIRON["CWD"] "/" $2; next }
        { print }'
}

process_words() {
    tr '\000' '\n' <"/proc/$1/environ" 2>/dev/null | sed -n "s/^ETCD_\([A-Z0-9_]*\)=\(.\)/\1$(printf '\t')\2/p" |
        awk -F '\t' '{ name = tolower($1); gsub(/_/, "-", name); print name "\t" substr($0, length($1) + 2) }'
    # shellcheck disable=SC2016  # awk's variables
    tr '\000' '\n' <"/proc/$1/cmdline" 2>/dev/null | awk '
        NR == 1 { next }
        waiting != "" { print waiting "\t" (/^-/ ? "true" : $0) }
        waiting != "" && !/^-/ { waiting = ""; next }
        { waiting = "" }
        /^--?[a-z]/ {
            name = $0
            sub(/^--?/, "", name)
            at = index(name, "=")
            if (at) print substr(name, 1, at - 1) "\t" substr(name, at + 1)
            else waiting = name
        }
        END { if (waiting != "") print waiting "\ttrue" }'
}

# process_config PID: the configuration file with which it was started; with a file, etcd ignores flags and variables.
process_config() {
    named=$(process_options "$1" | sed -n "s/^config-file$(printf '\t')//p" | tail -n 1)
    [ -n "$named" ] || return 1
    process_path "$1" "$named"
}

# process_listeners PID: ADDRESS:PORT of each TCP socket that it listens on; loopback for all addresses.
process_listeners() {
    find "/proc/$1/fd" -maxdepth 1 -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n' >"$view/sockets"
    # shellcheck disable=SC2016  # awk's variables
    ORDER=$(printf '\001\000' | od -An -td2 | tr -d ' ') awk '
        FILENAME == ARGV[1] { mine[$1]; next }
        $4 != "0A" || !($10 in mine) { next }
        {
            split($2, part, ":")
            text = ""
            # Words of 32 bits, each in the order of this machine.
            for (at = 1; at < length(part[1]); at += 8) {
                word = substr(part[1], at, 8)
                if (ENVIRON["ORDER"] == 1) word = substr(word, 7, 2) substr(word, 5, 2) substr(word, 3, 2) substr(word, 1, 2)
                text = text word
            }
            address = ""
            if (length(text) == 8) {
                if (text == "00000000") text = "7F000001"
                for (at = 1; at < 8; at += 2) address = address (at > 1 ? "." : "") hex(substr(text, at, 2))
            } else {
                if (text ~ /^0*$/) text = substr(text, 1, 31) "1"
                for (at = 1; at < 32; at += 4) address = address (at > 1 ? ":" : "") tolower(substr(text, at, 4))
                address = "[" address "]"
            }
            print address ":" hex(part[2])
        }
        function hex(digits,    i, n) {
            for (i = 1; i <= length(digits); i++) n = n * 16 + index("123456789ABCDEF", toupper(substr(digits, i, 1)))
            return n + 0
        }' "$view/sockets" "/proc/$1/net/tcp" "/proc/$1/net/tcp6" 2>/dev/null | sort -u
}

# process_client_url PID: where it answers etcdctl, which presents the certificate in the settings; loopback first. At most 2 s.
process_client_url() {
    client_jobs=
    rm -f "$view"/answer.*
    for client_url in $(process_listeners "$1" | sed 's|.*|http://& https://&|'); do
        {
            if (
                unset ETCDCTL_USER
                case $client_url in https:*) export ETCDCTL_INSECURE_SKIP_TLS_VERIFY=true ;; esac
                present_certificate >/dev/null
                ask_etcd 1 "$client_url" endpoint status
            ) >/dev/null; then echo "$client_url" >"$view/answer.${client_url##*:}.${client_url%%:*}"; fi
        } &
        client_jobs="$client_jobs $!"
    done
    # shellcheck disable=SC2086  # a list of process ids
    [ -z "$client_jobs" ] || wait $client_jobs || true
    cat "$view"/answer.* 2>/dev/null | sort | awk '
        { url[NR] = $0; if (near == "" && /\/\/(127\.|\[0000:0000:0000:0000:0000:0000:0000:0001\])/) near = $0 }
        END { if (NR) print near != "" ? near : url[1]; exit !NR }'
}

# settings_of PID: from here on setting(), and what needs it, describe that process.
settings_of() {
    CONFIG=$(process_config "$1") || CONFIG=$view/no-file
    PROCESS_TELLS=
    read_settings
    look_at_process "$1" "$view/process"
}

# unread_settings KEY...: the reasons, one per line, why these can't be read reliably from CONFIG.
unread_settings() {
    for unread_key in "$@"; do
        unread_reason=$(PROCESS_TELLS= && setting "$unread_key") || printf '%s\n' "$unread_reason"
    done
}

# look_at_process PID FILE: its settings, in lines "KEY<tab>VALUE" for process_setting. A line "*" means that the list is
# complete, so that every other key has its default.
look_at_process() {
    : >"$2"
    looked_database=$(process_database "$1") && printf 'data-dir\t%s\n' "${looked_database%/member/snap/db}" >>"$2"
    looked_log=$(process_file "$1" '*.wal') && printf 'wal-dir\t%s\n' "${looked_log%/*}" >>"$2"
    if ! process_config "$1" >/dev/null; then
        # The last of each counts.
        process_options "$1" | sed 's/^\(\(client-\)\{0,1\}\(cert\|key\)-file\|trusted-ca-file\|auto-tls\)\t/client-transport-security.&/' |
            awk '{ line[NR] = $0 } END { for (i = NR; i; i--) print line[i] }' >>"$2"
        echo "*" >>"$2"
    fi
    PROCESS_TELLS=$2
    setting listen-client-urls >/dev/null || ask_process "$1" >>"$2"
}

# ask_process PID: what the member itself answers, as above.
ask_process() {
    answering_url=$(process_client_url "$1") || return 0
    printf 'listen-client-urls\t%s\n' "$answering_url"
    (
        unset ETCDCTL_USER
        case $answering_url in https:*) export ETCDCTL_INSECURE_SKIP_TLS_VERIFY=true ;; esac
        present_certificate >/dev/null
        answering_id=$(ask_etcd 1 "$answering_url" endpoint status -w fields | sed -n 's/^"MemberID" : //p')
        # Fields: id, status, name, peer URLs, client URLs.
        ask_etcd 1 "$answering_url" member list | ID=$(printf '%x' "${answering_id:-0}") awk -F ', ' '
            { split($4, url, ","); all = all (NR > 1 ? "," : "") $3 "=" url[1] }
            $1 == ENVIRON["ID"] { print "name\t" $3 "\ninitial-advertise-peer-urls\t" $4 "\nadvertise-client-urls\t" $5 }
            END { if (NR) print "initial-cluster\t" all }'
    ) || true
}
