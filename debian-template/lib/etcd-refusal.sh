# shellcheck shell=sh
# Asks etcd itself whether it takes a configuration file, for each version the right answer and no table.

# etcd_refusal ETCD FILE: why the binary ETCD would refuse FILE; nothing when it takes it or when that can't be found out.
# etcd reads and validates the whole file first, then lists its data directory, and only then opens a port. A copy of
# FILE whose data-dir is no directory ends it in between, in some 30 ms.
etcd_refusal() {
    refusal_dir=$(mktemp -d) || return 0
    if refusal_probe_file "$2" >"$refusal_dir/etcd.yaml"; then
        timeout 5 "$1" --config-file "$refusal_dir/etcd.yaml" </dev/null >"$refusal_dir/said" 2>&1 || true
        # 3.4 logs lines of text, later ones JSON; a bad log-level is a panic in all of them.
        sed -n \
            -e 's/.*"msg":"failed to verify flags","error":"\(.*\)"}$/\1/p' \
            -e "s/.*error verifying flags, \\(.*\\)\\. See 'etcd --help'\\.\$/\\1/p" \
            -e 's/^panic: \(.*\)/\1/p' "$refusal_dir/said" |
            sed -e 's/\\"/"/g' -e 's/\\\\/\\/g' -e 's/Go struct field config[A-Za-z]*\.\(Config\.\)\{0,1\}/key /' |
            head -n 1
    fi
    rm -rf "$refusal_dir"
}

# refusal_probe_file FILE: FILE with data-dir /dev/null; fails for forms where that can't be done line by line.
refusal_probe_file() {
    LC_ALL=C awk '
        { sub(/\r$/, "") }
        # Flow style, several documents, an indented top level, an anchor on the value.
        /^[[:space:]]*[{]/ && !seen { exit 1 }
        /^(---|\.\.\.)/ && seen { exit 1 }
        /^[[:space:]]+[^#[:space:]]/ && !seen { exit 1 }
        /^[^#[:space:]-]/ { seen = 1 }
        dropping && (/^[[:space:]]/ || /^$/) { next }
        { dropping = 0 }
        tolower($0) ~ /^["\047]?data-dir["\047]?[[:space:]]*:/ {
            if (/&/) exit 1
            dropping = 1
            next
        }
        { print }
        END { print "data-dir: /dev/null" }' "$1"
}
