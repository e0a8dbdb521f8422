# shellcheck shell=sh
# Reads the write-ahead log, with od, awk and grep.
# Needs: nothing.

# wal_identity DIR: "MEMBER CLUSTER", the ids of the log in DIR, in hex as etcdctl shows them: each of its files begins with
# them, from a member's first start on. Status 1: no log, or not readable.
wal_identity() {
    newest_log=
    for log in "$1"/*.wal; do
        if [ -r "$log" ]; then newest_log=$log; fi
    done
    [ -n "$newest_log" ] || return 1
    # A record: eight bytes of length (the highest byte contains the padding), then fields as in protobuf: 1 type, 2 checksum,
    # 3 data. The record of type 1 has the ids as its fields 1 and 2. See etcd's server/storage/wal.
    # shellcheck disable=SC2016  # awk's variables
    od -An -v -tx1 -N 4096 -- "$newest_log" 2>/dev/null | LC_ALL=C awk '
        function next_byte() { return value_of[substr(text, 2 * at++ + 1, 2)] }
        # Sets HEX: a number of awk can not hold 64 bits.
        function varint(    byte, more, i, bits, groups, digit) {
            bits = ""
            for (groups = 0; groups < 10; groups++) {
                byte = next_byte()
                more = byte > 127
                for (i = 0; i < 7; i++) {
                    bits = bits (byte % 2)
                    byte = int(byte / 2)
                }
                if (!more) break
            }
            HEX = ""
            for (i = 1; i <= 64; i += 4) {
                digit = substr(bits, i, 1) + 2 * substr(bits, i + 1, 1) + 4 * substr(bits, i + 2, 1) + 8 * substr(bits, i + 3, 1)
                HEX = substr("0123456789abcdef", digit + 1, 1) HEX
            }
            sub(/^0+/, "", HEX)
            return digits(HEX)
        }
        function digits(hex,    i, n) {
            n = 0
            for (i = 1; i <= length(hex); i++) n = n * 16 + value_of["0" substr(hex, i, 1)]
            return n
        }
        # Reads the fields up to END; the numbers go to hex_of[LEVEL, FIELD], where data begins to data_at.
        function fields(end, level,    tag, size) {
            while (at < end) {
                tag = varint()
                size = varint()
                if (tag % 8 == 0) hex_of[level, int(tag / 8)] = HEX
                else if (tag % 8 == 2) {
                    data_at = at
                    data_end = at + size
                    at = data_end
                } else exit 1
            }
        }
        { gsub(/ /, ""); text = text $0 }
        END {
            for (i = 0; i < 256; i++) value_of[sprintf("%02x", i)] = i
            while (2 * at + 16 < length(text)) {
                size = next_byte()
                size += 256 * next_byte()
                size += 65536 * next_byte()
                at += 4
                padding = next_byte()
                end = at + size
                delete hex_of
                fields(end, 1)
                if (hex_of[1, 1] == "1") {
                    at = data_at
                    fields(data_end, 2)
                    if (hex_of[2, 1] != "" && hex_of[2, 2] != "") {
                        print hex_of[2, 1], hex_of[2, 2]
                        found = 1
                    }
                    exit !found
                }
                at = end + (padding > 127 ? padding % 8 : 0)
            }
            exit !found
        }'
}

# last_v2_request DIR: the index of the last entry of the log in DIR that is a request of the v2 store; 0 without one. etcd up to 3.5
# writes a member's attributes and the cluster's version so, and 3.7 panics where it reads one. Status 2 and the reason: unknown.
last_v2_request() {
    for log in "$1"/*.wal; do
        [ -r "$log" ] || { echo "$log can't be read" && return 2; }
    done
    # In an entry: 2 term, 3 index, 4 data (raftpb); in a request: 1 id, 2 method, 3 path (etcdserverpb). None of these bytes is
    # zero, and no request of the v3 API has the name of a method there. What grep found ends with a zero, unless it failed.
    {
        LC_ALL=C grep -zahoP '\x10[\x80-\xff]*[\x01-\x7f]\x18[\x80-\xff]*[\x01-\x7f]\x22[\x80-\xff]*[\x01-\x7f]\x08[\x80-\xff]*[\x01-\x7f]\x12(\x03PUT|\x04POST|\x04QGET|\x04SYNC|\x06DELETE)\x1a' \
            "$1"/*.wal 2>/dev/null || [ $? = 1 ] || echo failed
    } | od -An -v -tx1 | LC_ALL=C awk '
        function value(byte) { return 16 * index(DIGITS, substr(byte, 1, 1)) + index(DIGITS, substr(byte, 2)) }
        BEGIN { DIGITS = "123456789abcdef" }
        {
            for (i = 1; i <= NF; i++) {
                if ($i == "00") { last = request; request = "" } else request = request " " $i
            }
        }
        END {
            if (request != "") { print "grep failed"; exit 2 }
            if (last == "") { print 0; exit }
            split(last, bytes)
            at = 2
            while (value(bytes[at]) > 127) at++
            # Past the end of the term, and the tag of the index.
            at += 2
            for (factor = 1; value(bytes[at]) > 127; factor *= 128) entry += (value(bytes[at++]) - 128) * factor
            printf "%.0f\n", entry + value(bytes[at]) * factor
        }'
}

# newest_snapshot DIR: the index of the newest snapshot in DIR, from whose name TERM-INDEX.snap it is read; 0 without one.
newest_snapshot() {
    newest=0
    for snapshot_file in "$1"/*-*.snap; do
        snapshot_index=${snapshot_file##*-}
        snapshot_index=${snapshot_index%.snap}
        case $snapshot_index in "" | *[!0-9a-f]*) continue ;; esac
        if [ "$((0x$snapshot_index))" -gt "$newest" ]; then newest=$((0x$snapshot_index)); fi
    done
    echo "$newest"
}

# unreadable_request DATA_DIR WAL_DIR VERSION: three lines where etcd 3.7 would not start: what, found, why. Status 1: it would;
# 2 and the reason: unknown.
unreadable_request() {
    request=$(last_v2_request "$2") || { echo "$request" && return 2; }
    covered=$(newest_snapshot "$1/member/snap")
    [ "$request" -gt "$covered" ] || return 1
    echo "etcd $3 would not start: it can't read a request that etcd 3.5 or older has written to the log"
    echo "entry $request of the log in $2; the newest snapshot is of entry $covered"
    echo "a member reads its log from the newest snapshot on, and 3.7 ends at a request of the v2 store (panic: unmarshal should never fail)"
}
