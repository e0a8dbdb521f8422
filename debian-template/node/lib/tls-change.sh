# shellcheck shell=sh
# A change from http to https that is under way, or back: what `etcd-ha tls` has noted of each member, in the cluster.
# Needs: client, yaml.
# shellcheck disable=SC2154  # view

TLS_NOTES=/etcd-ha/tls/
TLS_BEGUN=${ETCD_HA_KEPT:-/var/backups/etcd-ha/begun}/tls.json

# tls_notes: lines "ID WAY STAGE CA", the newest first; nothing where no change is under way. By the copy of the member here,
# so without a quorum as well. Status 2: this node can't tell.
tls_notes() {
    noted_at=$(own_endpoint) || pass_on "$noted_at" || return
    noted=$(ask_etcd 1 "$noted_at" get --prefix "$TLS_NOTES" --consistency=s --sort-by=MODIFY --order=DESCEND) || {
        echo "the member here did not answer"
        return 2
    }
    [ -z "$noted" ] || printf '%s\n' "$noted" | paste -d ' ' - - | sed "s|^$TLS_NOTES||"
}

# tls_stages: from $view/tls and $view/rows lines "WAY|NAME|STAGE" of all members, and at the end "next|NAME|". One without a
# note has not begun.
tls_stages() {
    [ -s "$view/tls" ] || return 0
    awk -F '|' '
        FILENAME ~ /tls$/ { split($0, word, " "); if (way == "") way = word[2] == "disable" ? "disable" : "enable"; stage[word[1]] = word[3]; next }
        FNR == 1 { split("http both members https", order, " "); for (i in order) rank[order[i]] = i }
        {
            name = $2 == "" ? $1 : $2
            at = $1 in stage ? stage[$1] : (way == "enable" ? "http" : "https")
            print way "|" name "|" at
            far = way == "enable" ? rank[at] : -rank[at]
            if (last == "" || far < least) { least = far; last = name }
        }
        END { if (last != "") print "next|" last "|" }' "$view/tls" "$view/rows"
}

# tls_line: the same for people.
tls_line() {
    tls_stages | awk -F '|' '
        BEGIN {
            shown["http"] = "http"
            shown["both"] = "http between members, http and https for clients"
            shown["members"] = "https between members, http and https for clients"
            shown["https"] = "https"
        }
        $1 == "next" { print "being " way "d: " all "; next, on " $2 ": etcd-ha tls " way; next }
        { way = $1; all = all (all == "" ? "" : "; ") $2 " " shown[$3] }'
    [ ! -e "$TLS_BEGUN" ] || echo "a stage was begun on this node and has not ended; run the same command again"
}
