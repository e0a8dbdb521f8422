# shellcheck shell=sh
# For postinst and prerm: the commands etcd, etcdctl and etcdutl as alternatives. Groups that were made by hand are joined as
# they are, since update-alternatives refuses a name or link of another group, and moves a link that is requested
# elsewhere, although a unit may use it. They print messages for the administrator: those of
# update-alternatives, and a warning about what can't be joined, which does not fail the installation.
# Needs: nothing.

OURS=/usr/lib/etcd-ha
PROGRAMS=$OURS/bin

# program_path PROGRAM: the target of its link. For etcdctl it is a wrapper script that sets this node's member.
program_path() {
    case $1 in
        etcdctl) echo "$OURS/client/etcdctl" ;;
        *) echo "$PROGRAMS/$1" ;;
    esac
}

# alternatives_files: the files of groups that may be related to etcd.
alternatives_files() {
    grep -l etcd "${DPKG_ADMINDIR:-${DPKG_ROOT-}/var/lib/dpkg}"/alternatives/* 2>/dev/null || true
}

# alternatives_table: GROUP NAME LINK of each master and slave.
alternatives_table() {
    alternatives_files | while read -r file; do
        update-alternatives --query "${file##*/}" 2>/dev/null | awk '
            /^Name: / { group = $2 }
            /^Link: / { print group, group, $2 }
            /^Slaves:/ { slaves = 1; next }
            /^[^ ]/ { slaves = 0 }
            /^$/ { exit }
            slaves && NF == 2 { print group, $1, $2 }' || true
    done
}

# alternatives_places: GROUP NAME LINK PROGRAM PRIORITY: the group of each program. A name takes precedence over a link.
alternatives_places() {
    table=$(alternatives_table)
    while read -r program link priority; do
        case $program in "#") continue ;; esac
        place=$(printf '%s\n' "$table" | NAME=$program LINK=$link awk '
            $2 == ENVIRON["NAME"] { named = $0 }
            $3 == ENVIRON["LINK"] || "/usr" $3 == ENVIRON["LINK"] { linked = $0 }
            END { print named != "" ? named : linked }')
        if [ -z "$place" ]; then
            alternatives_adopt "$program" "$link"
            place="$program $program $link"
        fi
        echo "$place $program $priority"
    done <"${DPKG_ROOT-}/usr/share/etcd-ha/alternatives"
}

# alternatives_adopt PROGRAM LINK: a link made by hand would be lost. As an alternative it can be restored.
alternatives_adopt() {
    [ -L "${DPKG_ROOT-}$2" ] || return 0
    target=$(readlink "${DPKG_ROOT-}$2")
    case $target in /etc/alternatives/*) target=$(readlink "${DPKG_ROOT-}$target") || return 0 ;; esac
    case $target in
        "$OURS"/*) return 0 ;;
        /*) ;;
        *) target=${2%/*}/$target ;;
    esac
    [ ! -x "${DPKG_ROOT-}$target" ] || update-alternatives --install "$2" "$1" "$target" 100 >/dev/null || true
}

# alternatives_join GROUP: reads the places.
alternatives_join() {
    joined=$1
    master=
    commands=
    set --
    while read -r group name link program priority; do
        [ "$group" = "$joined" ] || continue
        commands="$commands $link"
        if [ "$name" = "$group" ]; then
            master="$link $(program_path "$program")"
            rank=$priority
        else
            set -- "$@" --slave "$link" "$name" "$(program_path "$program")"
        fi
    done
    if [ -z "$master" ]; then
        echo "etcd-ha: warning:$commands stays part of the alternatives group $joined; the package's programs are in $PROGRAMS"
        return 0
    fi
    if ! update-alternatives --install "${master% *}" "$joined" "${master#* }" "$rank" "$@"; then
        echo "etcd-ha: warning: update-alternatives can't point$commands to $PROGRAMS. The reason is above. Fix it, then:" \
            "dpkg-reconfigure etcd-ha." \
            "For a corrupt file: mv ${DPKG_ADMINDIR:-/var/lib/dpkg}/alternatives/$joined /root/; dpkg-reconfigure etcd-ha"
        return 0
    fi
    # Versions without the wrapper script had the link point to the program.
    earlier=$PROGRAMS/${master##*/}
    if [ "${master#* }" != "$earlier" ] && update-alternatives --query "$joined" | grep -qxF "Alternative: $earlier"; then
        update-alternatives --remove "$joined" "$earlier" || true
    fi
    for link in $commands; do
        if [ -e "${DPKG_ROOT-}$link" ] && ! [ -L "${DPKG_ROOT-}$link" ]; then
            echo "etcd-ha: warning: $link is not a link of update-alternatives and is left unchanged. To use the package's program:" \
                "mv $link /root/ && update-alternatives --auto $joined"
        fi
    done
}

alternatives_install() {
    places=$(alternatives_places)
    for alternative in $(printf '%s\n' "$places" | cut -d ' ' -f 1 | sort -u); do
        alternatives_join "$alternative" <<END
$places
END
    done
}

alternatives_remove() {
    alternatives_files | while read -r file; do
        update-alternatives --query "${file##*/}" 2>/dev/null | sed -n "s|^Alternative: \($OURS/\)|\1|p" |
            while read -r path; do update-alternatives --remove "${file##*/}" "$path" || true; done
    done
}
