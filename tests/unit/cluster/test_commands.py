"""`etcd-deb cluster` as it is typed: words that may be left out, statuses, advice that works as printed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from builder.cluster.tls.certificates import new_key
from tests.unit.cli.command import run
from tests.unit.cluster.files import SMALL


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yaml"
    path.write_text(SMALL)
    return path


def test_make_may_be_left_out_and_a_key_is_printed_by_nobody(tmp_path: Path, file: Path) -> None:
    first = run("cluster", "certs", file, "--output", tmp_path / "a")
    second = run("cluster", "certs", "make", "--output", tmp_path / "b", file)
    third = run("cluster", "certs", "-q", "--output", tmp_path / "c", file)
    assert (first.returncode, second.returncode, third.returncode) == (0, 0, 0)
    names = [
        {path.relative_to(tmp_path / folder) for path in (tmp_path / folder).rglob("*")} for folder in "abc"
    ]
    assert names[0] == names[1] == names[2]
    said = first.stdout + first.stderr
    for key in (tmp_path / "a").rglob("*.key"):
        assert key.read_text().splitlines()[1] not in said
        assert key.name not in said


def test_the_list_ends_with_1_where_something_is_to_do_and_its_advice_does_it(
    tmp_path: Path, file: Path
) -> None:
    out = ("--output", tmp_path / "out")
    listed = run("cluster", "certs", "list", file, *out)
    assert listed.returncode == 1
    advice = listed.stderr.splitlines()[-1].partition("attention: etcd-deb ")[2]
    assert run(*advice.split(), *out).returncode == 0
    assert run("cluster", "certs", "list", file, *out).returncode == 0


def test_a_malformed_file_ends_every_command_with_2_and_the_place(tmp_path: Path, file: Path) -> None:
    file.write_text(SMALL.replace("token", "tokne"))
    for words in ("show", "preseed", "certs", "certs list", "cloud-init", "patroni"):
        result = run("cluster", *words.split(), file)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith(f"etcd-deb: error: {file}:1:1: unknown key in the file\n")
        assert result.stderr.endswith("hint: did you mean token?\n")
    assert list(tmp_path.iterdir()) == [file]


def test_doubts_are_warnings_and_stop_nothing(file: Path) -> None:
    file.write_text(SMALL.replace("  - name: pg3\n    address: 192.0.2.3\n", ""))
    result = run("cluster", "show", file)
    assert result.returncode == 0
    assert result.stderr.startswith("etcd-deb: warning: 2 members: a majority is 2, so 0 may fail; ")


def test_the_advice_on_a_passphrase_takes_it_off(tmp_path: Path, file: Path) -> None:
    out = tmp_path / "out"
    run("cluster", "certs", file, "--output", out)
    key = out / "pg1/etcd-tls/server.key"
    word = b"geheim"
    key.write_bytes(new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(word)))
    refused = run("cluster", "certs", file, "--output", out)
    assert refused.returncode == 1
    advice = refused.stderr.splitlines()[-1].removeprefix("hint: ")
    typed = advice.replace("openssl pkey", "openssl pkey -passin pass:geheim")
    subprocess.run(["sh", "-c", typed], check=True, capture_output=True)
    assert run("cluster", "certs", file, "--output", out).returncode == 0
    assert run("cluster", "certs", "list", file, "--output", out).returncode == 0
