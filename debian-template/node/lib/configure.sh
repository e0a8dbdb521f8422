# shellcheck shell=sh
# shellcheck disable=SC2034,SC2153,SC2154  # variables shared with the other parts; work and FILE are set by postinst
# For postinst: brings the answers of debconf into etcd.yaml, if somebody has given any.
# Needs notice.sh, debconf.sh, check.sh, to-file.sh, write-file.sh.

# Answers as the file would give them back, so that both can be compared.
normalize_answers() {
    give address "$(plain_address "$(answer address)")"
    if members=$(complete_members "$(answer members)" "$(scheme)"); then give members "$members"; fi
    if quota=$(quota_bytes "$(answer quota)"); then
        give quota "$(short_quota "$quota")"
    fi
    directory=$(answer data-dir)
    [ "$directory" = / ] || give data-dir "${directory%/}"
}

# leave_unread_questions: what the file answers in a way that can't be read is not changed there; neither is a URL of which
# a part can't be read.
leave_unread_questions() {
    [ -n "$UNREAD" ] || return 0
    say "warning: $FILE can't be read for certain, so these answers change nothing there:$UNREAD_WHY"
    url_questions="setup node-name address members tls"
    for question in $url_questions; do
        if is_unread "$question"; then
            UNREAD="$UNREAD $url_questions"
            say "warning: nor do these, which need it: $url_questions"
            return 0
        fi
    done
}

# changed_questions: those whose answers are not what the file says.
changed_questions() {
    for question in $QUESTIONS; do
        if is_unread "$question"; then continue; fi
        case $question:$(answer setup):$(answer tls) in
            members:single:* | tls-*:*:false) continue ;;
        esac
        cmp -s "$work/file/$question" "$work/asked/$question" || echo "$question"
    done
}

# is_void QUESTION: what etcd reads at the first start only is no matter of the file any more. Others know the member by http
# or by https, and without TLS its files are for nobody.
is_void() {
    case $1 in
        setup | node-name | members | cluster-state | cluster-token | tls) ;;
        tls-*) [ "$asked_tls" != "$(cat "$work/file/tls")" ] ;;
        data-dir) ! is_bootstrapped "$(answer data-dir)" ;;
        *) return 1 ;;
    esac
}

# A group of answers changes the file as a whole or not at all: what the others derive from a void one comes from the file.
drop_void_questions() {
    kept=
    void=
    asked_tls=$(answer tls)
    for question in $changed; do
        if is_void "$question"; then
            void="$void $question"
            cp "$work/file/$question" "$work/asked/$question"
        else
            kept="$kept $question"
        fi
    done
    changed=$kept
    [ -z "$void" ] || say "$member_exists, so these answers change nothing:$void." \
        "A running cluster is changed by etcdctl member."
    case " $void " in *" tls "*) say "TLS is not turned on or off: the other members and the clients know this one by its present URLs" ;; esac
}

first_bad_answer() {
    for question in $changed; do
        check_answer "$question" || { echo "$question" && return; }
    done
}

# configure_file: sets RESULT to unchanged, changed, created, untouched (and why was said).
configure_file() {
    RESULT=untouched
    if ! lock_file "$FILE"; then
        say "warning: the answers were not written: $LOCKED_OUT. When that has ended: dpkg-reconfigure etcd-ha"
        return 0
    fi
    bring_answers
    unlock_file
}

bring_answers() {
    ANSWERS=$work/asked
    load_answers
    normalize_answers
    [ "$(answer setup)" != later ] || return 0
    changed=$QUESTIONS
    BOOTSTRAPPED=no
    if [ -e "$FILE" ] || [ -L "$FILE" ]; then
        reason=$(why_untouchable "$FILE")
        if [ -n "$reason" ]; then
            say "$FILE is left as it is, since it can't be edited safely: $reason. Edit it by hand."
            return 0
        fi
        ANSWERS=$work/file
        answers_of_file "$FILE"
        ANSWERS=$work/asked
        leave_unread_questions
        changed=$(changed_questions)
        if ! directory=$(data_dir_of_file 2>/dev/null); then
            BOOTSTRAPPED=yes
            member_exists="nothing tells whether a member exists already"
        elif is_bootstrapped "$directory"; then
            BOOTSTRAPPED=yes
            member_exists="the member in $directory exists already"
        fi
        [ "$BOOTSTRAPPED" = no ] || drop_void_questions
    fi
    bad=$(first_bad_answer)
    if [ -n "$bad" ]; then
        check_answer "$bad" || true
        say "etcd.yaml is left as it is, because of the answer to etcd-ha/$bad: $REASON." \
            "Give another answer with: dpkg-reconfigure etcd-ha"
        return 0
    fi
    write_answers
}

write_answers() {
    if ! [ -e "$FILE" ]; then
        create_file "$FILE" "$(edits_of_new_file)"
        RESULT=created
    else
        status=0
        apply_edits "$FILE" "$(for question in $changed; do edits_of "$question"; done)" || status=$?
        case $status in
            0) RESULT=changed ;;
            1) RESULT=unchanged ;;
            *) say "$FILE is left as it is; edit it by hand." && return 0 ;;
        esac
    fi
    answers_of_file "$FILE"
    store_answers
    db_set etcd-ha/read-file "$(checksum "$FILE")"
}
