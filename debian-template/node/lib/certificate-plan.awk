# From yaml_list's lines to what must be checked, fields separated by the byte 037. As in etcd: client/pkg/transport, embed.
#   pair SECTION CERT_KEY CERT KEY_KEY KEY CA USAGES CHAIN HOSTS OWN LOOPBACK
#     USAGES: extended key usages that verifiers require; CHAIN: yes if it must lead to CA (empty: the
#     system's); HOSTS: what others dial; OWN: addresses that it dials from; LOOPBACK: what only this node dials.
#   lacks KEY WHY            a key without which etcd exits at its start
#   unread KEY               a value that can't be read reliably
#   once PATH                a file that etcd reads at its start only, unlike certificates and keys

BEGIN { FS = "\t" }

{
    id = tolower($2)
    if ($3 == "double" || id in value || id in unread) {
        unread[id] = $2
        delete value[id]
    } else if ($3 ~ /^(string|int|bool|number)$/) value[id] = substr($0, length($1 $2 $3) + 4)
    else if ($3 != "null" && $3 != "map") unread[id] = $2
}

function get(key, otherwise) {
    return key in value && value[key] != "" ? value[key] : otherwise
}

function path(key) {
    key = get(key, "")
    return key == "" || key ~ /^\// ? key : "/" key
}

# hosts(URLS, WHICH): hosts of the https URLs, separated by blanks. WHICH: all, loopback, addresses.
function hosts(urls, which,    n, url, i, host, result) {
    n = split(urls, url, ",")
    for (i = 1; i <= n; i++) {
        gsub(/[ \t]/, "", url[i])
        if (url[i] !~ /^https:\/\//) continue
        host = substr(url[i], 9)
        sub(/\/.*/, "", host)
        sub(/:[0-9]*$/, "", host)
        gsub(/[][]/, "", host)
        if (which == "loopback" && host !~ /^(127\.|localhost$|::1$)/) continue
        if (which == "addresses" && host !~ /^[0-9.]+$|:/) continue
        if (host != "" && index(" " result " ", " " host " ") == 0) result = result (result == "" ? "" : " ") host
    }
    return result
}

function pair(block, cert, key, usages, chain, dialled, own, loopback) {
    print "pair", block, cert, path(block "." cert), key, path(block "." key), path(block ".trusted-ca-file"), usages, chain, dialled, own, loopback
}

# What makes etcd exit at its start, apart from the content of the files.
function is_complete(block, listens, automatic,    cert, key) {
    cert = path(block ".cert-file")
    key = path(block ".key-file")
    if (cert == "" && key == "") {
        if (listens && !automatic) print "lacks", block ".cert-file", "https URLs need it"
        return 0
    }
    if (cert == "") print "lacks", block ".cert-file", block ".key-file is set"
    if (key == "") print "lacks", block ".key-file", block ".cert-file is set"
    if ((path(block ".client-cert-file") == "") != (path(block ".client-key-file") == ""))
        print "lacks", block (path(block ".client-cert-file") == "" ? ".client-cert-file" : ".client-key-file"), "it and its other half go together"
    return cert != "" && key != ""
}

function section(block, listens, dialled, loopback, is_dialler, own,    demands, own_pair, usages) {
    if (path(block ".trusted-ca-file") != "") print "once", path(block ".trusted-ca-file")
    for (id in unread) if (index(id, block ".") == 1 || id == block) print "unread", unread[id]
    # A CA file makes etcd ask for certificates as client-cert-auth does.
    demands = path(block ".trusted-ca-file") != "" || get(block ".client-cert-auth") == "true"
    if (!is_complete(block, listens, get(block ".auto-tls") == "true")) {
        if (path(block ".cert-file") path(block ".key-file") path(block ".trusted-ca-file") != "")
            pair(block, "cert-file", "key-file", "", "no", "", "", "")
        return
    }
    own_pair = path(block ".client-cert-file") != "" && path(block ".client-key-file") != ""
    usages = !listens ? "" : demands && is_dialler && !own_pair ? "serverAuth clientAuth" : "serverAuth"
    # Which authorities clients trust is not known here; those that members trust are.
    pair(block, "cert-file", "key-file", usages, listens && (block ~ /^peer/ || usages ~ /client/) ? "yes" : "no", dialled, "", loopback)
    if (own_pair) pair(block, "client-cert-file", "client-key-file", listens && demands && is_dialler ? "clientAuth" : "", listens && demands && is_dialler ? "yes" : "no", "", own, "")
}

# Of the keys that sign tokens, in "jwt,pub-key=FILE,priv-key=FILE,…".
function token_keys(    n, option, i) {
    n = split(get("auth-token"), option, ",")
    for (i = 2; i <= n; i++) if (sub(/^(pub|priv)-key=/, "", option[i])) print "once", option[i] ~ /^\// ? option[i] : "/" option[i]
}

END {
    OFS = "\037"
    token_keys()
    peer = "peer-transport-security"
    client = "client-transport-security"
    advertised = get("initial-advertise-peer-urls")
    # Its files are read even where peers speak plain http.
    section(peer, get("listen-peer-urls") ~ /https:/, hosts(advertised, "all"), "", 1,
        get(peer ".skip-client-san-verification") == "true" ? "" : hosts(advertised, "addresses"))
    # The gateway, an HTTP server for clients without gRPC, is a client of etcd with the server's certificate.
    listened = get("listen-client-urls") "," get("listen-client-http-urls") "," get("listen-metrics-urls")
    if (listened ~ /https:/)
        section(client, 1, hosts(get("advertise-client-urls"), "all"), hosts(listened, "loopback"), get("enable-grpc-gateway") != "false", "")
}
