# The value in a line of YAML: its kind, and where it ends. Part of yaml-read.awk, whose LINE and refuse() it uses.

# Only blanks and a comment; a "#" directly after a value would belong to it.
function is_rest(text) {
    return text ~ /^[ \t]*$/ || text ~ /^[ \t]+#/
}

# Length of the quoted text at the start, 0 if it does not end on this line.
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

# Length of the flow collection at the start, 0 if it does not end on this line.
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
    # As etcd's reader (go-yaml v2) does it, which treats dates and 1:30 as text.
    if (text !~ /^[-+.0-9]/) return "string"
    gsub(/_/, "", text)
    if (text ~ /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/) return "number"
    if (text ~ /^[-+]?0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$/) return "number"
    if (text ~ /^[-+]?\.(inf|Inf|INF)$/ || text ~ /^\.(nan|NaN|NAN)$/) return "number"
    return "string"
}

function is_true(text) {
    return text ~ /^([yY]|[tT]rue|TRUE|[yY]es|YES|[oO]n|ON)$/
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
        if (!TOKEN || !is_rest(substr(text, TOKEN + 1))) refuse(LINE, "quoted text that does not end on its line")
    } else if (c == "{" || c == "[") {
        TOKEN = flow_length(text)
        VALUE = substr(text, 1, TOKEN)
        KIND = c == "{" ? "flow-map" : "flow-list"
        if (!TOKEN || !is_rest(substr(text, TOKEN + 1)))
            refuse(LINE, "flow style ({} or []) over several lines, or with anchors, aliases, tags")
    } else if (c == "|" || c == ">") {
        TOKEN = 1
        KIND = "block"
        FOLDS = c == ">"
        STRIPS = substr(text, 2, 1) == "-"
        KEEPS = substr(text, 2, 1) == "+"
        if (text !~ /^[|>][-+]?[ \t]*$/ && text !~ /^[|>][-+]?[ \t]+#/)
            refuse(LINE, "a block of text with an explicit indentation")
    } else if (index("&*!", c)) refuse(LINE, "anchors, aliases or tags (&, *, !)")
    else {
        PLAIN = 1
        VALUE = match(text, /[ \t]+#/) ? substr(text, 1, RSTART - 1) : text
        sub(/[ \t]+$/, "", VALUE)
        TOKEN = length(VALUE)
        KIND = plain_kind(VALUE)
        if (index("]},%@`", c) || text ~ /^[-?:]([ \t]|$)/ || colon_position(VALUE))
            refuse(LINE, "text that needs quotes, or is not YAML")
    }
}

# Decodes the escapes of VALUE and returns its kind; what would be a control character or a line break stays as it is.
function unescape(    rest, result, c, digits, decoded) {
    rest = VALUE
    while (match(rest, /\\/)) {
        c = substr(rest, RSTART + 1, 1)
        result = result substr(rest, 1, RSTART - 1)
        rest = substr(rest, RSTART + 2)
        digits = c == "x" ? 2 : c == "u" ? 4 : c == "U" ? 8 : 0
        if (index("\"\\/ ", c)) decoded = c
        else if (digits) decoded = utf8(substr(rest, 1, digits))
        else return "text"
        if (decoded == "") return "text"
        result = result decoded
        rest = substr(rest, digits + 1)
    }
    VALUE = result rest
    return VALUE ~ /[\001-\037\177]/ ? "text" : "string"
}

# The character of a hexadecimal number; nothing for control characters, for what is none, and beyond three bytes.
function utf8(hex,    i, n) {
    if (hex !~ /^[0-9a-fA-F]+$/) return ""
    for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", tolower(substr(hex, i, 1))) - 1
    if (n < 32 || n > 65535 || (n >= 127 && n < 160) || (n >= 55296 && n < 57344) || n == 8232 || n == 8233) return ""
    if (n < 128) return sprintf("%c", n)
    if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
    return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
}
