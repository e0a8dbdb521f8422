# shellcheck shell=sh
# Between debconf (its confmodule) and the folder ANSWERS.
# Needs: answers.

load_answers() {
    for question in $QUESTIONS; do
        db_get "etcd-ha/$question" || continue
        give "$question" "$RET"
    done
}

# Preseed files often use columns, and debconf takes all blanks after the first as part of the value.
trim_answers() {
    for question in $QUESTIONS; do
        db_get "etcd-ha/$question" || continue
        case $RET in
            [[:space:]]* | *[[:space:]])
                db_set "etcd-ha/$question" "$(printf '%s' "$RET" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')"
                ;;
        esac
    done
}

# A question that the file does not answer reliably keeps its old answer.
store_answers() {
    for question in $QUESTIONS; do
        [ -e "$ANSWERS/$question" ] || continue
        db_set "etcd-ha/$question" "$(answer "$question")"
    done
}

# checksum FILE: the value that etcd-ha/read-file stores, with the questions for which the file was read: a version with more
# questions reads it again, so that no new question changes a setting.
checksum() {
    if [ -r "$1" ]; then echo "$(cksum <"$1") $(printf '%s' "$QUESTIONS" | cksum)"; else echo none; fi
}
