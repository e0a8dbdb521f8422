# Warns of keys that this etcd ignores and of values that it refuses. First file: config-keys; second: the output of
# yaml_list. Prints "line N: ..." lines.

function warn(line, text) {
    printf "%s%d: %s\n", "line ", line, text
}

# Edits (insertions, deletions, changes) from one word to the other.
function distance(a, b,    i, j, row, above, diagonal, best) {
    for (j = 0; j <= length(b); j++) row[j] = j
    for (i = 1; i <= length(a); i++) {
        diagonal = row[0]
        row[0] = i
        for (j = 1; j <= length(b); j++) {
            above = row[j]
            best = diagonal + (substr(a, i, 1) != substr(b, j, 1))
            if (above + 1 < best) best = above + 1
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1
            row[j] = best
            diagonal = above
        }
    }
    return row[length(b)]
}

# The known key that was probably intended, "" if none is similar.
function nearest(key,    known, least, d, result, plain) {
    plain = key
    if (sub(/^experimental-/, "", plain) && plain in type) return plain
    gsub(/_/, "-", plain)
    least = length(key) < 8 ? 2 : 3
    for (known in type) {
        if ((index(known, ".") > 0) != (index(key, ".") > 0)) continue
        d = distance(plain, known)
        if (d < least || (d == least && (result == "" || known < result))) {
            least = d
            result = known
        }
    }
    return result
}

function unknown(line, key,    id, text, near) {
    id = tolower(key)
    text = "etcd " series " ignores " key
    near = nearest(id)
    if (id ~ /^(dial|read|write)-timeout$/) text = text ": no version of etcd has it; delete the line"
    else if (near != "") text = text "; did you mean " near "?"
    else if (id in gate) text = text "; since 3.6 it is a feature gate: feature-gates: \"" gate[id] "=true\""
    else if (id ~ /^(enable-v2|experimental-enable-v2v3)$/) text = text ": the v2 API was removed in 3.6"
    else if (id ~ /^experimental-/) text = text ": experimental keys were removed in 3.7"
    warn(line, text)
}

function needs(line, key, kind, value,    wanted) {
    wanted = type[tolower(key)]
    if (kind == "null") return
    if (wanted == "string" && kind == "text") warn(line, key " has line breaks, tabs or escapes; etcd-ha can't read it: write it on one line")
    else if (wanted == "map" && kind == "flow-map" && tolower(key) in closed) warn(line, key " is in flow style; etcd-ha can't read it: write one key per line")
    if (wanted == "string" && kind ~ /^(int|bool|number)$/) warn(line, "etcd refuses " key ": the value needs quotes: \"" value "\"")
    else if (wanted == "string" && kind !~ /^(string|text)$/) warn(line, "etcd refuses " key ": a string is expected")
    else if (wanted ~ /^(int|duration)$/ && kind == "number") warn(line, key ": write " value " as a decimal number, which etcd and etcd-ha read the same way")
    else if (wanted == "int" && kind != "int") warn(line, "etcd refuses " key ": a whole number without quotes or unit is expected")
    else if (wanted == "duration" && kind != "int") warn(line, "etcd refuses " key ": nanoseconds are expected, without a unit")
    else if (wanted == "bool" && kind != "bool") warn(line, "etcd refuses " key ": true or false is expected, without quotes")
    else if (wanted == "list" && kind !~ /list$/) warn(line, "etcd refuses " key ": a list is expected")
    else if (wanted == "map" && kind !~ /map$/) warn(line, "etcd refuses " key ": a block of keys is expected")
}

# The value, without making an entry of a key that is not there.
function get(key) {
    return key in value_of ? value_of[key] : ""
}

# Whether its value, or its absence, can be read reliably.
function is_known(key) {
    return key in value_of || !(key in line_of)
}

function has_scheme(key, scheme) {
    return index(get(key), scheme "://") > 0
}

