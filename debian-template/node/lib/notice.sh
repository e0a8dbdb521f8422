# shellcheck shell=sh

# say TEXT...: what a maintainer script tells the administrator; standard output belongs to debconf.
say() {
    echo "etcd-ha: $*" >&2
}
