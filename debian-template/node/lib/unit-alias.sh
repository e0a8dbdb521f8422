# shellcheck shell=sh
# Debian's etcd-server of bookworm and older has its unit in /lib, which is /usr/lib. When dpkg removes that package in favour
# of this one, it would delete the file that this one has just brought. A diversion of the other name leads that deletion
# astray while it may come (DEP 17, "protective diversion").

ALIASED_UNIT=/lib/systemd/system/etcd.service

# unit_alias_divert (preinst)
unit_alias_divert() {
    if dpkg-query --search "$ALIASED_UNIT" >/dev/null 2>&1; then
        dpkg-divert --package etcd-ha --no-rename --divert "$ALIASED_UNIT.aliased" --add "$ALIASED_UNIT"
    fi
}

# unit_alias_undivert (postinst, and postrm when it doesn't come to that)
unit_alias_undivert() {
    dpkg-divert --package etcd-ha --quiet --no-rename --divert "$ALIASED_UNIT.aliased" --remove "$ALIASED_UNIT"
}
