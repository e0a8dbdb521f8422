# fish completion for etcd-ha. Commands, their words and options come from the tool's own help.
# SPDX-License-Identifier: Apache-2.0

function __etcd_ha_words
    set -l words (commandline -opc)
    set -l usage (etcd-ha help 2>/dev/null | string replace -rf '^  etcd-ha ' '')
    if test (count $words) -eq 1
        string replace -r ' .*' '' $usage
    else if test (count $words) -eq 3; and string match -qr '^config [gs]et$' "$words[2..3]"
        string match -rg '^([a-z][a-z0-9.-]*) ' </usr/share/etcd-ha/config-keys
    else
        # Words in lower case and options stand for themselves; the rest are names of values.
        set -l found (string replace -f "$words[2] " '' $usage | string replace -ra '[][|=.]' ' ' |
            string split -n ' ' | string match -r '^(?:--)?[a-z][a-z-]*$')
        if test (count $words) -eq 2
            printf '%s\n' $found
        else
            string match -- '--*' $found
        end
    end
end

complete -c etcd-ha -f -a '(__etcd_ha_words)'
complete -c etcd-ha -n 'string match -q "*/*" -- (commandline -ct)' -F
