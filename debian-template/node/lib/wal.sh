# shellcheck shell=sh
# Reads the write-ahead log, with od and awk.
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
