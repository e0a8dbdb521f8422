# shellcheck shell=sh
# Run as root before each start of etcd.service: the directories that etcd.yaml names are brought into the sandbox, which
# systemd otherwise reads at boot and at a daemon-reload only.
set -e

GENERATOR=/usr/lib/systemd/system-generators/etcd-ha
MADE=etcd.service.d/etcd-ha-paths.conf

# Masked or replaced by the administrator, ours is not the one that systemd runs.
for directory in /run /etc /usr/local/lib; do
    if [ -e "$directory/systemd/system-generators/etcd-ha" ]; then exit 0; fi
done
wanted=$(mktemp -d)
trap 'rm -rf "$wanted"' EXIT
"$GENERATOR" "$wanted"
settings() { grep -v '^#' "$1/$MADE" 2>/dev/null || true; }
[ "$(settings "$wanted")" = "$(settings /run/systemd/generator)" ] || timeout 60 systemctl daemon-reload
