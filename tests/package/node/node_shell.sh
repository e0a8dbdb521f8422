# shellcheck shell=sh disable=SC2034  # variables that the parts read
# Runs the package's own shell for the tests, many cases in one process: reads "COMMAND FOLDER" lines, answers each with
# the exit status. edit: FOLDER/document and FOLDER/edits give FOLDER/edited, and edited once more FOLDER/again.
# answer: the same with the edits that the answers in FOLDER/answers make. new: a file made from the answers alone.
set -u
LIB=$1
YAML_AWK=$(cat "$LIB/yaml-value.awk" "$LIB/yaml-read.awk" "$LIB/yaml-edit.awk")
for part in yaml host answers check from-file setup yaml-file; do
    # shellcheck source=/dev/null
    . "$LIB/$part.sh"
done

# What fails has its reason in the place of its value.
refused() {
    status=$?
    mv "$2" "$1/message"
    return "$status"
}

edit_twice() {
    edits=$(cat "$1/edits")
    yaml_edit "$1/document" "$edits" >"$1/edited" || refused "$1" "$1/edited" || return
    yaml_edit "$1/edited" "$edits" >"$1/again" || refused "$1" "$1/again"
}

edits_of_answers() {
    ANSWERS=$1/answers
    for question in $QUESTIONS; do edits_of "$question"; done >"$1/edits"
}

while read -r command folder; do
    status=0
    case $command in
        edit) edit_twice "$folder" || status=$? ;;
        answer) edits_of_answers "$folder" && edit_twice "$folder" || status=$? ;;
        new)
            ANSWERS=$folder/answers
            etcd_group() { id -g; }
            create_file "$folder/edited" "$(edits_of_new_file)" 2>"$folder/message" || status=$?
            ;;
        values)
            # shellcheck disable=SC2046  # words
            yaml_values "$folder/document" $(cat "$folder/edits") >"$folder/edited" || refused "$folder" "$folder/edited" || status=$?
            ;;
        list) yaml_list "$folder/document" >"$folder/edited" || refused "$folder" "$folder/edited" || status=$? ;;
        check)
            ANSWERS=$folder/answers
            read -r question <"$folder/edits"
            check_answer "$question" 2>"$folder/message" || status=1
            printf '%s\n' "$ERROR" "${REASON-}" >"$folder/edited"
            REASON=
            ;;
        members) complete_members "$(cat "$folder/document")" "$(cat "$folder/edits")" >"$folder/edited" || status=$? ;;
        read)
            mkdir -p "$folder/read"
            ANSWERS=$folder/read
            answers_of_file "$folder/document" || status=$?
            [ "$status" = 0 ] || printf '%s\n' "$READ" >"$folder/message"
            ;;
    esac
    echo "$status"
done
