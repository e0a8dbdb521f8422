# shellcheck shell=sh
# For the maintainer scripts: keeps what is already on the node (an etcd installed by hand, the administrator's own unit, Debian's
# etcd-server or what is left of it) intact while the package is installed and removed. All are no-ops elsewhere.
# Needs: service, yaml.

ADMIN_UNIT=${DPKG_ROOT-}/etc/systemd/system/etcd.service
ENABLED_LINK=/etc/systemd/system/multi-user.target.wants/etcd.service
# deb-systemd-helper's record of the links that it made for a unit of this name, for any package.
ENABLEMENT=${DPKG_ROOT-}/var/lib/systemd/deb-systemd-helper-enabled/etcd.service.dsh-also

# A unit file that the admin wrote; a masked unit is a link to /dev/null.
takeover_has_admin_unit() { [ -f "$ADMIN_UNIT" ] && ! [ -L "$ADMIN_UNIT" ]; }

# Debian's package removed but not purged: its postrm still deletes /var/lib/etcd, the account and the enablement.
takeover_has_leftover() {
    # shellcheck disable=SC2016  # dpkg-query's variable
    [ "$(dpkg-query -W -f '${db:Status-Status}' etcd-server 2>/dev/null)" = config-files ]
}

# takeover_remember_enablement OLD_VERSION (postinst configure, before debhelper's part): after the purge of Debian's
# leftover has removed the record, an upgrade would treat the unit as new and enable a unit that the administrator disabled.
takeover_remember_enablement() {
    if [ -n "$1" ] && ! [ -e "$ENABLEMENT" ] && [ -x "${DPKG_ROOT-}/usr/bin/deb-systemd-helper" ]; then
        deb-systemd-helper update-state etcd.service >/dev/null || true
    fi
}

# takeover_shield_enablement (postinst, after debhelper's part): a purge of Debian's leftover removes recorded links, so
# ours is not recorded while there is a leftover. Without the record, the link itself decides whether the unit is enabled.
takeover_shield_enablement() {
    if takeover_has_leftover && [ -e "$ENABLEMENT" ]; then takeover_forget_link; fi
}

takeover_forget_link() {
    grep -vxF "$ENABLED_LINK" "$ENABLEMENT" >"$ENABLEMENT.etcd-ha" || true
    mv "$ENABLEMENT.etcd-ha" "$ENABLEMENT"
}

# takeover_restore_account (postinst triggered): the purge of Debian's package may have deleted it. The new one gets the id
# that owns the data. (A path as the id in sysusers.d is not enough: it is ignored if a group has that number.)
takeover_restore_account() {
    if getent passwd etcd >/dev/null; then return 0; fi
    # If the data directory can't be read reliably, take the id of the member, which is still running.
    status=0
    account_home=$(yaml_get "${CONFIG:-/etc/etcd/etcd.yaml}" data-dir) || status=$?
    case $status in
        0) ;;
        1) account_home=/var/lib/etcd-ha ;;
        *) account_home=/proc/$(unit_property MainPID) ;;
    esac
    # shellcheck disable=SC2046  # two numbers
    set -- $(stat -c '%u %g' "$account_home" 2>/dev/null)
    if [ "${1:-0}" != 0 ] && ! getent passwd "$1" >/dev/null; then
        systemd-sysusers --inline "g etcd $2" "u etcd $1:$2 \"etcd member\" /var/lib/etcd-ha" || true
    fi
    systemd-sysusers etcd-ha.conf || true
}

