# shellcheck shell=sh
# What preflight says where this node and the members that run don't fit together: each message has the commands, for a shell
# on this node. $scratch/list has the output of etcdctl member list.
# shellcheck disable=SC2154  # scratch, cluster_state, own_name, own_urls, others: membership.sh

# quoted TEXT: as one word of a shell.
quoted() {
    case $1 in
        *[!A-Za-z0-9._=:,/-]*) printf "'%s'\n" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# cluster_with_own ID: initial-cluster for a node that joins those of the list, without the member ID. One that was added and
# never started has no name yet, and any will do.
cluster_with_own() {
    ID=$1 NAME=$own_name URLS=$own_urls awk -F ', ' '
        function add(name, urls,    i, n, url) {
            n = split(urls, url, ",")
            for (i = 1; i <= n; i++) all = all (all == "" ? "" : ",") name "=" url[i]
        }
        $1 != ENVIRON["ID"] && $4 != ENVIRON["URLS"] { add($3 == "" ? "member-" $1 : $3, $4) }
        END {
            add(ENVIRON["NAME"], ENVIRON["URLS"])
            print all
        }' "$scratch/list"
}

# etcdctl_here: etcdctl with the options by which it reaches the others from this node. The list came by them.
etcdctl_here() {
    printf 'etcdctl --endpoints=%s' "$others"
    [ -z "${ETCDCTL_CACERT-}" ] || printf ' --cacert=%s' "$ETCDCTL_CACERT"
    [ -z "${ETCDCTL_INSECURE_SKIP_TLS_VERIFY-}" ] || printf ' --insecure-skip-tls-verify'
    # The account etcd may read the key that root has to use as well.
    [ -z "${ETCDCTL_CERT-}" ] || printf ' --cert=%s --key=%s' "$ETCDCTL_CERT" "$ETCDCTL_KEY"
    # shellcheck disable=SC2016  # for the shell of the reader
    [ ! -e "$CREDENTIALS" ] || printf ' --user="$(cat %s)"' "$CREDENTIALS"
}

# joining_commands ID: what makes the file fit the list without the member ID.
joining_commands() {
    printf '  %s\n' "etcd-ha config set initial-cluster $(quoted "$(cluster_with_own "$1")")" \
        "etcd-ha config set initial-cluster-state existing"
}

# stop_lines STATUS SUMMARY: the lines of stdin after that.
stop_lines() {
    printf 'etcd-ha: error: %s\n' "$2" >&2
    sed 's/^/  /' >&2
    exit "$1"
}

stop_lost() { # LINE
    id=${1%%, *}
    learner=
    case $1 in *", true") learner=" --learner" ;; esac
    stop_lines 78 "this node was a member already, but its data directory $(data_dir) is empty" <<END
The others know it as $(printf '%s\n' "$1" | awk -F ', ' '{ print $1, $3, $4 }').
Is the data elsewhere, not mounted? Bring it back, then: systemctl start etcd
Is it lost? Then, here:
  $(etcdctl_here) member remove $id
  $(etcdctl_here) member add $own_name --peer-urls=$(quoted "$own_urls")$learner
$(joining_commands "$id")
  systemctl start etcd
A cluster that is younger than 5 s takes no new member ("unhealthy cluster"): give the command again.
END
}

stop_unexpected() {
    stop_lines 1 "the members that run do not know this node ($own_name at $own_urls)" <<END
They are: $(awk -F ', ' '{ print ($3 == "" ? "a new one" : $3) " at " $4 }' "$scratch/list" | paste -sd, - | sed 's/,\([^ ]* at \)/, \1/g').
To add it, here:
  $(etcdctl_here) member add $own_name --peer-urls=$(quoted "$own_urls")
$(joining_commands none)
They are asked again in a few seconds.
END
}

stop_other_cluster() {
    stop_lines 1 "this node was added to a cluster, but $CONFIG does not fit it" <<END
It has initial-cluster-state $cluster_state and initial-cluster $(setting initial-cluster).
So that this node can join, here:
$(joining_commands none)
The file is read again in a few seconds.
END
}

stop_other_name() { # LINE
    stop_lines 78 "a member with this node's name, $own_name, is at $(printf '%s\n' "$1" | awk -F ', ' '{ print $4 }')" <<END
This node's own URL is $own_urls (initial-advertise-peer-urls in $CONFIG).
Is this another node? Give it a name and an entry of its own: dpkg-reconfigure etcd-ha; systemctl start etcd
Is it that member, at another address and without its data? Then, here:
  $(etcdctl_here) member remove ${1%%, *}
  $(etcdctl_here) member add $own_name --peer-urls=$(quoted "$own_urls")
$(joining_commands "${1%%, *}")
  systemctl start etcd
END
}
