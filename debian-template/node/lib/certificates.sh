# shellcheck shell=sh
# Faults of the files in the TLS sections of etcd.yaml, by etcd's own rules.
# The command openssl may be missing.
# Needs: file-access, yaml.

ENDS="etcd exits at its start."
RENEW="Replace the file: etcd reads it again for each connection."
SYSTEM_AUTHORITIES=/etc/ssl/certs/ca-certificates.crt

# certificate_faults FILE: a line for each fault, fields separated by tabs: LEVEL KEYS PATH EXPECTED FOUND FOLLOWS.
# LEVEL: ends (etcd exits at its start until the file is replaced), retries (likewise, but the file may be incomplete because
# it is being written), starts (etcd runs, but some connections fail), note, unknown (what was not checked, and why).
certificate_faults() { unmerged_faults "$1" | merge_faults; }

unmerged_faults() {
    judged=
    listed=$(yaml_list "$1") || return 0
    plan=$(printf '%s\n' "$listed" | LC_ALL=C awk -f "$LIB/certificate-plan.awk")
    while IFS=$(printf '\037') read -r kind section cert_key cert key_key key ca usages chain hosts own loopback; do
        case $kind in
            lacks) fault ends "$section" "$1" "the path of a file" "none, but $cert_key" "$ENDS" ;;
            unread) fault unknown "$section" "$1" "a value in one line" "another form" "It was not checked." ;;
            pair) faults_of_pair ;;
        esac
    done <<END
$plan
END
}

# certificate_sentence LEVEL KEYS PATH EXPECTED FOUND FOLLOWS: such a line as a sentence.
certificate_sentence() {
    case $4:$5 in
        "a file that etcd can read":*) printf '%s\n' "etcd can't read $3 ($2): access denied $5. $6" ;;
        "a file:none") printf '%s\n' "$3 ($2) does not exist. $6" ;;
        *) printf '%s\n' "$3 ($2): expected $4, found $5. $6" ;;
    esac
}

# fault LEVEL KEY PATH EXPECTED FOUND FOLLOWS
fault() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }

# Joins lines that differ only in the key; the most serious come first.
merge_faults() {
    LC_ALL=C awk -F '\t' '
        { rest = $3 "\t" $4 "\t" $5 "\t" $6; id = $1 "\t" rest }
        !(id in keys) { level[++count] = $1; order[count] = id; keys[id] = $2; tail[id] = rest; next }
        index(" " keys[id] " ", " " $2 " ") == 0 { keys[id] = keys[id] " and " $2 }
        END {
            split("ends retries starts unknown note", rank, " ")
            for (r = 1; r <= 5; r++)
                for (i = 1; i <= count; i++)
                    if (level[i] == rank[r]) print level[i] "\t" keys[order[i]] "\t" tail[order[i]]
        }'
}

# faults_of_pair: of a certificate, its key and the CAs; the fields are those of certificate-plan.awk. Both sections often
# name the same files.
faults_of_pair() {
    if [ "$judged" != "$cert $key $ca" ]; then
        judged="$cert $key $ca"
        authorities=${ca:-$SYSTEM_AUTHORITIES}
        certificate_text=$(openssl x509 -in "$cert" -noout -text -pubkey </dev/null 2>/dev/null) || certificate_text=
        file_faults=$(faults_of_files)
        case $file_faults in *"	@.cert	"* | *"	@.ca	"*) complaints= ;; *) complaints=$(chain_complaints) ;; esac
    fi
    printf '%s\n' "$file_faults" | grep . | sed "s/@\.cert	/$section.$cert_key	/; s/@\.key	/$section.$key_key	/; s/@\.ca	/$section.trusted-ca-file	/" || true
    if [ -n "$certificate_text" ] && [ -n "$usages" ]; then faults_of_certificate; fi
}

faults_of_files() {
    [ -z "$cert" ] || check_file check_certificate_file @.cert "$cert"
    [ -z "$key" ] || check_file check_key_file @.key "$key"
    [ -z "$ca" ] || check_file check_authority_file @.ca "$ca"
}

