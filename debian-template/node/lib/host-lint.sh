# shellcheck shell=sh
# What in etcd.yaml does not fit this host: names and addresses. Needs yaml.sh and host.sh.

# hosts_line NAME ADDRESS: the line that /etc/hosts should have; other names of a line that it replaces stay with it.
hosts_line() {
    hosts_lines "$1" | NAME=$1 ADDRESS=$2 awk '
        NR == 1 { $1 = ""; names = / localhost/ ? "" : $0 }
        END { print ENVIRON["ADDRESS"] (names == "" ? " " ENVIRON["NAME"] : names) }'
}

# hosts_advice NAME ADDRESS: where that line goes.
hosts_advice() {
    replaced=$(hosts_lines "$1" | sed -n 1p)
    case $replaced in
        "") echo "Add this line to /etc/hosts: $(hosts_line "$1" "$2")" ;;
        *localhost*) echo "In /etc/hosts take $1 out of the line \"$replaced\" and add: $(hosts_line "$1" "$2")" ;;
        *) echo "In /etc/hosts replace the line \"$replaced\" by: $(hosts_line "$1" "$2")" ;;
    esac
}

# has_member FILE: status 1 where the data directory has none, 2 where that can't be known.
has_member() {
    data=$(yaml_get "$1" data-dir 2>/dev/null) || return 2
    [ -d "$data/member" ]
}

# reached_by FILE: lines "NAME HOST" of what leads to the members. With data, etcd has no use for initial-cluster any more.
reached_by() {
    printf '%s %s\n' "$name" "$(printf '%s\n' "${advertised%%,*}" | host_of_url)"
    member_status=0
    has_member "$1" || member_status=$?
    if [ "$member_status" = 1 ]; then
        yaml_get "$1" initial-cluster 2>/dev/null | tr ',' '\n' | while IFS='=' read -r entry_name url; do
            printf '%s %s\n' "$entry_name" "$(printf '%s\n' "$url" | host_of_url)"
        done
    fi
}

# way_of_url URL ADDRESS: what to type where URL leads elsewhere than to ADDRESS.
way_of_url() {
    case $2 in *:*) in_url="[$2]" ;; *) in_url=$2 ;; esac
    if has_member "$FILE"; then
        echo "give clients the right URL: etcd-ha config set advertise-client-urls ${1%%://*}://$in_url:${1##*:}." \
            "Or start over: etcd-ha reset"
    else
        echo "give another answer: dpkg-reconfigure etcd-ha"
    fi
}

# host_lint: a line for each doubt about FILE on this host, with the way out.
host_lint() {
    name=$(yaml_get "$FILE" name 2>/dev/null) && listens=$(yaml_get "$FILE" listen-client-urls 2>/dev/null) &&
        advertised=$(yaml_get "$FILE" advertise-client-urls 2>/dev/null) || return 0
    advertised=${advertised%%,*}
    listens=$(printf '%s\n' "${listens%%,*}" | host_of_url)
    case $listens in 0.0.0.0 | ::) listens= ;; esac
    reached_by "$FILE" | sort -u | host_doubts "$name" "$listens" | sort -u | while IFS='	' read -r kind found expected; do
        case $kind in
            foreign-address)
                echo "etcd is to listen on $found, which this node does not have; it has $expected." \
                    "To give another address: dpkg-reconfigure etcd-ha"
                ;;
            own-url)
                echo "others reach this node by $found, but etcd listens on $expected. Unless something forwards it," \
                    "$(way_of_url "$advertised" "$expected")"
                ;;
            own-name)
                echo "$found, the name of this node, leads to $(addresses_of "$found" | sed -n 1p) here, but etcd listens on" \
                    "$expected. $(hosts_advice "$found" "$expected")"
                ;;
            peer-name)
                echo "$found, another member, leads to $expected here. Give it its own address in /etc/hosts or DNS"
                ;;
            unknown-name) echo "$found leads to no address here. Give it one in /etc/hosts or DNS" ;;
            no-answer) echo "where $found leads to is not known: name resolution did not answer within a second" ;;
        esac
    done
}
