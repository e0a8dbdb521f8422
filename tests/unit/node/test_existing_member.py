"""What answers change in the file of a member that exists: whole groups of them, or nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from builder.shipped import DEBIAN_TEMPLATE
from tests.package.node.node_functions import functions_of

LIBRARY = DEBIAN_TEMPLATE / "node/lib"
# What configure_file does between debconf and the file.
EDITS = """
for part in message yaml host answers check from-file setup debconf; do
    . "$LIB/$part.sh"
done
eval "$FUNCTIONS"
ANSWERS=$work/file
answers_of_file "$FILE"
cp -R "$work/file/." "$work/asked"
cp "$work"/given/* "$work/asked"
ANSWERS=$work/asked
normalize_answers
changed=$(changed_questions)
BOOTSTRAPPED=yes
member_exists="a member exists"
drop_void_questions
for question in $changed; do edits_of "$question"; done
"""
PLAIN = """\
name: pg1
data-dir: /none
initial-cluster: pg1=http://10.0.0.5:2380
initial-advertise-peer-urls: http://10.0.0.5:2380
listen-peer-urls: http://10.0.0.5:2380
listen-client-urls: http://10.0.0.5:2379,http://127.0.0.1:2379
advertise-client-urls: http://10.0.0.5:2379
"""
TLS = "".join(
    f"{block}-transport-security:\n  cert-file: /tls/cert\n  key-file: /tls/key\n  trusted-ca-file: /tls/ca\n"
    for block in ("client", "peer")
)
SECURE = PLAIN.replace("http://", "https://") + TLS
PATHS = {"tls-ca": "/new/ca", "tls-cert": "/new/cert", "tls-key": "/new/key"}


def edits(folder: Path, document: str, answers: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Keys with their new values, and what was said."""
    for name in ("file", "asked", "given"):
        (folder / name).mkdir()
    (folder / "etcd.yaml").write_text(document)
    for question, answer in answers.items():
        (folder / "given" / question).write_text(answer)
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LIB": str(LIBRARY),
        "FUNCTIONS": functions_of(DEBIAN_TEMPLATE / "etcd-ha.postinst"),
        "FILE": str(folder / "etcd.yaml"),
        "work": str(folder),
    }
    done = subprocess.run(["sh", "-ec", EDITS], env=environment, capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return {line[1]: line[-1] for line in lines}, done.stderr


def test_tls_is_not_turned_on_and_its_paths_are_not_written(tmp_path: Path) -> None:
    changed, said = edits(tmp_path, PLAIN, {"tls": "true", **PATHS})
    assert changed == {}
    assert "these answers change nothing: tls tls-ca tls-cert tls-key" in said


def test_tls_is_not_turned_off_and_urls_keep_their_scheme(tmp_path: Path) -> None:
    changed, said = edits(tmp_path, SECURE, {"tls": "false", "address": "10.0.0.6"})
    assert "these answers change nothing: tls." in said
    assert changed["listen-peer-urls"] == "https://10.0.0.6:2380"
    assert changed["listen-client-urls"] == "https://10.0.0.6:2379,https://127.0.0.1:2379"
    assert not any("security" in key for key in changed)


def test_new_paths_alone_are_written_for_members_and_clients(tmp_path: Path) -> None:
    changed, said = edits(tmp_path, SECURE, PATHS)
    keys = {"trusted-ca-file": "/new/ca", "cert-file": "/new/cert", "key-file": "/new/key"}
    assert changed == {
        f"{block}-transport-security.{key}": path
        for block in ("client", "peer")
        for key, path in keys.items()
    }
    assert "change nothing" not in said


def test_name_that_changes_nothing_leaves_the_ports_of_the_old_one(tmp_path: Path) -> None:
    document = PLAIN.replace("5:2380", "5:2390").replace("pg1=", "pg2=http://10.0.0.7:2380,pg1=")
    changed, _ = edits(tmp_path, document, {"node-name": "pg9", "setup": "single", "address": "10.0.0.6"})
    assert changed["listen-peer-urls"] == "http://10.0.0.6:2390"