# takeover_notices (postinst configure, at the end): what the administrator should know and do.
takeover_notices() {
    if takeover_has_admin_unit; then
        cat <<END
etcd-ha: $ADMIN_UNIT is not from this package and still defines the service etcd.
  A running etcd keeps running; the next start uses the binary that the unit names.
END
    fi
    # Without the file, the package's unit starts nothing.
    if takeover_has_admin_unit && [ -e "${CONFIG:-${DPKG_ROOT-}/etc/etcd/etcd.yaml}" ]; then
        cat <<END
  To use the package's unit (sandbox, preflight):
    mv $ADMIN_UNIT /root/ && systemctl daemon-reload && systemctl restart etcd
END
    fi
    if takeover_has_leftover; then
        status=0
        takeover_is_endangered "${CONFIG:-${DPKG_ROOT-}/etc/etcd/etcd.yaml}" || status=$?
        if [ "$status" = 2 ]; then
            cat <<END
etcd-ha: warning: do NOT purge Debian's removed etcd-server before you know that this member's data is elsewhere: its
  postrm deletes /var/lib/etcd, and data-dir and wal-dir can't be read from etcd.yaml. To see why: etcd-ha config lint
END
        elif [ "$status" = 0 ]; then
            cat <<END
etcd-ha: warning: do NOT purge Debian's removed etcd-server: its postrm deletes /var/lib/etcd, where the data of this
  member is. First move it: etcd-ha migrate
END
        elif [ -d "${DPKG_ROOT-}/var/lib/etcd/default/member" ]; then
            echo "etcd-ha: data of Debian's etcd-server is in /var/lib/etcd/default; to continue with it: etcd-ha migrate"
        fi
    fi
}

# takeover_is_endangered CONFIG: whether the purge of Debian's package would delete data or log. Status 2: unknown.
takeover_is_endangered() {
    [ -r "$1" ] || return 1
    found=1
    for key in data-dir wal-dir; do
        status=0
        endangered=$(yaml_get "$1" "$key") || status=$?
        case $status:$endangered in
            0:/var/lib/etcd/*) return 0 ;;
            2:*) found=2 ;;
        esac
    done
    return "$found"
}

# takeover_give_back (postrm remove, after debhelper's part): the alternatives point to the administrator's binary again, and the
# unit that ran it still exists. Not without a binary: the unit may name a path of ours. Status 0: it is started.
takeover_give_back() {
    has_systemd || return 1
    given_back=1
    if has_stopped etcd.service && takeover_has_admin_unit && command -v etcd >/dev/null; then
        systemctl daemon-reload || true
        # --no-block: the start ends only when the cluster has a quorum.
        systemctl --no-block start etcd.service || true
        given_back=0
    fi
    rm -f "$STOPPED"
    return "$given_back"
}

# takeover_before_purge, takeover_after_purge (postrm purge, around debhelper's part): its deb-systemd-helper purge would
# disable the etcd.service that exists now: the administrator's own, or that of Debian's package.
takeover_before_purge() {
    if takeover_has_admin_unit || [ -e "${DPKG_ROOT-}/usr/lib/systemd/system/etcd.service" ]; then
        if [ -e "$ENABLEMENT" ]; then mv "$ENABLEMENT" "$ENABLEMENT.etcd-ha"; fi
    elif [ -L "${DPKG_ROOT-}$ENABLED_LINK" ] && ! grep -qsxF "$ENABLED_LINK" "$ENABLEMENT"; then
        # takeover_shield_enablement removed the record; the link is ours to remove.
        mkdir -p "${ENABLEMENT%/*}"
        echo "$ENABLED_LINK" >>"$ENABLEMENT"
    fi
}

takeover_after_purge() {
    if [ -e "$ENABLEMENT.etcd-ha" ]; then mv "$ENABLEMENT.etcd-ha" "$ENABLEMENT"; fi
}

ALIASED_UNIT=/lib/systemd/system/etcd.service

# unit_alias_divert (preinst)
unit_alias_divert() {
    if dpkg-query --search "$ALIASED_UNIT" >/dev/null 2>&1; then
        dpkg-divert --package etcd-ha --no-rename --divert "$ALIASED_UNIT.aliased" --add "$ALIASED_UNIT"
    fi
}

# unit_alias_undivert (postinst, and postrm if postinst does not run)
unit_alias_undivert() {
    dpkg-divert --package etcd-ha --quiet --no-rename --divert "$ALIASED_UNIT.aliased" --remove "$ALIASED_UNIT"
}
