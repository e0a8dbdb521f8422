# shellcheck shell=sh
# Translates the ETCD_ variables and flags of an etcd, such as Debian's, to a configuration file.
# Needs: nothing.

# environment_options FILE...: lines "FLAG<tab>VALUE" of the ETCD_ variables and of DAEMON_ARGS in systemd environment files.
environment_options() {
    # shellcheck disable=SC2016  # awk's variables
    awk '
        function unquoted(text,    mark) {
            sub(/[ \t\r]+$/, "", text)
            mark = substr(text, 1, 1)
            if (length(text) > 1 && (mark == "\"" || mark == "\047") && substr(text, length(text)) == mark) {
                text = substr(text, 2, length(text) - 2)
                if (mark == "\"") gsub(/\\/, "", text)
            }
            return text
        }
        function arguments(text,    word, count, i, at, name) {
            count = split(text, word, /[ \t]+/)
            for (i = 1; i <= count; i++) {
                if (word[i] !~ /^--?[a-z]/) continue
                name = word[i]
                sub(/^--?/, "", name)
                at = index(name, "=")
                if (at) print substr(name, 1, at - 1) "\t" unquoted(substr(name, at + 1))
                else if (i < count && word[i + 1] !~ /^-/) print name "\t" unquoted(word[++i])
                else print name "\ttrue"
            }
        }
        { line = kept $0; kept = "" }
        line ~ /\\$/ { kept = substr(line, 1, length(line) - 1); next }
        line ~ /^[ \t]*(ETCD_[A-Z0-9_]+|DAEMON_ARGS)=/ {
            at = index(line, "=")
            name = substr(line, 1, at - 1)
            gsub(/[ \t]/, "", name)
            value = unquoted(substr(line, at + 1))
            if (value == "") next # as etcd takes it
            if (name == "DAEMON_ARGS") { arguments(value); next }
            sub(/^ETCD_/, "", name)
            gsub(/_/, "-", name)
            print tolower(name) "\t" value
        }' "$@"
}

# option FLAG: the last value in stdin.
option() { FLAG=$1 awk -F '\t' '$1 == ENVIRON["FLAG"] { value = $2; found = 1 } END { if (found) print value; exit !found }'; }

# options_with_defaults DATA_DIR: the options in stdin, that data-dir, and the defaults of flags that a file doesn't have in
# every minor.
options_with_defaults() {
    awk -F '\t' -v data="$1" '
        $1 == "data-dir" { next }
        { print; given[$1] }
        END {
            print "data-dir\t" data
            if (!("auto-compaction-mode" in given)) print "auto-compaction-mode\tperiodic"
            if (!("auto-compaction-retention" in given)) print "auto-compaction-retention\t0"
            if (!("enable-grpc-gateway" in given)) print "enable-grpc-gateway\ttrue"
        }'
}

# options_to_yaml KEYS: YAML from the options in stdin; KEYS is the table of this minor: KEY TYPE. A setting that a
# file can't contain becomes a comment, so nothing is lost.
options_to_yaml() {
    # shellcheck disable=SC2016  # awk's variables
    awk -F '\t' -v keys="$1" '
        function quoted(text) { gsub(/\047/, "\047\047", text); return "\047" text "\047" }
        # A duration of Go (1m30s) in nanoseconds.
        function nanoseconds(text,    total, number, unit) {
            if (text ~ /^[0-9]+$/) return text
            total = 0
            while (match(text, /^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)/)) {
                number = unit = substr(text, 1, RLENGTH)
                sub(/[a-z]+$/, "", number)
                sub(/^[0-9.]+/, "", unit)
                total += number * scale[unit]
                text = substr(text, RLENGTH + 1)
            }
            return text == "" ? sprintf("%.0f", total) : ""
        }
        function in_yaml(kind, text,    item, count, i, list) {
            if (kind == "int") return text ~ /^-?[0-9]+$/ ? text : ""
            if (kind == "bool") return text ~ /^(1|t|T|TRUE|true|True)$/ ? "true" : text ~ /^(0|f|F|FALSE|false|False)$/ ? "false" : ""
            if (kind == "duration") return nanoseconds(text)
            if (kind != "list") return quoted(text)
            count = split(text, item, ",")
            for (i = 1; i <= count; i++) list = list (i > 1 ? ", " : "") quoted(item[i])
            return "[" list "]"
        }
        function key_of(flag) {
            if (flag in type) return flag
            if (flag ~ /^peer-cert-allowed-/) return "peer-transport-security." substr(flag, 11)
            if (flag ~ /^client-cert-allowed-/) return "client-transport-security." substr(flag, 13)
            if (flag ~ /^socket-reuse-/) return "socket-options." substr(flag, 8)
            if (flag ~ /^peer-/) return "peer-transport-security." substr(flag, 6)
            return "client-transport-security." flag
        }
        BEGIN {
            scale["ns"] = 1; scale["us"] = 1e3; scale["ms"] = 1e6; scale["s"] = 1e9; scale["m"] = 6e10; scale["h"] = 36e11
            while ((getline line < keys) > 0)
                if (line !~ /^#/ && split(line, word, " ") == 2) type[word[1]] = word[2]
        }
        { if (!($1 in value)) flag[++flags] = $1; value[$1] = $2 }
        END {
            for (i = 1; i <= flags; i++) {
                key = key_of(flag[i])
                text = key in type ? in_yaml(type[key], value[flag[i]]) : ""
                if (text == "") { comments = comments "# not translated: --" flag[i] "=" value[flag[i]] "\n"; continue }
                at = index(key, ".")
                if (!at) { print key ": " text; continue }
                block = substr(key, 1, at - 1)
                if (!(block in lines)) block_name[++blocks] = block
                lines[block] = lines[block] "  " substr(key, at + 1) ": " text "\n"
            }
            for (i = 1; i <= blocks; i++) printf("%s:\n%s", block_name[i], lines[block_name[i]])
            printf("%s", comments)
        }'
}
