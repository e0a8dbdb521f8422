# shellcheck shell=sh
# Reads the buckets of a bbolt file (etcd's member/snap/db) with od and awk: no server, no lock, nothing written.
# It follows the meta page with the newest transaction, so stale pages of older ones are never looked at.
# etcdutl can't be used for this: before 3.6 it prints no version, and beside a running server it waits for ever.

# bbolt_pairs FILE BUCKET: a line "KEY<tab>VALUE" for each pair. Returns 1 without such a bucket, 2 if FILE is no bbolt file.
bbolt_pairs() {
    # shellcheck disable=SC2016  # awk's variables
    BBOLT_FILE=$1 BBOLT_BUCKET=$2 LC_ALL=C awk '
    # Pages are strings of hex digits, two for each byte.
    function bytes(offset, length_,    command, line, text) {
        command = "od -An -v -tx1 -j " sprintf("%.0f", offset) " -N " length_ " -- \"$BBOLT_FILE\" 2>/dev/null"
        text = ""
        while ((command | getline line) > 0) text = text line
        close(command)
        gsub(/ /, "", text)
        return text
    }
    function slice(text, at, count) { return substr(text, 2 * at + 1, 2 * count) }
    function number(text, at, count,    i, n) {
        n = 0
        for (i = 0; i < count; i++)
            n = n * 256 + value_of[slice(text, at + (big_endian ? i : count - 1 - i), 1)]
        return n
    }
    function readable(hex,    i, n, text) {
        text = ""
        for (i = 1; i < length(hex); i += 2) {
            n = value_of[substr(hex, i, 2)]
            text = text (n < 32 || n > 126 ? "?" : sprintf("%c", n))
        }
        return text
    }
    function page(id,    text, overflow) {
        text = bytes(id * page_size, page_size)
        overflow = number(text, 12, 4)
        if (overflow > 0 && overflow < 65536) text = bytes(id * page_size, (overflow + 1) * page_size)
        return text
    }
    function newest_transaction(text) {
        big_endian = (slice(text, 16, 4) == "ed0cdaed")
        if (slice(text, 16, 4) != "edda0ced" && !big_endian) return -1
        page_size = number(text, 24, 4)
        return number(text, 64, 8)
    }
    function walk(text, wanted, depth,    kind, count, i, at, place, key_size, key, value) {
        if (depth > 32) exit 2
        kind = number(text, 8, 2)
        count = number(text, 10, 2)
        for (i = 0; i < count; i++) {
            at = 16 + 16 * i
            if (kind == 1) {
                walk(page(number(text, at + 8, 8)), wanted, depth + 1)
                continue
            }
            if (kind != 2) exit 2
            place = at + number(text, at + 4, 4)
            key_size = number(text, at + 8, 4)
            key = readable(slice(text, place, key_size))
            value = slice(text, place + key_size, number(text, at + 12, 4))
            if (wanted == "") {
                print key "\t" readable(value)
            } else if (key == wanted) {
                found = 1
                # A small bucket lies inside its entry, a larger one has a root page.
                if (number(value, 0, 8) == 0) walk(slice(value, 16, length(value)), "", depth + 1)
                else walk(page(number(value, 0, 8)), "", depth + 1)
            }
        }
    }
    BEGIN {
        for (i = 0; i < 256; i++) value_of[sprintf("%02x", i)] = i
        first = bytes(0, 80)
        transaction = newest_transaction(first)
        # The second meta page counts as well where the first is torn; then the page size is tried out.
        second_transaction = -1
        size = transaction < 0 ? 4096 : page_size
        for (last = transaction < 0 ? 65536 : size; size <= last; size *= 2) {
            second = bytes(size, 80)
            second_transaction = newest_transaction(second)
            if (second_transaction >= 0) break
        }
        if (transaction < 0 && second_transaction < 0) exit 2
        meta = second_transaction > transaction ? second : first
        newest_transaction(meta)
        if (page_size < 512) exit 2
        walk(page(number(meta, 32, 8)), ENVIRON["BBOLT_BUCKET"], 0)
        exit (found ? 0 : 1)
    }'
}

# bbolt_get FILE BUCKET KEY: the value, or nothing and 1.
bbolt_get() {
    bbolt_pairs "$1" "$2" 2>/dev/null | BBOLT_KEY=$3 awk -F '\t' '
        $1 == ENVIRON["BBOLT_KEY"] { print $2; found = 1 }
        END { exit !found }'
}