# check_file CHECK KEY FILE
check_file() {
    if blocked=$(blocked_for_etcd "$3"); then
        fault ends "$2" "$3" "a file that etcd can read" "at $blocked: $(stat -c '%A, owner %U, group %G' "$blocked")" \
            "Let the group etcd read it: chgrp etcd $blocked; chmod g+r$([ ! -d "$blocked" ] || echo x) $blocked"
    elif ! [ -e "$3" ]; then
        fault retries "$2" "$3" "a file" "none" "Install the file. The unit hides /home, /root and /tmp."
    elif ! [ -f "$3" ]; then
        fault ends "$2" "$3" "a file" "$(stat -c %F "$3")" "$ENDS"
    elif ! command -v openssl >/dev/null; then
        fault unknown "$2" "$3" "the command openssl" "none" "The content of the file was not checked."
    else
        "$1" "$2" "$3"
    fi
}

# blocked_for_etcd FILE: where the account etcd is denied access, whichever account runs this.
blocked_for_etcd() {
    if [ "$(id -u)" = 0 ] && id etcd >/dev/null 2>&1; then
        # shellcheck disable=SC2016  # the inner shell's
        setpriv --reuid etcd --regid etcd --init-groups sh -c '. "$1" && blocked_at "$2"' sh "$LIB/file-access.sh" "$1"
    else
        blocked_at "$1"
    fi
}

# As in Go, the given CAs are trusted even if they are not roots.
chain_complaints() {
    openssl verify -partial_chain -no-CApath -no-CAstore -CAfile "$authorities" -untrusted "$cert" "$@" "$cert" </dev/null 2>&1 || true
}

# A CA may limit the usages of the certificates below it. Unlike Go, openssl does not treat "any" as all of them.
usage_complaints() {
    for usage in $usages; do
        of_usage=$(chain_complaints -purpose "$(echo "$usage" | sed 's/serverAuth/sslserver/; s/clientAuth/sslclient/')")
        case $of_usage in *"error 26 at "[1-9]*) ;; *) continue ;; esac
        openssl crl2pkcs7 -nocrl -certfile "$cert" -certfile "$authorities" </dev/null | openssl pkcs7 -print_certs -text -noout |
            grep -q "Any Extended Key Usage" || printf '%s\n' "$of_usage"
    done
}

# faults_of_certificate: of a certificate in use: validity, usages, names, and whether its chain ends at a trusted CA.
faults_of_certificate() {
    {
        printf '%s\n=\n' "$certificate_text"
        if [ "$chain" = yes ]; then printf '%s\n=\n%s\n' "$complaints" "$(usage_complaints)"; fi
    } | LC_ALL=C NOW=$(date -u +%Y%m%d%H%M%S) USAGES=$usages HOSTS=$hosts OWN=$own LOOPBACK=$loopback CA_FILE=$authorities \
        awk -f "$LIB/certificate.awk" | while IFS=$(printf '\t') read -r level role expected found; do
        fault "$level" "$section.$cert_key" "$cert" "$expected" "$found" "$(what_follows "$role")"
    done
}

# what_follows ROLE
what_follows() {
    case $1:$section:$usages in
        loopback:*) echo "Clients that use this address refuse the member." ;;
        clientAuth:peer-*) echo "Other members refuse its connections. $RENEW" ;;
        serverAuth:peer-*) echo "Other members don't connect to it. $RENEW" ;;
        *:peer-*) echo "This member and the other members can't connect. $RENEW" ;;
        clientAuth:* | chain:* | *:clientAuth) echo "etcd refuses its own gateway (/v3/, which Patroni uses) and etcd-ha. $RENEW" ;;
        *) echo "Clients that verify it refuse this member. $RENEW" ;;
    esac
}

# pem_labels FILE: the label of each PEM block; "encrypted LABEL" with a passphrase of the old kind, "cut LABEL" if truncated.
pem_labels() {
    LC_ALL=C tr -d '\000-\010\013\014\016-\037\177-\377' <"$1" | LC_ALL=C awk '
        { sub(/[ \t\r]+$/, "") }
        /^-----BEGIN .*-----$/ {
            if (label != "") print "cut " label
            label = substr($0, 12, length($0) - 16)
            encrypted = ""
        }
        label != "" && /^Proc-Type:.*ENCRYPTED/ { encrypted = "encrypted " }
        label != "" && $0 == "-----END " label "-----" {
            print encrypted label
            label = ""
        }
        END { if (label != "") print "cut " label }'
}

