# Reads etcd's configuration file: block style, one document, the keys of the top level and one level below. It refuses what it
# can't read reliably, with status 2 and "line N: reason" instead of its result. Byte by byte (LC_ALL=C), in mawk,
# gawk and busybox. stdin is the document followed by one ".", so that a missing last newline shows.
# The arguments come by the environment, since -v would interpret backslashes:
#   YAML_MODE=list   LINE KEY KIND VALUE of every key, separated by tabs; KIND double: it is in this line too
#   YAML_MODE=get    the value of YAML_KEY; status 1 if it is absent or null
#   YAML_MODE=values STATUS KEY VALUE of each line of YAML_KEY; the value is the reason where the status is 2
#   YAML_MODE=edit   see yaml-edit.awk
# KIND: string int bool null, number (what else YAML 1.1 takes for one); map list flow-map flow-list; and text that can't
# be read: it has line breaks or control characters.

function refuse(number, reason) {
    if (!refused) REFUSAL = "line " number ": " reason
    refused = 1
}

# Remembers a key of the top level (no parent) or of the level below.
function add_key(parent, name, column, start,    id) {
    id = tolower(parent == "" ? name : parent "." name)
    if (id in line_of) {
        double[id] = LINE
        if (spelled[id] != (parent == "" ? name : spelled[parent] "." name)) variant[id] = 1
    } else order[++keys] = id
    spelled[id] = parent == "" ? name : spelled[parent] "." name
    line_of[id] = end_of[id] = LINE
    kind_of[id] = KIND
    value_of[id] = VALUE
    start_of[id] = start
    token_of[id] = TOKEN
    spread[id] = 0
    return id
}

function push(column, parent) {
    level[++depth] = column
    parent_of[depth] = parent
}

