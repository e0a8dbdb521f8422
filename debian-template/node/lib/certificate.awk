# Checks a certificate as Go's crypto/x509 does. Input: the output of `openssl x509 -text`, a line "=", the complaints of
# `openssl verify` about the chain, a line "=", those with a purpose. Environment: NOW (YYYYMMDDhhmmss, UTC), USAGES, HOSTS, OWN,
# LOOPBACK (see certificate-plan.awk), CA_FILE. Output: LEVEL, ROLE, EXPECTED and FOUND, separated by tabs.

function fault(level, role, expected, found) {
    printf "%s\t%s\t%s\t%s\n", level, role, expected, found
}

# "Nov 26 16:00:00 2026 GMT" as NOW is written.
function stamp(text,    word, clock) {
    split(text, word, " ")
    split(word[3], clock, ":")
    return sprintf("%04d%02d%02d%02d%02d%02d", word[4], (index("JanFebMarAprMayJunJulAugSepOctNovDec", word[1]) + 2) / 3, word[2], clock[1], clock[2], clock[3])
}

# An IPv6 address with all its groups, without leading zeros.
function spread(address,    half, left, right, n, m, i, result) {
    n = split(tolower(address), half, "::")
    m = split(half[1], left, ":")
    for (i = 1; i <= m; i++) result = result ":" left[i]
    if (n == 2) {
        n = split(half[2], right, ":")
        for (i = m + n; i < 8; i++) result = result ":0"
        for (i = 1; i <= n; i++) result = result ":" right[i]
    }
    while (match(result, /:0[0-9a-f]/)) result = substr(result, 1, RSTART) substr(result, RSTART + 2)
    return result
}

function is_address(host) {
    return host ~ /:/ || host ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/
}

# The common name is ignored, and * matches the whole first label.
function names(host,    i, entry, wanted, pattern) {
    for (i = 1; i <= entries; i++) {
        entry = alternative[i]
        if (is_address(host)) {
            if (sub(/^IP Address:/, "", entry) && (host ~ /:/ ? spread(host) == spread(entry) : host == entry)) return 1
        } else if (sub(/^DNS:/, "", entry)) {
            wanted = tolower(host)
            pattern = tolower(entry)
            sub(/\.$/, "", wanted)
            if (pattern ~ /^\*\./ && index(wanted, ".") > 1) {
                sub(/^[^.]*/, "", wanted)
                sub(/^\*/, "", pattern)
            }
            if (pattern == wanted) return 1
        }
    }
    return 0
}

function judge_hosts(hosts, level, role,    n, host, i) {
    n = split(hosts, host, " ")
    for (i = 1; i <= n; i++)
        if (!names(host[i])) fault(level, role, "the subject alternative name " host[i], names_found == "" ? "none (the common name does not count)" : names_found)
}

function judge_usages(    n, usage, i) {
    n = split(ENVIRON["USAGES"], usage, " ")
    for (i = 1; i <= n && extended != "" && extended !~ /Any Extended Key Usage/; i++)
        if (index(extended, usage[i] == "serverAuth" ? "TLS Web Server" : "TLS Web Client") == 0)
            fault("starts", usage[i], "the extended key usage " usage[i], extended)
}

function judge_dates() {
    if (ENVIRON["NOW"] > stamp(not_after)) fault("starts", "both", "a certificate that is valid now", "it expired on " not_after)
    else if (ENVIRON["NOW"] < stamp(not_before)) fault("starts", "both", "a certificate that is valid now", "not valid before " not_before)
}

# openssl's numbers: X509_V_ERR_… in x509_vfy.h. Faults of the certificate itself (depth 0) are found above.
function judge_chain(number, depth, text) {
    if (number ~ /^(2|18|19|20|21)$/)
        fault("starts", "chain", "a certificate that a CA in " ENVIRON["CA_FILE"] " has issued (intermediate CAs follow it in the file)", "issuer " issuer)
    else if (number == 7)
        fault("starts", "chain", "a certificate that the CA in " ENVIRON["CA_FILE"] " has signed", "another CA with the same name, " issuer ", signed it")
    else if (number ~ /^(24|79|32)$/) fault("starts", "chain", "an issuer that is a CA (basic constraint CA:TRUE, key usage keyCertSign)", issuer " is not one")
    else if (number ~ /^(9|10)$/) {
        if (depth > 0) fault("starts", "chain", "CA certificates that are valid now", text " (" issuer ")")
    } else fault("starts", "chain", "a chain to a CA in " ENVIRON["CA_FILE"], text)
}

part == 0 && /^ +Issuer: / { issuer = substr($0, index($0, "Issuer: ") + 8) }
part == 0 && /^ +Not Before *: / { not_before = substr($0, index($0, ": ") + 2) }
part == 0 && /^ +Not After *: / { not_after = substr($0, index($0, ": ") + 2) }
part == 0 && /^ +Signature Algorithm: / { algorithm = $3 }
part == 0 && wants_line == "names" {
    names_found = $0
    sub(/^ +/, "", names_found)
    entries = split(names_found, alternative, /, */)
}
part == 0 && wants_line == "usages" {
    extended = $0
    sub(/^ +/, "", extended)
}
part == 0 { wants_line = /X509v3 Subject Alternative Name:/ ? "names" : /X509v3 Extended Key Usage:/ ? "usages" : "" }
part > 0 && /^error [0-9]+ at [0-9]+ depth lookup: / {
    number = $2
    depth = $4
    sub(/^error.*lookup: /, "")
    if (part == 1 && !seen[number, depth]++) judge_chain(number, depth, $0)
    if (part == 2 && number == 26 && depth > 0) fault("starts", "chain", "CAs that may issue certificates for " ENVIRON["USAGES"], "a CA in the chain excludes it by its extended key usages")
}
/^=$/ { part++ }

END {
    if (not_after == "") exit 1
    judge_dates()
    judge_usages()
    judge_hosts(ENVIRON["HOSTS"], "starts", "serverAuth")
    if (ENVIRON["LOOPBACK"] != ENVIRON["HOSTS"]) judge_hosts(ENVIRON["LOOPBACK"], "note", "loopback")
    # etcd requires a client's address only if the certificate has addresses and no names (listener_tls.go, checkCertSAN).
    if (names_found ~ /IP Address:/ && names_found !~ /DNS:/) judge_hosts(ENVIRON["OWN"], "starts", "clientAuth")
    if (algorithm ~ /^(sha1With|md5With|ecdsa-with-SHA1$|dsa)/ && ENVIRON["USAGES"] != "") fault("starts", "both", "a signature with SHA-256 or better", algorithm)
}
