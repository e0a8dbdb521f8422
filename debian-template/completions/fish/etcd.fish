# fish completion for etcd. The flags come from the installed version's own help.
# SPDX-License-Identifier: Apache-2.0

function __etcd_flags
    set -l words (commandline -opc)
    if contains -- gateway $words
        etcd gateway start --help 2>&1 | string match -r -- '--[a-z0-9][a-z0-9-]*'
    else if contains -- grpc-proxy $words
        etcd grpc-proxy start --help 2>&1 | string match -r -- '--[a-z0-9][a-z0-9-]*'
    else
        printf '%s\n' --version --help --config-file
        etcd --help 2>&1 | string replace -rf -- '^  (--[a-z0-9][a-z0-9-]*).*' '$1'
    end
end

function __etcd_after
    string match -qr -- $argv[1] (commandline -opc)[-1]
end

complete -c etcd -f
complete -c etcd -n 'test (count (commandline -opc)) -eq 1' -a 'gateway grpc-proxy'
complete -c etcd -n '__fish_seen_subcommand_from gateway grpc-proxy; and not __fish_seen_subcommand_from start' -a start
complete -c etcd -n 'string match -q -- "-*" (commandline -ct)' -a '(__etcd_flags)'
complete -c etcd -n '__etcd_after "^--(config|.*-file|.*cacert|.*-cert|.*-key)"' -F
complete -c etcd -n '__etcd_after "^--(data|wal)-dir\$"' -a '(__fish_complete_directories)'
complete -c etcd -n '__etcd_after "^--initial-cluster-state\$"' -a 'new existing'
complete -c etcd -n '__etcd_after "^--auto-compaction-mode\$"' -a 'periodic revision'
complete -c etcd -n '__etcd_after "^--backend-bbolt-freelist-type\$"' -a 'array map'
complete -c etcd -n '__etcd_after "^--metrics\$"' -a 'basic extensive'
complete -c etcd -n '__etcd_after "^--log-level\$"' -a 'debug info warn error panic fatal'
complete -c etcd -n '__etcd_after "^--log-format\$"' -a 'json console'
complete -c etcd -n '__etcd_after "^--log-outputs\$"' -a 'default stdout stderr systemd/journal'
complete -c etcd -n '__etcd_after "^--tls-(min|max)-version\$"' -a 'TLS1.2 TLS1.3'
