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

# Nothing but blanks and a comment; a "#" right behind a value would belong to it.
function is_rest(text) {
    return text ~ /^[ \t]*$/ || text ~ /^[ \t]+#/
}

# Length of the quoted text at the start, 0 if its end is not in this line.
function quoted_length(text,    quote, i, c) {
    quote = substr(text, 1, 1)
    for (i = 2; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (quote == "\"" && c == "\\") i++
        else if (c != quote) continue
        else if (quote == "'" && substr(text, i + 1, 1) == "'") i++
        else return i
    }
    return 0
}

# Length of the flow collection at the start, 0 if its end is not in this line.
function flow_length(text,    i, c, depth, after_separator, n) {
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        after_separator = i == 1 || index("[]{},: \t", substr(text, i - 1, 1))
        if (after_separator && (c == "\"" || c == "'")) {
            n = quoted_length(substr(text, i))
            if (!n) return 0
            i += n - 1
        } else if (after_separator && index("&*!#", c)) return 0
        else if (c == "{" || c == "[") depth++
        else if ((c == "}" || c == "]") && --depth == 0) return i
    }
    return 0
}

# Position of the colon that ends a plain key, 0 if there is none.
function colon_position(text,    i, c) {
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == ":" && substr(text, i + 1, 1) ~ /^[ \t]?$/) return i
        if (c == "#" && i > 1 && substr(text, i - 1, 1) ~ /[ \t]/) return 0
    }
    return 0
}

function plain_kind(text) {
    if (text ~ /^(~|null|Null|NULL)?$/) return "null"
    if (text ~ /^([yYnN]|[tT]rue|TRUE|[fF]alse|FALSE|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF)$/) return "bool"
    if (text ~ /^(0|-?[1-9][0-9]*)$/) return "int"
    # Octal, hexadecimal, with underscores, fractions, sexagesimal numbers, dates.
    if (text ~ /^[-+.]?[0-9][-+0-9_:.TtZz ]*$/ || text ~ /^[-+]?[0-9._]+[eE][-+]?[0-9]+$/) return "number"
    if (text ~ /^[-+]?0[box][0-9a-fA-F_]+$/ || text ~ /^[-+]?\.(inf|Inf|INF|nan|NaN|NAN)$/) return "number"
    return "string"
}

# Sets KIND, VALUE, TOKEN (its length as written) and PLAIN of the scalar or flow collection at the start.
function read_value(text,    c) {
    c = substr(text, 1, 1)
    PLAIN = 0
    VALUE = ""
    if (c == "\"" || c == "'") {
        TOKEN = quoted_length(text)
        VALUE = substr(text, 2, TOKEN - 2)
        KIND = c == "\"" && VALUE ~ /\\/ ? unescape() : "string"
        if (c == "'") gsub(/''/, "'", VALUE)
        if (!TOKEN || !is_rest(substr(text, TOKEN + 1))) refuse(LINE, "quoted text that does not end in its line")
    } else if (c == "{" || c == "[") {
        TOKEN = flow_length(text)
        VALUE = substr(text, 1, TOKEN)
        KIND = c == "{" ? "flow-map" : "flow-list"
        if (!TOKEN || !is_rest(substr(text, TOKEN + 1)))
            refuse(LINE, "flow style ({} or []) over several lines, or with anchors, aliases, tags")
    } else if (c == "|" || c == ">") {
        TOKEN = 1
        KIND = "block"
        if (text !~ /^[|>][-+]?[ \t]*$/ && text !~ /^[|>][-+]?[ \t]+#/)
            refuse(LINE, "a block of text with an explicit indentation")
    } else if (index("&*!", c)) refuse(LINE, "anchors, aliases and tags can't be edited safely")
    else {
        PLAIN = 1
        VALUE = match(text, /[ \t]+#/) ? substr(text, 1, RSTART - 1) : text
        sub(/[ \t]+$/, "", VALUE)
        TOKEN = length(VALUE)
        KIND = plain_kind(VALUE)
        if (index("]},%@`", c) || text ~ /^[-?:]([ \t]|$)/ || colon_position(VALUE))
            refuse(LINE, "text that needs quotes, or no YAML at all")
    }
}

function unescape(    rest, result, c) {
    rest = VALUE
    while (match(rest, /\\/)) {
        c = substr(rest, RSTART + 1, 1)
        if (c != "\"" && c != "\\" && c != "/") return "escaped"
        result = result substr(rest, 1, RSTART - 1) c
        rest = substr(rest, RSTART + 2)
    }
    VALUE = result rest
    return "string"
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
        id = tolower(ENVIRON["YAML_KEY"])
        if (!(id in line_of) || kind_of[id] == "null") exit 1
        if (id in double) refuse(double[id], spelled[id] " is there twice")
        else if (kind_of[id] !~ /^(string|int|bool|number)$/) refuse(line_of[id], spelled[id] " is not a single value in one line")
        else print value_of[id]
        exit refused ? 2 : 0
    }
}
