"""Questions that are asked exist, and questions that exist are asked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable

from debian.deb822 import Deb822

from builder.shipped import DEBIAN_TEMPLATE
from tests.package.node.node_functions import functions_of

SCRIPTS = sorted(
    path
    for pattern in ("etcd-ha.config", "etcd-ha.p*", "node/lib/*.sh", "node/commands/*")
    for path in DEBIAN_TEMPLATE.glob(pattern)
)
# What fleets preseed: names may be added here, and never changed or taken away.
INTERFACE = {
    *("setup", "node-name", "address", "members", "cluster-state", "cluster-token", "data-dir", "tls"),
    *("tls-ca", "tls-cert", "tls-key", "tls-peer-cert", "tls-peer-key", "metrics-address"),
    *("heartbeat-interval", "election-timeout", "quota", "auto-compaction", "restart-policy", "snapshot"),
    *("snapshots-kept", "backup", "restore-from", "purge-data"),
}
# Every step of the config script, for a member of a new cluster with TLS that doesn't exist yet.
WALK = r"""
eval "$1"
ask() { echo "${2#etcd-ha/}"; }
default() { :; }
bootstrapped() { return 1; }
is_setup() { [ "$1" = cluster ]; }
db_get() { RET=true; }
medium=medium
high=high
for step in $(printf '%s\n' "$1" | sed -n 's/^\(ask_[a-z_]*\)().*/\1/p'); do "$step"; done
"""


def templates() -> dict[str, Deb822]:
    """Each template of the package by its name."""
    with (DEBIAN_TEMPLATE / "etcd-ha.templates").open(encoding="utf-8") as file:
        return {found["Template"].removeprefix("etcd-ha/"): found for found in Deb822.iter_paragraphs(file)}


def found(pattern: str) -> set[str]:
    """What a pattern's group finds in the scripts."""
    return {match for path in SCRIPTS for match in re.findall(pattern, path.read_text(encoding="utf-8"))}


def asked() -> set[str]:
    """The questions that the scripts put to debconf."""
    walked = subprocess.run(
        ["sh", "-euc", WALK, "sh", functions_of(DEBIAN_TEMPLATE / "etcd-ha.config")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # A call has a priority of debconf's; messages "ask" as well.
    literal = found(r'\b(?:ask|db_input) (?:low|medium|high|critical|"\$\w+") (?:etcd-ha/)?([a-z-]+)\b')
    return {*walked.split(), *literal}


def errors() -> set[str]:
    """The error templates that a check can name."""
    return found(r"\brefuse (error-[a-z-]+)") | found(r"\bERROR=etcd-ha/(doubt-[a-z-]+)")


def of_type(*types: str) -> set[str]:
    return {name for name, template in templates().items() if template["Type"] in types}


def listed(names: Iterable[str]) -> list[str]:
    return sorted(names)


def test_every_question_that_is_asked_has_a_template() -> None:
    assert listed(asked() - of_type("string", "boolean", "select")) == []


def test_every_question_that_has_a_template_is_asked() -> None:
    # The one that only remembers is marked so in its description, and never shown.
    internal = {
        name for name, found in templates().items() if found.get("Description", "").startswith("for internal")
    }
    assert internal == {"read-file", "set-backup"}
    assert listed(of_type("string", "boolean", "select") - internal - asked()) == []


def test_every_error_that_a_check_names_has_a_template_and_the_reverse() -> None:
    assert listed(errors()) == listed(of_type("error"))


def test_every_name_given_to_debconf_has_a_template() -> None:
    named = found(r"\bdb_\w+ (?:\w+ )?\"?etcd-ha/([a-z-]+)(?=[\s\"]|$)")
    assert "read-file" in named
    assert listed(named - set(templates())) == []


def test_the_answers_that_are_loaded_and_stored_have_templates() -> None:
    text = (DEBIAN_TEMPLATE / "node/lib/answers.sh").read_text(encoding="utf-8")
    match = re.search(r'^QUESTIONS="([^"]+)"', text, re.MULTILINE)
    assert match
    questions = match[1].split()
    assert len(questions) == len(set(questions))
    assert listed(set(questions) - set(templates())) == []


def test_the_names_that_fleets_preseed_are_there() -> None:
    assert listed(INTERFACE - set(templates())) == []


def test_choices_and_defaults_are_those_that_fleets_preseed() -> None:
    choices = {
        name: (template["__Choices"], template["Default"])
        for name, template in templates().items()
        if template["Type"] == "select"
    }
    assert choices == {
        "setup": ("cluster, single, later", "later"),
        "cluster-state": ("new, existing", "new"),
        "restart-policy": ("in-turn, never, at-once", "in-turn"),
        "snapshot": ("minor, always, never", "minor"),
    }


def test_what_deletes_or_encrypts_is_off_by_default_and_backups_are_on() -> None:
    assert {
        name: template["Default"] for name, template in templates().items() if template["Type"] == "boolean"
    } == {
        "tls": "false",
        "backup": "true",
        "purge-data": "false",
    }


def test_every_template_that_is_shown_can_be_translated() -> None:
    plain = [name for name, template in templates().items() if "_Description" not in template]
    assert plain == ["set-backup", "read-file"]


def test_every_error_says_what_was_found() -> None:
    silent = [
        name
        for name, template in templates().items()
        if template["Type"] == "error" and "${value}" not in template["_Description"]
    ]
    assert silent == ["error-no-members"]
