# shellcheck shell=sh
# Starts the member for a command of the admin. Needs say(), systemd.sh, yaml.sh and member.sh.

# start_member: only what the admin has enabled; waits 40 s for the cluster, and leaves it starting after that.
start_member() {
    if ! has_systemd; then return 0; fi
    systemctl daemon-reload
    if [ "$(systemctl is-enabled etcd.service 2>/dev/null)" != enabled ]; then
        say "etcd.service is not enabled; to run it: systemctl enable --now etcd"
        return 0
    fi
    # --no-block: the start ends only when the cluster has a quorum.
    systemctl --no-block start etcd.service
    if ! identify_client || ! endpoint=$(own_endpoint); then
        say "whether it serves: etcd-ha status"
        return 0
    fi
    tries=0
    until ask_etcd 1 "$endpoint" endpoint health >/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 20 ] || { say "etcd does not answer yet: etcd-ha status; journalctl -u etcd" && return 0; }
        sleep 1
    done
    say "the member is healthy"
}
