# shellcheck shell=sh

# has_systemd: whether this system's own systemd runs, and not only that of a host whose DPKG_ROOT this is.
has_systemd() {
    [ -z "${DPKG_ROOT-}" ] && [ -d /run/systemd/system ]
}

# unit_property NAME: of etcd.service; nothing where systemd does not answer.
unit_property() { systemctl show --property="$1" --value etcd.service 2>/dev/null || true; }
