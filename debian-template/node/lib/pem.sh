# shellcheck shell=sh
# shellcheck disable=SC2154  # set in certificates.sh
# Whether a file holds what etcd expects there, as Go's encoding/pem and crypto/tls look at it. Needs certificates.sh:
# fault(), and the variables of a pair.

# pem_labels FILE: the label of each PEM block; "encrypted LABEL" with a passphrase of the old kind, "cut LABEL" without its end.
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

# fault_of_form KEY FILE WANTED LABELS COMMAND: names what is there in place of WANTED. COMMAND of openssl reads its binary form.
fault_of_form() {
    if ! [ -s "$2" ]; then
        fault retries "$1" "$2" "$3" "an empty file" "$ENDS"
    elif [ "$4" != "${4#*cut }" ]; then
        fault retries "$1" "$2" "$3" "the beginning of one, without its end" "$ENDS"
    elif [ -n "$4" ]; then
        fault ends "$1" "$2" "$3" "$(printf '%s\n' "$4" | sort -u | paste -sd, -)" "$ENDS"
    elif openssl "$5" -inform DER -in "$2" -passin pass: -noout </dev/null >/dev/null 2>&1; then
        fault ends "$1" "$2" "$3 in PEM" "DER" "$ENDS Convert it: openssl $5 -inform DER -in $2 -out $2.pem && cat $2.pem >$2 && rm $2.pem"
    else
        fault ends "$1" "$2" "$3 in PEM" "no PEM" "$ENDS"
    fi
}

# check_certificate_file KEY FILE: a certificate; other blocks are passed over.
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
            fault ends "$1" "$2" "a private key without passphrase" "one with a passphrase" \
                "$ENDS Take the passphrase away: openssl pkey -in $2 -out $2.plain && cat $2.plain >$2 && rm $2.plain"
            ;;
        *) check_key "$1" "$2" ;;
    esac
}

# check_key KEY FILE: whether it is that of the certificate, and of a kind that Go knows.
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
                fault retries @.cert "$cert" "the node's own certificate first, and CAs behind it" "another one first" "$ENDS"
            else
                fault retries "$1" "$2" "the key of the certificate in $cert" "another key" "$ENDS"
            fi
            ;;
    esac
}

# later_certificate_has PUBLIC_KEY: whether it belongs to a certificate behind the first.
later_certificate_has() {
    for number in $(seq 2 "$(pem_labels "$cert" | grep -cx CERTIFICATE)"); do
        other=$(awk -v number="$number" '/-----BEGIN CERTIFICATE-----/ { count++ } count == number' "$cert" |
            openssl x509 -noout -pubkey 2>/dev/null) || continue
        [ "$other" != "$1" ] || return 0
    done
    return 1
}

# check_authority_file KEY FILE: certificates and nothing else. Without any, etcd starts and trusts nobody until its next start.
check_authority_file() {
    labels=$(pem_labels "$2")
    others=$(printf '%s\n' "$labels" | grep -v '^cut \|^CERTIFICATE$\|^$' | sort -u | paste -sd, -)
    if [ -n "$others" ]; then
        fault ends "$1" "$2" "certificates of CAs and nothing else" "$others" "$ENDS"
    elif ! printf '%s\n' "$labels" | grep -qx CERTIFICATE; then
        ENDS="etcd would trust nobody, and it reads this file at its start only."
        fault_of_form "$1" "$2" "certificates of CAs" "$labels" x509
    elif ! openssl crl2pkcs7 -nocrl -certfile "$2" -outform DER -out /dev/null </dev/null 2>/dev/null; then
        fault ends "$1" "$2" "certificates of CAs" "a damaged one" "$ENDS"
    fi
}
