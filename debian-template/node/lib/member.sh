# shellcheck shell=sh
# This node's member, as etcd.yaml describes it.
# Needs: yaml.

ETCD_BIN=${ETCD_BIN:-/usr/lib/etcd-ha/bin}
CONFIG=${CONFIG:-/etc/etcd/etcd.yaml}

# The functions below print a value with status 0, or the reason with status 2 if it can't be read reliably. Then the value is
# neither absent nor the default.

MEMBER_KEYS="name data-dir wal-dir listen-client-urls advertise-client-urls initial-advertise-peer-urls initial-cluster
initial-cluster-state quota-backend-bytes client-transport-security.trusted-ca-file client-transport-security.auto-tls
client-transport-security.cert-file client-transport-security.key-file client-transport-security.client-cert-file
client-transport-security.client-key-file"

# read_settings: from here on setting() has the values of MEMBER_KEYS in CONFIG as they are now, read in one pass.
read_settings() {
    SETTINGS_OF=
    # shellcheck disable=SC2086  # words
    SETTINGS=$(yaml_values "$CONFIG" $MEMBER_KEYS) || return 0
    SETTINGS_OF=$CONFIG
}

# setting_in_file KEY: sets setting_status and setting_value, as yaml_get has them. By the shell alone where the key was read.
# shellcheck disable=SC2154  # row_of sets them
setting_in_file() {
    if [ "${SETTINGS_OF-}" = "$CONFIG" ] && row_of "$SETTINGS" "$1"; then
        setting_status=$row_status
        setting_value=$row_value
        return 0
    fi
    setting_status=0
    setting_value=$(yaml_get "$CONFIG" "$1") || setting_status=$?
}

# setting KEY [DEFAULT]: the value in the configuration file; the default if the key is absent, null or empty (etcd keeps an
# empty name). If look_at_process (process-settings.sh) has set PROCESS_TELLS, the running process supplies what the file does
# not define, and always the location of its data.
setting() {
    case ${PROCESS_TELLS:+$1} in data-dir | wal-dir) if process_setting "$1"; then return 0; fi ;; esac
    setting_status=2
    setting_value="the file does not exist"
    if [ -r "$CONFIG" ]; then
        setting_in_file "$1"
    elif [ -e "$CONFIG" ]; then
        setting_value="$(id -un) may not read it"
    fi
    case $setting_status in
        0) if [ "$1" = name ]; then printf '%s\n' "$setting_value"; else printf '%s\n' "${setting_value:-${2-}}"; fi ;;
        1) printf '%s\n' "${2-}" ;;
        *)
            if [ -n "${PROCESS_TELLS-}" ] && process_setting "$1" "${2-}"; then return 0; fi
            echo "$1 can't be read from $CONFIG: $setting_value"
            return 2
            ;;
    esac
}

# process_setting KEY [DEFAULT]: as setting, from the settings of the process in PROCESS_TELLS.
process_setting() {
    KEY=$1 INSTEAD=${2-} awk -F '\t' '
        $1 == ENVIRON["KEY"] { print substr($0, length($1) + 2); found = 1; exit }
        $1 == "*" { print ENVIRON["INSTEAD"]; found = 1; exit }
        END { exit found ? 0 : 2 }' "$PROCESS_TELLS"
}

# from_root PATH: etcd.service runs in the root directory, and the caller runs elsewhere.
from_root() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '/%s\n' "$1" ;;
    esac
}

# path_in_unit PATH: the same, as a unit file needs it.
path_in_unit() { from_root "$1" | sed 's/%/%%/g'; }

# is_opened_by_unit DIRECTORY: the generator lets the sandbox write there. systemd opens only what exists when it makes the
# sandbox of a start.
is_opened_by_unit() {
    grep -qsxF "ReadWritePaths=\"-$(path_in_unit "$1")\"" \
        "${ETCD_HA_GENERATED:-/run/systemd/generator}/etcd.service.d/etcd-ha-paths.conf"
}

# etcd's own default is a folder under its working directory.
data_dir() {
    data_dir=$(setting data-dir) || pass_on "$data_dir" || return
    if [ -z "$data_dir" ]; then
        data_dir=$(setting name default) || pass_on "$data_dir" || return
        data_dir=$data_dir.etcd
    fi
    from_root "$data_dir"
}

wal_dir() {
    wal_dir=$(setting wal-dir) || pass_on "$wal_dir" || return
    if [ -z "$wal_dir" ]; then
        wal_dir=$(data_dir) || pass_on "$wal_dir" || return
        wal_dir=$wal_dir/member/wal
    fi
    from_root "$wal_dir"
}

database_file() {
    database_dir=$(data_dir) || pass_on "$database_dir" || return
    printf '%s/member/snap/db\n' "$database_dir"
}

# member_has_data: etcd treats a node as initialized if it has a write-ahead log. Status 1: it has none.
member_has_data() {
    wal_dir_with_data=$(wal_dir) || pass_on "$wal_dir_with_data" || return
    for wal_file in "$wal_dir_with_data"/*.wal; do
        [ -e "$wal_file" ] && return 0
    done
    return 1
}

# version_of ETCD: 3.6.7
version_of() { "$1" --version 2>/dev/null | sed -n 's/^etcd Version: //p'; }

# version_of_process PID: of the file that it runs, which an upgrade may have replaced on disk. Run as its own user and not as
# root, since a compromised process could run any program.
version_of_process() {
    # shellcheck disable=SC2046  # two numbers
    set -- "$1" $(stat -c '%u %g' "/proc/$1" 2>/dev/null)
    [ $# = 3 ] || return 0
    setpriv --reuid "$2" --regid "$3" --clear-groups --no-new-privs /proc/self/fd/8 --version 8<"/proc/$1/exe" 2>/dev/null |
        sed -n 's/^etcd Version: //p'
}

first_of() { printf '%s\n' "$1" | sed 's/,.*//; s/^[[:space:]]*//; s/[[:space:]]*$//'; }

# peer_entries: NAME URL of each entry of initial-cluster.
peer_entries() {
    peer_list=$(setting initial-cluster) || pass_on "$peer_list" || return
    printf '%s\n' "$peer_list" | tr ',' '\n' |
        sed -n 's/^[[:space:]]*\([^=]*\)=\([^[:space:]]*\)[[:space:]]*$/\1 \2/p'
}