# fault_of_form KEY FILE WANTED LABELS COMMAND: describes what the file contains instead of WANTED. openssl's COMMAND reads DER.
fault_of_form() {
    if ! [ -s "$2" ]; then
        fault retries "$1" "$2" "$3" "an empty file" "$ENDS"
    elif [ "$4" != "${4#*cut }" ]; then
        fault retries "$1" "$2" "$3" "a truncated one" "$ENDS"
    elif [ -n "$4" ]; then
        fault ends "$1" "$2" "$3" "$(printf '%s\n' "$4" | sort -u | paste -sd, -)" "$ENDS"
    elif openssl "$5" -inform DER -in "$2" -passin pass: -noout </dev/null >/dev/null 2>&1; then
        fault ends "$1" "$2" "$3 in PEM" "DER" "$ENDS Convert it: openssl $5 -inform DER -in $2 -out $2.pem && cat $2.pem >$2 && rm $2.pem"
    else
        fault ends "$1" "$2" "$3 in PEM" "another form" "$ENDS"
    fi
}

# check_certificate_file KEY FILE: a certificate; other blocks are ignored.
check_certificate_file() {
    labels=$(pem_labels "$2")
    if ! printf '%s\n' "$labels" | grep -qx CERTIFICATE; then
        fault_of_form "$1" "$2" "a certificate" "$labels" x509
    elif [ -z "$certificate_text" ]; then
        fault ends "$1" "$2" "a certificate" "a damaged one" "$ENDS"
    fi
}

# check_key_file KEY FILE: the first private key counts; etcd can't ask for a passphrase.
check_key_file() {
    labels=$(pem_labels "$2")
    case $(printf '%s\n' "$labels" | grep 'PRIVATE KEY$' | grep -v '^cut ' | head -n 1) in
        "") fault_of_form "$1" "$2" "a private key" "$labels" pkey ;;
        "ENCRYPTED PRIVATE KEY" | "encrypted "*)
            fault ends "$1" "$2" "a private key without a passphrase" "one with a passphrase" \
                "$ENDS Remove the passphrase: openssl pkey -in $2 -out $2.plain && cat $2.plain >$2 && rm $2.plain"
            ;;
        *) check_key "$1" "$2" ;;
    esac
}

# check_key KEY FILE: whether it belongs to the certificate, and is of a kind that Go supports.
check_key() {
    if ! public=$(openssl pkey -in "$2" -pubout -passin pass: </dev/null 2>/dev/null); then
        fault ends "$1" "$2" "a private key" "a damaged one" "$ENDS"
        return 0
    fi
    case $certificate_text in
        "") ;;
        *"$public"*)
            kind_of_key=$(printf '%s\n' "$certificate_text" | sed -n 's/.*Public Key Algorithm: //p; s/.*ASN1 OID: /curve /p' | paste -sd ' ' -)
            case $kind_of_key in
                rsaEncryption | ED25519 | *" prime256v1" | *" secp384r1" | *" secp521r1" | *" secp224r1") ;;
                *) fault ends "$1" "$2" "a key of RSA, Ed25519, or ECDSA on P-224 to P-521" "$kind_of_key" "$ENDS" ;;
            esac
            ;;
        *)
            if later_certificate_has "$public"; then
                fault retries @.cert "$cert" "the node's own certificate first, then CAs" "another certificate first" "$ENDS"
            else
                fault retries "$1" "$2" "the key of the certificate in $cert" "another key" "$ENDS"
            fi
            ;;
    esac
}

# later_certificate_has PUBLIC_KEY: whether it belongs to a certificate after the first.
later_certificate_has() {
    for number in $(seq 2 "$(pem_labels "$cert" | grep -cx CERTIFICATE)"); do
        other=$(awk -v number="$number" '/-----BEGIN CERTIFICATE-----/ { count++ } count == number' "$cert" |
            openssl x509 -noout -pubkey 2>/dev/null) || continue
        [ "$other" != "$1" ] || return 0
    done
    return 1
}

# check_authority_file KEY FILE: only certificates. With none, etcd starts and trusts no certificate until its next start.
check_authority_file() {
    labels=$(pem_labels "$2")
    others=$(printf '%s\n' "$labels" | grep -v '^cut \|^CERTIFICATE$\|^$' | sort -u | paste -sd, -)
    if [ -n "$others" ]; then
        fault ends "$1" "$2" "certificates of CAs and nothing else" "$others" "$ENDS"
    elif ! printf '%s\n' "$labels" | grep -qx CERTIFICATE; then
        ENDS="etcd would trust no certificate, and it reads this file only at its start."
        fault_of_form "$1" "$2" "certificates of CAs" "$labels" x509
    elif ! openssl crl2pkcs7 -nocrl -certfile "$2" -outform DER -out /dev/null </dev/null 2>/dev/null; then
        fault ends "$1" "$2" "certificates of CAs" "a damaged one" "$ENDS"
    fi
}