function check_values(    key, n, url, i, host) {
    for (key in value_of) {
        if (key !~ /^listen-.*-urls$/) continue
        n = split(value_of[key], url, / *, */)
        for (i = 1; i <= n; i++) {
            host = url[i]
            sub(/^[a-z]+:\/\//, "", host)
            sub(/:[0-9]*$/, "", host)
            if (host !~ /^([0-9.]+|\[[0-9A-Fa-f:.%]+\]|localhost)$/ && url[i] ~ /^https?:/)
                warn(line_of[key], "etcd refuses " key ": it listens on IP addresses, not on the name " host)
        }
    }
    if ("initial-cluster-state" in value_of && get("initial-cluster-state") !~ /^(new|existing)$/)
        warn(line_of["initial-cluster-state"], "etcd refuses initial-cluster-state: new or existing is expected")
    beat = "heartbeat-interval" in value_of ? value_of["heartbeat-interval"] : 100
    election = "election-timeout" in value_of ? value_of["election-timeout"] : 1000
    if (is_known("heartbeat-interval") && is_known("election-timeout") && beat * 5 > election * 1) warn(first("heartbeat-interval", "election-timeout"), "etcd refuses election-timeout: it must be at least 5 times heartbeat-interval")
    if (election > 50000) warn(line_of["election-timeout"], "etcd refuses election-timeout: the maximum is 50000")
    if ("log-level" in value_of && get("log-level") !~ /^(debug|info|warn|error|dpanic|panic|fatal)$/)
        warn(line_of["log-level"], "etcd crashes with log-level " value_of["log-level"])
    if (get("logger") == "capnslog" && series != "3.4") warn(line_of["logger"], "etcd refuses logger: only zap remains")
    if (series ~ /^3\.[45]$/ && get("auto-compaction-retention") !~ /^0?$/ && get("auto-compaction-mode") == "")
        warn(line_of["auto-compaction-retention"], "etcd " series " compacts nothing unless auto-compaction-mode is in the file too")
    if ("auto-compaction-mode" in value_of && get("auto-compaction-mode") !~ /^(periodic|revision)$/)
        warn(line_of["auto-compaction-mode"], "etcd refuses auto-compaction-mode: periodic or revision is expected")
    if (series == "3.4" && !("enable-grpc-gateway" in value_of))
        warn(1, "etcd 3.4 turns the gateway off unless the file says enable-grpc-gateway: true; Patroni needs it")
    if (get("data-dir") ~ /^\/var\/lib\/etcd(\/|$)/)
        warn(line_of["data-dir"], "data-dir is below /var/lib/etcd, which is deleted when Debian's etcd-server is purged")
    check_clients()
    check_tls("client")
    check_tls("peer")
    for (key in dangerous) if (key in value_of && value_of[key] ~ /^([yY]|[tT]rue|TRUE|[yY]es|YES|[oO]n|ON)$/)
        warn(line_of[key], key " " dangerous[key])
}

function host_of(url) {
    sub(/^ *[a-z]+:\/\//, "", url)
    sub(/:[0-9]*\/? *$/, "", url)
    return url
}

function is_loopback(host) {
    return host ~ /^(127\.[0-9.]+|localhost|\[::1\])$/
}

# The first host of a list of URLs at which other nodes reach this one.
function reachable(urls,    n, url, i, host) {
    n = split(urls, url, ",")
    for (i = 1; i <= n; i++) {
        host = host_of(url[i])
        if (host != "" && !is_loopback(host) && host !~ /^(0\.0\.0\.0|\[::\])$/) return host
    }
    return ""
}

# The URLs of "NAME=URL,NAME=URL".
function without_names(members) {
    gsub(/(^|,) *[^=,]*=/, ",", members)
    return members
}

# What etcd accepts and clients on other nodes can't use: Patroni speaks HTTP to the advertised URLs (patroni 1283, 3382, 3630).
function check_clients(    key, address, n, url, i, better, found) {
    key = "enable-grpc-gateway"
    if (get(key) ~ /^([nN]|[fF]alse|FALSE|[nN]o|NO|[oO]ff|OFF)$/)
        warn(line_of[key], "Patroni can't use this member without the gateway: etcd-ha config set enable-grpc-gateway true")
    key = "listen-client-http-urls"
    if (get(key) != "")
        warn(line_of[key], "Patroni can't use this member, since etcd then serves no HTTP at listen-client-urls: etcd-ha config set listen-client-http-urls \"\"")
    # Other members have to be reachable; with only one member, or all on loopback, nobody else has to reach this one.
    if (split(get("initial-cluster"), url, ",") < 2 || reachable(without_names(get("initial-cluster"))) == "") return
    address = reachable(get("listen-client-urls"))
    if (address == "") address = reachable(get("initial-advertise-peer-urls"))
    key = "advertise-client-urls"
    n = split(get(key), url, / *, */)
    for (i = 1; i <= n; i++) {
        if (!is_loopback(host_of(url[i]))) better = better (better == "" ? "" : ",") url[i]
        else if (found == "") found = url[i]
    }
    if (found == "") return
    if (better == "") {
        better = found
        sub(/:\/\/(\[::1\]|[^:\/]*)/, "://" (address == "" ? "ADDRESS" : address), better)
    }
    warn(line_of[key], "advertise-client-urls has the loopback URL " found ", which leads clients on other nodes, such as Patroni, to their own node: etcd-ha config set advertise-client-urls " better)
}

function check_tls(side,    certificate, automatic, urls) {
    certificate = side "-transport-security.cert-file"
    automatic = get(side "-transport-security.auto-tls")
    urls = "listen-" side "-urls"
    if (get(certificate) == "" && automatic !~ /^([tT]rue|TRUE|[yY]|[yY]es|[oO]n)$/) {
        if (has_scheme(urls, "https")) warn(line_of[urls], "etcd refuses " urls ": https needs " side "-transport-security with cert-file and key-file")
    } else if (get(certificate) != "" && has_scheme(urls, "http"))
        warn(line_of[urls], "etcd does not encrypt the traffic of http URLs, even with a certificate")
}

function first(a, b) {
    return a in line_of ? line_of[a] : line_of[b]
}

BEGIN {
    FS = "\t"
    dangerous["force-new-cluster"] = "removes the other members at every start; delete it after the recovery"
    dangerous["unsafe-no-fsync"] = "loses data when the machine fails"
    gate["experimental-initial-corrupt-check"] = "InitialCorruptCheck"
    gate["experimental-compact-hash-check-enabled"] = "CompactHashCheck"
    gate["experimental-enable-lease-checkpoint"] = "LeaseCheckpoint"
    gate["experimental-enable-lease-checkpoint-persist"] = "LeaseCheckpointPersist"
    gate["experimental-stop-grpc-service-on-defrag"] = "StopGRPCServiceOnDefrag"
    gate["experimental-txn-mode-write-with-shared-buffer"] = "TxnModeWriteWithSharedBuffer"
}

FNR == 1 { file++ }

file == 1 {
    if ($0 ~ /^#/) {
        series = $0
        sub(/^# etcd /, "", series)
        sub(/:.*/, "", series)
    } else {
        split($0, field, " ")
        type[field[1]] = field[2]
        # Blocks of other kinds, such as discovery-config, take any key.
        if (index(field[1], ".")) closed[substr(field[1], 1, index(field[1], ".") - 1)] = 1
    }
    next
}

{
    id = tolower($2)
    value = $0
    sub(/^[^\t]*\t[^\t]*\t[^\t]*\t/, "", value)
    parent = id
    sub(/\..*/, "", parent)
    if ($3 == "double") {
        warn($1, $2 " appears twice")
        next
    }
    line_of[id] = $1
    if (!(id in type)) {
        if (!index(id, ".") || parent in closed) unknown($1, $2)
        next
    }
    needs($1, $2, $3, value)
    if ($3 ~ /^(string|int|bool|number)$/) value_of[id] = value
}

END { check_values() }
