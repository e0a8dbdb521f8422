# shellcheck shell=sh
# Between debconf (its confmodule) and the folder ANSWERS.
# Needs: answers.

load_answers() {
    for question in $QUESTIONS; do
        db_get "etcd-ha/$question" || continue
        give "$question" "$RET"
    done
}

# Preseed files like columns, and debconf takes all blanks but one for a part of the value.
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

# What the file doesn't answer for certain keeps its old answer.
store_answers() {
    for question in $QUESTIONS; do
        [ -e "$ANSWERS/$question" ] || continue
        db_set "etcd-ha/$question" "$(answer "$question")"
    done
}

# checksum FILE: what etcd-ha/read-file remembers, with the questions that the file was read for: a version that has more of
# them reads it anew, so that no new question changes what stands there.
checksum() {
    if [ -r "$1" ]; then echo "$(cksum <"$1") $(printf '%s' "$QUESTIONS" | cksum)"; else echo none; fi
}
