# shellcheck shell=sh
# Runs as root before each start of etcd.service: adds the directories that etcd.yaml names to the sandbox, which systemd
# otherwise reads only at boot and at a daemon-reload.
set -e

GENERATOR=/usr/lib/systemd/system-generators/etcd-ha
MADE=etcd.service.d/etcd-ha-paths.conf

# If the administrator masked or replaced our generator, systemd does not run it.
for directory in /run /etc /usr/local/lib; do
    if [ -e "$directory/systemd/system-generators/etcd-ha" ]; then exit 0; fi
done
wanted=$(mktemp -d)
trap 'rm -rf "$wanted"' EXIT
"$GENERATOR" "$wanted"
settings() { grep -v '^#' "$1/$MADE" 2>/dev/null || true; }
[ "$(settings "$wanted")" = "$(settings /run/systemd/generator)" ] || timeout 60 systemctl daemon-reload
