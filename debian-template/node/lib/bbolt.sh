# shellcheck shell=sh
# Reads the buckets of a bbolt file (etcd's member/snap/db) with od and awk: no server, no lock, nothing written.
# It follows the meta page with the newest transaction whose checksum is right, as bbolt does. A running server may overwrite
# pages of that transaction as soon as the next one is committed, so the meta pages are read again after the walk, and
# everything is read again after a transaction. The file is opened once, since a defragmentation replaces it.
# etcdutl can't be used for this: before 3.6 it prints no version, and while a server runs it waits forever.
# Needs: nothing.

# bbolt_pairs FILE BUCKET: a line "KEY<tab>VALUE" for each pair. Status 1 without such a bucket. Status 2 if FILE can't be
# read reliably, and the reason is printed instead.
bbolt_pairs() {
    [ -r "$1" ] || { echo "can't read $1" && return 2; }
    bbolt_walk "$2" 7<"$1"
}

# bbolt_walk BUCKET: of the file at descriptor 7.
bbolt_walk() {
    # shellcheck disable=SC2016  # awk's variables
    BBOLT_BUCKET=$1 LC_ALL=C awk '
    # Pages are strings of hex digits, two for each byte.
    function bytes(offset, length_,    command, line, text) {
        command = "exec od -An -v -tx1 -j " sprintf("%.0f", offset) " -N " length_ " /proc/self/fd/7 2>/dev/null"
        while ((command | getline line) > 0) text = text line
        close(command)
        gsub(/ /, "", text)
        return text
    }
    function slice(text, at, count) { return substr(text, 2 * at + 1, 2 * count) }
    function number(text, at, count,    i, n) {
        for (i = 0; i < count; i++)
            n = n * 256 + value_of[slice(text, at + (big_endian ? i : count - 1 - i), 1)]
        return n + 0
    }
    function readable(hex,    i, n, text) {
        for (i = 1; i < length(hex); i += 2) {
            n = value_of[substr(hex, i, 2)]
            text = text (n < 32 || n > 126 ? "?" : sprintf("%c", n))
        }
        return text
    }
    function xor_byte(a, b,    bit, result) {
        for (bit = 128; bit >= 1; bit /= 2) {
            if (int(a / bit) != int(b / bit)) result += bit
            a %= bit
            b %= bit
        }
        return result + 0
    }
    function limb(meta, place) { return number(meta, 56 + 2 * (big_endian ? 3 - place : place), 2) }
    # FNV-1a of 64 bits over the first 56 bytes, in four limbs of 16 bits, as awk counts in doubles. The prime is 2^40 + 435.
    function is_sound(meta,    i, l0, l1, l2, l3, n0, n1, n2, n3) {
        l3 = 52210; l2 = 40164; l1 = 33826; l0 = 8997 # cbf29ce484222325
        for (i = 0; i < 56; i++) {
            l0 = l0 - l0 % 256 + xor_byte(l0 % 256, value_of[slice(meta, i, 1)])
            n0 = l0 * 435
            n1 = l1 * 435 + int(n0 / 65536)
            n2 = l2 * 435 + l0 * 256 + int(n1 / 65536)
            n3 = l3 * 435 + l1 * 256 + int(n2 / 65536)
            l0 = n0 % 65536; l1 = n1 % 65536; l2 = n2 % 65536; l3 = n3 % 65536
        }
        return l0 == limb(meta, 0) && l1 == limb(meta, 1) && l2 == limb(meta, 2) && l3 == limb(meta, 3)
    }
    # The meta structure in a page that begins with this text; nothing where it is none, or torn.
    function sound_meta(text,    meta) {
        if (length(text) < 160) return ""
        meta = slice(text, 16, 64)
        big_endian = (slice(meta, 0, 4) == "ed0cdaed")
        if (!big_endian && slice(meta, 0, 4) != "edda0ced") return ""
        has_magic = 1
        return number(meta, 4, 4) == 2 && is_sound(meta) ? meta : ""
    }
    function newest_meta(    text, first, second, size) {
        text = bytes(0, 4096 + 80)
        first = sound_meta(text)
        if (first != "") {
            size = number(first, 8, 4)
            second = sound_meta(size == 4096 ? slice(text, 4096, 80) : bytes(size, 80))
        } else {
            # The size of a page is not known then.
            for (size = 1024; size <= 65536 && second == ""; size *= 2) second = sound_meta(bytes(size, 80))
        }
        return first == "" || (second != "" && number(second, 48, 8) > number(first, 48, 8)) ? second : first
    }
    function page(id,    text, overflow) {
        text = bytes(id * page_size, page_size)
        overflow = number(text, 12, 4)
        if (overflow > 0 && overflow < 65536) text = bytes(id * page_size, (overflow + 1) * page_size)
        else overflow = 0
        if (length(text) != 2 * (overflow + 1) * page_size || number(text, 0, 8) != id) failed = 1
        return text
    }
    function walk(text, wanted, depth,    kind, count, i, at, place, key_size, value_size, key, value) {
        kind = number(text, 8, 2)
        count = number(text, 10, 2)
        if (depth > 32 || (kind != 1 && kind != 2)) failed = 1
        for (i = 0; i < count && !failed; i++) {
            at = 16 + 16 * i
            if (kind == 1) {
                walk(page(number(text, at + 8, 8)), wanted, depth + 1)
                continue
            }
            place = at + number(text, at + 4, 4)
            key_size = number(text, at + 8, 4)
            value_size = number(text, at + 12, 4)
            if (2 * (place + key_size + value_size) > length(text)) { failed = 1; return }
            key = readable(slice(text, place, key_size))
            value = slice(text, place + key_size, value_size)
            if (wanted == "") {
                pairs = pairs key "\t" readable(value) "\n"
            } else if (key == wanted) {
                found = 1
                # A small bucket is stored inside its entry, a larger one has a root page.
                if (number(value, 0, 8) == 0) walk(slice(value, 16, length(value)), "", depth + 1)
                else walk(page(number(value, 0, 8)), "", depth + 1)
            }
        }
    }
    function give_up(reason) {
        print reason
        exit 2
    }
    BEGIN {
        for (i = 0; i < 256; i++) value_of[sprintf("%02x", i)] = i
        for (tries = 0; tries < 30; tries++) {
            failed = found = 0; pairs = ""
            meta = newest_meta()
            if (meta == "" && !has_magic) give_up("it is not a bbolt database")
            if (meta != "") {
                page_size = number(meta, 8, 4)
                walk(page(number(meta, 16, 8)), ENVIRON["BBOLT_BUCKET"], 0)
                if (newest_meta() == meta) {
                    if (failed) give_up("a page of the newest transaction is damaged")
                    printf "%s", pairs
                    exit !found
                }
            }
        }
        give_up(meta == "" ? "both meta pages are damaged" : "it changed during each of " tries " tries")
    }'
}

# bbolt_get FILE BUCKET KEY: the value. Status 1 if there is none, 2 as above.
bbolt_get() {
    bbolt_status=0
    bbolt_all=$(bbolt_pairs "$1" "$2") || bbolt_status=$?
    if [ "$bbolt_status" != 0 ]; then
        printf '%s' "$bbolt_all"
        return "$bbolt_status"
    fi
    printf '%s\n' "$bbolt_all" | BBOLT_KEY=$3 awk -F '\t' '
        $1 == ENVIRON["BBOLT_KEY"] { print $2; found = 1 }
        END { exit !found }'
}

# bbolt_value FILE BUCKET KEY: the same; nothing and status 0 if there is none.
bbolt_value() { bbolt_get "$@" || [ $? = 1 ] || return 2; }
