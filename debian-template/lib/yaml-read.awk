# Reads etcd's configuration file: block style, one document, the keys of the top level and one level below. What it
# can't read for certain it refuses, with status 2 and "line N: reason" on stderr. Byte by byte (LC_ALL=C), in mawk,
# gawk and busybox. stdin is the document and one "." behind it, so that a missing last newline shows.
# The arguments come by the environment, since -v would interpret backslashes:
#   YAML_MODE=list   LINE KEY KIND VALUE of every key, separated by tabs; KIND double: it is in this line too
#   YAML_MODE=get    the value of YAML_KEY; status 1 if it is absent or null
#   YAML_MODE=edit   see yaml-edit.awk
# KIND: string int bool null, number (what else YAML 1.1 takes for one); and what is no single value in one line:
# map list flow-map flow-list block long escaped.

function refuse(number, reason) {
    if (!refused) print "line " number ": " reason | "cat >&2"
    refused = 1
}

# Remembers a key of the top level (no parent) or of the level below.
function add_key(parent, name, column, start,    id) {
    id = tolower(parent == "" ? name : parent "." name)
    if (id in line_of) double[id] = LINE
    else order[++keys] = id
    spelled[id] = parent == "" ? name : spelled[parent] "." name
    line_of[id] = end_of[id] = LINE
    kind_of[id] = KIND
    value_of[id] = VALUE
    start_of[id] = start
    token_of[id] = TOKEN
    return id
}

function push(column, parent) {
    level[++depth] = column
    parent_of[depth] = parent
}

# Dashes of list items at the start; returns the column behind them and leaves the rest in TEXT.
function read_dashes(column) {
    dash = -1
    while (TEXT ~ /^-([ \t]|$)/ && !refused) {
        if (!depth) refuse(LINE, "a list, where keys are expected")
        if (TEXT ~ /^- *\t/) refuse(LINE, "a tab behind a dash")
        if (open_id != "") kind_of[open_id] = "list"
        if (column > level[depth]) push(column, "-")
        dash = column
        open = 1
        open_id = last_id = ""
        match(TEXT, /^- */)
        TEXT = substr(TEXT, RLENGTH + 1)
        column += RLENGTH
    }
    return column
}

