# shellcheck shell=sh

# has_systemd: whether this system's own systemd runs, and not only that of a host whose DPKG_ROOT this is.
has_systemd() {
    [ -z "${DPKG_ROOT-}" ] && [ -d /run/systemd/system ]
}
