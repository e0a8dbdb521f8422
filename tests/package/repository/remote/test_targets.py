"""What is peculiar to one kind of remote: a bucket, a folder here, a folder behind a remote shell."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from builder.repository.remote.s3 import AT_ONCE, REFUSED, S3Storage
from builder.repository.remote.storage import OtherPublisher, RemoteFailed
from builder.repository.remote.tree import remote_tree
from builder.repository.state.layout import open_repository
from builder.system.progress import Progress
from tests.package.repository.remote.pushing import client, must_push, push, wanted
from tests.support.archives.publisher import SUITE, Publisher
from tests.support.archives.remotes import CREDENTIALS, PREFIX, BucketOfMoto, Moto, web_server
from tests.support.wait import wait_for

PACKAGE = "pool/3.6/etcd-ha_3.6.7-1_amd64.deb"


@pytest.fixture
def bucket(moto: Moto, publisher: Publisher, request: pytest.FixtureRequest) -> BucketOfMoto:
    bucket = moto.bucket(f"targets-{abs(hash(request.node.name))}")
    publisher.account.variables.update(bucket.variables)
    return bucket


@pytest.mark.soak
def test_bucket_of_the_lab_lets_one_of_many_writers_through(bucket: BucketOfMoto) -> None:
    # As S3 does. A bucket that let two through would hide what the next test is about.
    client = bucket.bucket.meta.client

    def writes(key: str) -> bool:
        try:
            client.put_object(Bucket=bucket.bucket.name, Key=key, Body=b"content", IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSED:
                raise
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(20):
            assert sum(pool.map(writes, [f"key-{number}"] * AT_ONCE)) == 1, number


def test_two_publishers_of_one_bucket_at_once_never_mix(
    publisher: Publisher, bucket: BucketOfMoto, tmp_path: Path
) -> None:
    other = Publisher(tmp_path / "other", publisher.gnupg_home)
    other.account.variables.update(bucket.variables)
    assert other.init().status == 0
    publishers = (publisher, other)
    for number, each in enumerate(publishers):
        assert each.publish(each.deb(f"3.6.{number}-1")).status == 0
    statuses: dict[int, int] = {}

    def run(number: int) -> None:
        statuses[number] = push(publishers[number], bucket).status

    threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses.values()) == [0, 1]
    (winner,) = (publishers[number] for number, status in statuses.items() if status == 0)
    assert bucket.files()["dists/trixie/InRelease"] == wanted(winner)["dists/trixie/InRelease"]


def test_inrelease_is_replaced_only_if_it_is_the_one_that_was_read(
    publisher: Publisher, bucket: BucketOfMoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    storage = S3Storage(bucket.bucket.name, PREFIX, bucket.options[1], Progress())
    (inrelease,) = remote_tree(open_repository(publisher.repository)).switches.values()
    storage.switch(inrelease, None)
    storage.listing()
    (before,) = storage.read([inrelease.name]).values()
    bucket.put(inrelease.name, b"of another publisher")
    for held in (before, None):
        with pytest.raises(OtherPublisher, match="another publisher has just changed"):
            storage.switch(inrelease, held)
    assert bucket.files()[inrelease.name] == b"of another publisher"


def test_package_of_a_bucket_is_never_replaced(publisher: Publisher, bucket: BucketOfMoto) -> None:
    bucket.put(PACKAGE, b"of another publisher")
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    refused = push(publisher, bucket)
    assert refused.status == 1
    assert f"already has {PACKAGE}, with different bytes" in refused.err
    assert bucket.files()[PACKAGE] == b"of another publisher"
    assert "dists/trixie/InRelease" not in bucket.files()


def test_what_never_changes_may_be_cached_and_inrelease_may_not(
    publisher: Publisher, bucket: BucketOfMoto
) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    must_push(publisher, bucket)

    def headers(name: str) -> tuple[str, str]:
        found = bucket.bucket.Object(f"{PREFIX}/{name}")
        return found.content_type, found.cache_control

    assert headers("dists/trixie/InRelease") == ("text/plain; charset=utf-8", "no-cache")
    assert headers("index.html") == ("text/html; charset=utf-8", "no-cache")
    kind, caching = headers(PACKAGE)
    assert (kind, "immutable" in caching) == ("application/vnd.debian.binary-package", True)


def test_folder_of_this_machine_is_a_remote(publisher: Publisher, tmp_path: Path) -> None:
    folder = tmp_path / "www"
    assert publisher.publish(publisher.deb("3.6.7-1"), options=("--to", str(folder))).status == 0
    there = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert there == wanted(publisher)
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    with web_server(folder) as url:
        assert publisher.init("--url", url).status == 0
        apt = client(publisher, tmp_path / "client")
        apt.update()
        apt.download("3.6.7-1")


def test_folder_behind_a_remote_shell_is_a_remote(publisher: Publisher, tmp_path: Path) -> None:
    # What ssh does, without a server: the command that rsync gives it is run by a shell.
    shell = tmp_path / "shell"
    shell.write_text(f'#!/bin/sh\necho "$1" >{tmp_path}/host\nshift\nexec sh -c "$*"\n')
    shell.chmod(0o755)
    publisher.account.variables["RSYNC_RSH"] = str(shell)
    folder = tmp_path / "www"
    options = ("--to", f"web1.example.org:{folder}")
    assert publisher.publish(publisher.deb("3.6.7-1"), options=options).status == 0
    assert (tmp_path / "host").read_text() == "web1.example.org\n"
    assert (folder / f"dists/{SUITE}/InRelease").read_bytes() == wanted(publisher)["dists/trixie/InRelease"]


def test_another_umask_and_owner_do_not_hide_files_from_the_web_server(
    publisher: Publisher, tmp_path: Path
) -> None:
    folder = tmp_path / "www"
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    os.chmod(publisher.repository / "index.html", 0o600)  # noqa: PTH101
    assert publisher.repo("push", "--to", str(folder)).status == 0
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o644}


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("ftp://example.org/apt", "can't publish to"),
        ("s3:///debian", "does not name a bucket"),
        ("REPOSITORY", "is itself a repository"),
        ("REPOSITORY/pub", "contains the other"),
        ("REPOSITORY/pool/../dists/x", "contains the other"),
        ("REPOSITORY/..", "contains the other"),
    ],
)
def test_what_is_no_remote_is_refused_before_anything_changes(
    publisher: Publisher, target: str, words: str
) -> None:
    target = target.replace("REPOSITORY", str(publisher.repository))
    refused = publisher.publish(publisher.deb("3.6.7-1"), options=("--to", target))
    assert refused.status == 2
    assert words in refused.err
    assert publisher.versions() == set()


def test_endpoint_is_for_buckets_alone(publisher: Publisher, tmp_path: Path) -> None:
    refused = publisher.repo("push", "--to", str(tmp_path / "www"), "--endpoint-url", "http://127.0.0.1:9")
    assert refused.status == 2
    assert "--endpoint-url needs a bucket" in refused.err


def test_folder_of_this_machine_is_made_with_those_above_it(publisher: Publisher, tmp_path: Path) -> None:
    folder = tmp_path / "srv/www/apt"
    assert publisher.publish(publisher.deb("3.6.7-1"), options=("--to", str(folder))).status == 0
    assert (folder / "dists/trixie/InRelease").exists()


def test_folder_that_cannot_be_made_is_said_after_the_publication_here(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = publisher.publish(publisher.deb("3.6.7-1"), options=("--to", str(tmp_path / "file/apt")))
    assert done.status == 1
    assert "Traceback" not in done.err
    assert f"can't write {tmp_path}/file/apt" in done.err
    assert "3.6.7-1" in done.out, "what was done here is told"
    assert publisher.versions() == {"3.6.7-1"}


def test_missing_folders_behind_a_remote_shell_are_said(publisher: Publisher, tmp_path: Path) -> None:
    shell = tmp_path / "shell"
    shell.write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')
    shell.chmod(0o755)
    publisher.account.variables["RSYNC_RSH"] = str(shell)
    refused = publisher.repo("push", "--to", f"web1.example.org:{tmp_path}/srv/www/apt")
    assert refused.status == 1
    assert "hint: create the folder and its parents there" in refused.err


def test_deletions_that_a_bucket_refuses_are_told(
    bucket: BucketOfMoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    storage = S3Storage(bucket.bucket.name, PREFIX, bucket.options[1], Progress())
    refusal = {"Key": f"{PREFIX}/{PACKAGE}", "Code": "AccessDenied", "Message": "Access Denied"}
    monkeypatch.setattr(storage._client, "delete_objects", lambda **_: {"Errors": [refusal]})
    with pytest.raises(RemoteFailed, match="1 of 2 unreferenced files") as failed:
        storage.delete([PACKAGE, "pool/3.6/another.deb"])
    assert failed.value.details == (f"{PREFIX}/{PACKAGE}: AccessDenied Access Denied",)
    assert "s3:DeleteObject" in str(failed.value.hint)


class SlowStore(BaseHTTPRequestHandler):
    """A store that lists nothing and never ends an upload."""

    protocol_version = "HTTP/1.1"
    asked = threading.Event()
    over = threading.Event()

    def do_GET(self) -> None:
        text = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_PUT(self) -> None:
        self.asked.set()
        self.over.wait(60)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_second_ctrl_c_ends_uploads_that_are_under_way(publisher: Publisher) -> None:
    publisher.account.variables.update(CREDENTIALS)
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    with ThreadingHTTPServer(("127.0.0.1", 0), SlowStore) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        started = publisher.account.start(
            *("repo", "push", publisher.repository, "--to", "s3://bucket/apt", "--endpoint-url", url)
        )
        assert SlowStore.asked.wait(30)
        started.press_ctrl_c()
        started.await_message("a second Ctrl-C stops at once")
        started.press_ctrl_c()
        done = started.finish(within=10)
        SlowStore.over.set()
        server.shutdown()
    assert done.status == 130
    assert "nothing was left behind" not in done.err
    assert publisher.problems() == []


def test_interrupted_push_says_that_the_next_one_goes_on(publisher: Publisher, tmp_path: Path) -> None:
    shell = tmp_path / "shell"
    shell.write_text(f"#!/bin/sh\n: >{tmp_path}/asked\nexec sleep 600\n")
    shell.chmod(0o755)
    publisher.account.variables["RSYNC_RSH"] = str(shell)
    started = publisher.account.start(
        *("repo", "push", publisher.repository, "--to", f"web1.example.org:{tmp_path}/www")
    )
    wait_for("the remote shell", lambda: (tmp_path / "asked").exists(), within=30)
    started.press_ctrl_c()
    done = started.finish(within=15)
    assert done.status == 130
    assert "the repository here is whole; run the command again" in done.err