# Sets NAME and returns the position of the colon behind it; 0 if the text is no key.
function read_key(text,    c, n) {
    c = substr(text, 1, 1)
    if (text ~ /^\?([ \t]|$)/) refuse(LINE, "keys marked with ? can't be edited safely")
    if (index("[{&*!|>%@`", c)) return 0
    if (c != "\"" && c != "'") {
        n = colon_position(text)
        NAME = substr(text, 1, n - 1)
        sub(/[ \t]+$/, "", NAME)
    } else {
        n = quoted_length(text)
        NAME = substr(text, 2, n - 2)
        if (!n) refuse(LINE, "quoted text that does not end in its line")
        if (!match(substr(text, n + 1), /^[ \t]*:([ \t]|$)/)) return 0
        if (NAME ~ /[\\']/) refuse(LINE, "a key with escapes")
        n += index(substr(text, n + 1), ":")
    }
    if (n && (NAME == "" || NAME == "<<")) refuse(LINE, "empty and merged keys can't be edited safely")
    return n
}

# A value may go on in the next lines if they are indented more than the column.
function await_more(column) {
    block = KIND == "block"
    block_indent = -1
    continued = PLAIN
    more_than = column
}

function read_pair(text, column, colon,    blanks) {
    if (!depth || column > level[depth]) {
        if (open_id != "") {
            kind_of[open_id] = "map"
            child_column[open_id] = column
        }
        push(column, !depth ? "" : depth == 1 && open_id != "" ? open_id : "-")
    }
    KIND = "null"
    VALUE = ""
    PLAIN = TOKEN = blanks = 0
    open = is_rest(substr(text, colon + 1))
    if (!open) {
        match(substr(text, colon + 1), /^[ \t]+/)
        blanks = RLENGTH
        read_value(substr(text, colon + blanks + 1))
    }
    last_id = ""
    if (depth <= 2 && parent_of[depth] != "-")
        last_id = add_key(parent_of[depth], NAME, column, column + colon + blanks + 1)
    if (depth == 1) top_id = last_id
    open_id = open ? last_id : ""
    await_more(column)
}

function read_content(text, column,    colon) {
    if (continued && column > more_than) {
        if (last_id != "") kind_of[last_id] = "long"
        return
    }
    while (depth && column < level[depth]) {
        depth--
        open = 0
        open_id = ""
    }
    if (!depth && started) return refuse(LINE, "less indented than the first key")
    if (depth && column > level[depth] && !open) return refuse(LINE, "more indented than the line before allows")
    started = 1
    TEXT = text
    column = read_dashes(column)
    if (refused || is_rest(TEXT) || TEXT ~ /^#/) {
        continued = 0
        return
    }
    colon = read_key(TEXT)
    if (refused) return
    if (colon) return read_pair(TEXT, column, colon)
    if (!depth || (dash < 0 && column == level[depth]))
        return refuse(LINE, index("[{", substr(TEXT, 1, 1)) ? "flow style ({} or [])" : "not a key and its value")
    read_value(TEXT)
    if (open_id != "") kind_of[open_id] = "long"
    last_id = open_id
    open = 0
    open_id = ""
    await_more(dash < 0 ? level[depth] : dash)
}

function scan(text,    indent) {
    if (text ~ /[\001-\010\013-\037\177]/) return refuse(LINE, "a control character")
    if (index(text, "\302\205") || index(text, "\342\200\250") || index(text, "\342\200\251"))
        return refuse(LINE, "a line break of Unicode")
    match(text, /^ */)
    indent = RLENGTH
    if (block) {
        if (block_indent < 0 && indent > more_than && text !~ /^ *$/) block_indent = indent
        if (text ~ /^ *$/ || (block_indent >= 0 && indent >= block_indent)) {
            end_of[top_id] = LINE
            return
        }
        block = 0
        behind_kept[LINE] = KEEPS
    }
    if (text ~ /^[ \t]*$/) return
    if (text ~ /^[ \t]*#/) {
        continued = 0
        return
    }
    if (text ~ /^ *\t/) return refuse(LINE, "a tab in the indentation")
    if (text ~ /^\.\.\.([ \t]|$)/ || text ~ /^%/) return refuse(LINE, "an end of document (...) or a directive (%)")
    if (text ~ /^---([ \t]|$)/) {
        if (started || documents++) refuse(LINE, "several documents in one file")
        if (!is_rest(substr(text, 4))) refuse(LINE, "content behind ---")
        return
    }
    read_content(substr(text, indent + 1), indent)
    if (top_id != "") end_of[top_id] = LINE
}

BEGIN {
    mode = ENVIRON["YAML_MODE"]
}

{
    lines[NR] = $0
}

END {
    # Not even the "." came: the file can't be read.
    if (!NR) exit 2
    count = NR
    last_newline = lines[count] == "."
    if (last_newline) count--
    else sub(/\.$/, "", lines[count])
    if (sub(/^\357\273\277/, "", lines[1])) byte_order_mark = "\357\273\277"
    # The mark alone: an empty file, not a line without its newline.
    if (count == 1 && lines[1] == "" && !last_newline) count = 0
    for (LINE = 1; LINE <= count && !refused; LINE++) {
        if ((LINE < count || last_newline) && sub(/\r$/, "", lines[LINE])) returns[LINE] = "\r"
        scan(lines[LINE])
    }
    if (refused) exit 2
    if (mode == "list") {
        for (i = 1; i <= keys; i++) {
            id = order[i]
            print line_of[id] "\t" spelled[id] "\t" kind_of[id] "\t" value_of[id]
            if (id in double) print double[id] "\t" spelled[id] "\tdouble\t"
        }
        exit 0
    }
    if (mode == "get") {
        id = block_id = tolower(ENVIRON["YAML_KEY"])
        if (!sub(/\..*/, "", block_id)) block_id = id
        if (block_id in double) refuse(double[block_id], spelled[block_id] " is there twice")
        else if (id in double) refuse(double[id], spelled[id] " is there twice")
        else if (block_id != id && block_id in line_of && kind_of[block_id] !~ /^(map|null)$/)
            refuse(line_of[block_id], spelled[block_id] " is not a block of keys, one a line")
        else if (!(id in line_of) || kind_of[id] == "null") exit 1
        else if (kind_of[id] !~ /^(string|int|bool|number)$/) refuse(line_of[id], spelled[id] " is not a single value in one line")
        else print value_of[id]
        exit refused ? 2 : 0
    }
}
