# shellcheck shell=sh
# Between debconf's question for daily backups and the timer. The timer wins over debconf, as etcd.yaml does: the answer
# counts where it is not what the package last set, so that a timer that an administrator has turned on or off stays so.
# Needs: service.
# shellcheck disable=SC2154  # RET is debconf's

BACKUP_TIMER=etcd-ha-backup.timer

# read_backup_timer (config): the answer that the timer gives, once.
read_backup_timer() {
    db_get etcd-ha/set-backup
    has_systemd && [ -n "$RET" ] || return 0
    timer_is=false
    if systemctl --quiet is-enabled "$BACKUP_TIMER" 2>/dev/null; then timer_is=true; fi
    [ "$timer_is" != "$RET" ] || return 0
    db_set etcd-ha/backup "$timer_is"
    db_set etcd-ha/set-backup "$timer_is"
}

# set_backup_timer (postinst): what was answered. Status 1: systemd did not do it.
set_backup_timer() {
    db_get etcd-ha/set-backup
    timer_was=$RET
    db_get etcd-ha/backup
    timer_wanted=$RET
    [ "$timer_wanted" != "$timer_was" ] && command -v systemctl >/dev/null || return 0
    timer_verb=disable
    if [ "$timer_wanted" = true ]; then timer_verb=enable; fi
    # Not by deb-systemd-helper, which leaves alone what it has once disabled.
    systemctl --quiet --root="${DPKG_ROOT:-/}" "$timer_verb" "$BACKUP_TIMER" >&2 || return 1
    if has_systemd; then
        systemctl daemon-reload || return 1
        case $timer_verb in
            enable) deb-systemd-invoke start "$BACKUP_TIMER" >&2 || return 1 ;;
            *) systemctl stop "$BACKUP_TIMER" || return 1 ;;
        esac
    fi
    db_set etcd-ha/set-backup "$timer_wanted"
}
