# Edits the document that yaml-read.awk has read: YAML_EDITS holds lines OP KEY KIND VALUE, separated by tabs; OP is set or
# unset, KIND string, int or bool. Prints the whole document; every byte that no edit asks to change stays.

# Text as etcd reads it back. Plain only if unambiguous in YAML 1.1, where y, no, 010 and 1:30 are not strings.
function quoted(text) {
    if (text ~ /^[A-Za-z\/][A-Za-z0-9._\/:=,@+-]*$/ && text !~ /:$/ && plain_kind(text) == "string") return text
    gsub(/["\\]/, "\\\\&", text)
    return "\"" text "\""
}

function is_same(id, kind, value) {
    if (kind_of[id] != kind) return 0
    return kind == "bool" ? is_true(value_of[id]) == is_true(value) : value_of[id] "" == value ""
}

# Inserts a line after another one; number 0 means the start. Children of that line come first.
function insert(number, text, is_child) {
    if (is_child) children[number] = children[number] text "\n"
    else inserted[number] = inserted[number] text "\n"
    if (number == count && block && !last_newline)
        refuse(number, "the file ends in a block of text without a newline")
}

function spaces(number) {
    return number ? sprintf("%" number "s", "") : ""
}

function replace_token(id, token,    text, start) {
    text = lines[line_of[id]]
    start = start_of[id]
    if (!token_of[id] && token != "") token = " " token
    lines[line_of[id]] = substr(text, 1, start - 1) token substr(text, start + token_of[id])
}

# Column of the keys of the top level.
function base() {
    return keys ? level[1] : 0
}

function add_top(name, rest) {
    insert(count, spaces(base()) name ":" rest)
}

function add_child(parent, name, token) {
    if (!(parent in line_of)) {
        if (!(parent in new_block)) new_parents[++new_count] = parent
        new_block[parent] = new_block[parent] "\n" spaces(base() + 2) name ": " token
    } else if (kind_of[parent] == "map") {
        insert(end_of[parent], spaces(child_column[parent]) name ": " token, 1)
    } else if (kind_of[parent] == "null") {
        replace_token(parent, "")
        token_of[parent] = 0
        insert(line_of[parent], spaces(base() + 2) name ": " token, 1)
    } else refuse(line_of[parent], spelled[parent] " is not a block of keys")
}

function set(key, kind, value,    id, token, dot) {
    id = tolower(key)
    token = kind == "string" ? quoted(value) : value
    dot = index(key, ".")
    if (!(id in line_of)) {
        if (dot) add_child(substr(id, 1, dot - 1), substr(key, dot + 1), token)
        else add_top(key, " " token)
    } else if (!is_same(id, kind, value)) replace_token(id, token)
}

function unset(id) {
    deleted[line_of[id]] = 1
}

function apply(edit,    part, id, parent) {
    split(edit, part, "\t")
    id = tolower(part[2])
    parent = id
    sub(/\..*/, "", parent)
    if (id in double || parent in double) return refuse(double[id in double ? id : parent], part[2] " appears twice")
    if (id in line_of && (spread[id] || kind_of[id] !~ /^(string|int|bool|null|number|text)$/))
        return refuse(line_of[id], part[2] " is not a single value on one line")
    # Whether the key is in there is unknown.
    if (part[1] == "unset" && id != parent && parent in line_of && kind_of[parent] !~ /^(map|null)$/)
        return refuse(line_of[parent], spelled[parent] " is not a block of keys")
    if (id in added) return
    added[id] = 1
    if (part[1] == "set") set(part[2], part[3], part[4])
    else if (id in line_of) unset(id)
}

# What would become part of the block of text before a key without the key in between: an indented comment, and the empty
# lines after it if the block is marked with +, or where they are wider than its indentation or have a tab. widest_blank of
# the first line behind a block: how wide an empty line may be there.
function refuse_longer_blocks(    i, n) {
    for (i in widest_blank) {
        for (n = i + 0; deleted[n]; n++) continue
        if (n == i + 0) continue
        for (; n <= count && (deleted[n] || lines[n] ~ /^[ \t]*$/); n++)
            if (!deleted[n] && (length(lines[n]) > widest_blank[i] || lines[n] ~ /\t/))
                refuse(i, "without it, the empty lines after it would become part of the block of text before it")
        if (n <= count && lines[n] ~ /^ +#/)
            refuse(i, "without it, the comment after it would become part of the block of text before it")
    }
}

# A block is removed with its last key: etcd 3.6 and later refuse a peer-transport-security that is null.
function drop_empty_blocks(    i, id, parent, total, gone) {
    for (i = 1; i <= keys; i++) {
        id = parent = order[i]
        if (!sub(/\..*/, "", parent)) continue
        total[parent]++
        if (deleted[line_of[id]]) gone[parent]++
    }
    for (parent in gone)
        if (gone[parent] == total[parent] && kind_of[parent] == "map" && children[end_of[parent]] == "")
            deleted[line_of[parent]] = 1
}

function emit(text, end) {
    if (printed++) printf "%s", PENDING
    printf "%s", text
    PENDING = end
}

END {
    style = returns[1] "\n"
    edit_count = split(ENVIRON["YAML_EDITS"], edits, "\n")
    for (e = 1; e <= edit_count; e++) if (edits[e] != "") apply(edits[e])
    for (e = 1; e <= new_count; e++) add_top(new_parents[e], new_block[new_parents[e]])
    drop_empty_blocks()
    refuse_longer_blocks()
    if (refused) give_up()
    printf "%s", byte_order_mark
    PENDING = ""
    for (i = 0; i <= count; i++) {
        if (i && !deleted[i]) emit(lines[i], i < count || last_newline ? returns[i] "\n" : style)
        fresh_count = split(children[i] inserted[i], fresh, "\n")
        for (k = 1; k < fresh_count; k++) emit(fresh[k], style)
    }
    if (last_newline || !count || deleted[count]) printf "%s", PENDING
    exit 0
}
