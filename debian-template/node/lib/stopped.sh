# shellcheck shell=sh
# For prerm, postinst and postrm: what a removal stops is noted, and runs again where the removal doesn't come about
# (policy 6.6: abort-remove) or gives the node back to a unit of the administrator. Needs systemd.sh.

STOPPED=/run/etcd-ha.stopped

# stop_all (prerm remove): debhelper leaves this out together with the start that postinst does itself.
stop_all() {
    has_systemd || return 0
    for unit in etcd.path etcd.service; do
        case $(systemctl show --property=ActiveState --value "$unit") in
            "" | inactive | failed) ;;
            *) echo "$unit" ;;
        esac
    done >"$STOPPED"
    deb-systemd-invoke stop etcd.path etcd.service || true
}

has_stopped() { grep -qsx "$1" "$STOPPED"; }

# start_stopped (postinst abort-remove); needs service.sh. An enabled unit or not: it ran.
start_stopped() {
    for unit in etcd.service etcd.path; do
        if has_stopped "$unit" && ! systemctl --quiet is-active "$unit" && is_allowed; then
            # --no-block: the start ends only when the cluster has a quorum.
            systemctl --no-block start "$unit" || say "warning: $unit ran before; to start it: systemctl start $unit"
        fi
    done
    rm -f "$STOPPED"
}