# Dashes of list items at the start; returns the column after them and leaves the rest in TEXT.
function read_dashes(column) {
    dash = -1
    while (TEXT ~ /^-([ \t]|$)/ && !refused) {
        if (!depth) refuse(LINE, "a list where keys are expected")
        if (TEXT ~ /^- *\t/) refuse(LINE, "a tab after a dash")
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

# Sets NAME and returns the position of the colon after it; 0 if the text is not a key.
function read_key(text,    c, n) {
    c = substr(text, 1, 1)
    if (text ~ /^\?([ \t]|$)/) refuse(LINE, "a key marked with ?")
    if (index("[{&*!|>%@`", c)) return 0
    if (c != "\"" && c != "'") {
        n = colon_position(text)
        NAME = substr(text, 1, n - 1)
        sub(/[ \t]+$/, "", NAME)
        if (n && NAME == "<<") refuse(LINE, "a merged key (<<)")
    } else {
        n = quoted_length(text)
        NAME = substr(text, 2, n - 2)
        if (!n) refuse(LINE, "quoted text that does not end on its line")
        if (!match(substr(text, n + 1), /^[ \t]*:([ \t]|$)/)) return 0
        if (NAME ~ /[\\']/) refuse(LINE, "a key with escapes")
        n += index(substr(text, n + 1), ":")
    }
    if (n && NAME == "") refuse(LINE, "an empty key")
    # Go treats these letters as k and s.
    if (n && (index(NAME, "\342\204\252") || index(NAME, "\305\277"))) refuse(LINE, "a letter that looks like k or s")
    # Fields of etcd's own configuration, under their names in Go.
    if (n && tolower(NAME) ~ /^(listen(peer|client|clienthttp|metrics)|advertise(peer|client))urls$/)
        refuse(LINE, NAME " sets what another key sets")
    return n
}

# A value may continue on the next lines if they are indented more than the column.
function await_more(column) {
    block = KIND == "block"
    block_indent = -1
    continued = PLAIN
    gap = 0
    more_than = column
    if (block && last_id != "") begin_text(last_id)
}

# A block of text: without its last line break, and each further one folded to a blank, it is a value.
function begin_text(id) {
    text_id = id
    text_lines = text_gap = 0
    spread[id] = 1
    value_of[id] = ""
    kind_of[id] = STRIPS ? "string" : "text"
}

function add_text(text) {
    if (text_id == "") return
    if (text ~ /^ *$/ && (block_indent < 0 || length(text) <= block_indent)) {
        text_gap = 1
        return
    }
    text = substr(text, block_indent + 1)
    if (text_gap || (text_lines && !FOLDS) || (FOLDS && text ~ /^[ \t]/) || index(text, "\t")) kind_of[text_id] = "text"
    value_of[text_id] = value_of[text_id] (text_lines++ ? " " : "") text
}

# A further line of a plain value.
function fold(id, text,    is_last) {
    if (gap || index(text, "\t")) kind_of[id] = "text"
    else if (kind_of[id] != "text") kind_of[id] = "string"
    is_last = sub(/(^|[ \t]+)#.*/, "", text)
    sub(/[ \t]+$/, "", text)
    value_of[id] = value_of[id] " " text
    spread[id] = 1
    if (is_last) continued = 0
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
        if (last_id != "") fold(last_id, text)
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
    last_id = open_id
    if (open_id != "") {
        kind_of[open_id] = KIND
        value_of[open_id] = VALUE
        spread[open_id] = 1
    }
    open = 0
    open_id = ""
    await_more(dash < 0 ? level[depth] : dash)
}

function scan(text,    indent) {
    if (text ~ /[\001-\010\013-\037\177]/) return refuse(LINE, "a control character")
    if (index(text, "\302\205") || index(text, "\342\200\250") || index(text, "\342\200\251"))
        return refuse(LINE, "a Unicode line break")
    match(text, /^ */)
    indent = RLENGTH
    if (block) {
        if (block_indent < 0 && indent > more_than && text !~ /^ *$/) block_indent = indent
        if (text ~ /^ *$/ || (block_indent >= 0 && indent >= block_indent)) {
            end_of[top_id] = LINE
            add_text(text)
            return
        }
        block = 0
        text_id = ""
        widest_blank[LINE] = KEEPS ? -1 : block_indent < 0 ? 9999 : block_indent
    }
    if (text ~ /^[ \t]*$/) {
        gap = 1
        return
    }
    if (text ~ /^[ \t]*#/) {
        continued = 0
        return
    }
    if (text ~ /^ *\t/) return refuse(LINE, "a tab in the indentation")
    if (text ~ /^\.\.\.([ \t]|$)/ || text ~ /^%/) return refuse(LINE, "an end of document (...) or a directive (%)")
    if (text ~ /^---([ \t]|$)/) {
        if (started || documents++) refuse(LINE, "several documents in one file")
        if (!is_rest(substr(text, 4))) refuse(LINE, "content after ---")
        return
    }
    read_content(substr(text, indent + 1), indent)
    if (top_id != "") end_of[top_id] = LINE
}

function give_up() {
    print REFUSAL
    exit 2
}

# Sets FOUND to the value of a key, as etcd reads it. Status 1: absent or null; 2: FOUND is why it can't be read, AT the line.
function look_up(key,    id, block_id) {
    id = block_id = tolower(key)
    FOUND = ""
    if (sub(/\..*/, "", block_id)) {
        if (!(block_id in line_of)) return 1
        if (block_id in double) return cant(double[block_id], spelled[block_id] " appears twice")
        if (kind_of[block_id] == "null") return 1
        if (kind_of[block_id] != "map") return cant(line_of[block_id], spelled[block_id] " is not a block of keys, one per line")
    }
    if (!(id in line_of)) return 1
    # etcd uses the last of two equal keys; with two spellings the result is not defined.
    if (id in variant) return cant(line_of[id], spelled[id] " appears in two spellings")
    if (kind_of[id] == "null") return 1
    if (kind_of[id] == "number") return cant(line_of[id], spelled[id] " is not written as a decimal number, or needs quotes")
    if (kind_of[id] == "text") return cant(line_of[id], "the text of " spelled[id] " has line breaks, tabs or escapes")
    if (kind_of[id] !~ /^(string|int|bool)$/) return cant(line_of[id], spelled[id] " is not a single value")
    FOUND = value_of[id]
    if (kind_of[id] == "bool") FOUND = is_true(FOUND) ? "true" : "false"
    return 0
}

function cant(line, reason) {
    AT = line
    FOUND = reason
    return 2
}

BEGIN {
    mode = ENVIRON["YAML_MODE"]
}

{
    lines[NR] = $0
}

END {
    # The "." is missing too: the file can't be read.
    if (!NR) refused = REFUSAL = "it can't be read"
    count = NR
    last_newline = lines[count] == "."
    if (last_newline) count--
    else sub(/\.$/, "", lines[count])
    if (sub(/^\357\273\277/, "", lines[1])) byte_order_mark = "\357\273\277"
    # Only the mark: an empty file, not a line without its newline.
    if (count == 1 && lines[1] == "" && !last_newline) count = 0
    for (LINE = 1; LINE <= count && !refused; LINE++) {
        if ((LINE < count || last_newline) && sub(/\r$/, "", lines[LINE])) returns[LINE] = "\r"
        scan(lines[LINE])
    }
    if (refused) give_up()
    if (mode == "list") {
        for (i = 1; i <= keys; i++) {
            id = order[i]
            print line_of[id] "\t" spelled[id] "\t" kind_of[id] "\t" value_of[id]
            if (id in double) print double[id] "\t" spelled[id] "\tdouble\t"
        }
        exit 0
    }
    if (mode == "get") {
        status = look_up(ENVIRON["YAML_KEY"])
        if (status == 2) print "line " AT ": " FOUND
        else if (!status) print FOUND
        exit status
    }
    if (mode == "values") {
        count = split(ENVIRON["YAML_KEY"], wanted, "\n")
        for (i = 1; i <= count; i++) {
            status = look_up(wanted[i])
            print status "\t" wanted[i] "\t" (status == 2 ? "line " AT ": " : "") FOUND
        }
        exit 0
    }
}
