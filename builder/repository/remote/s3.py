"""A remote in a bucket of S3, or of a store that speaks its protocol."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, BinaryIO, TypedDict, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from builder.repository.change import OtherBytes
from builder.repository.remote.storage import AGAIN, Held, OtherPublisher, RemoteFailed, RemoteFile
from builder.system.progress import Progress

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

Given = TypeVar("Given")
Got = TypeVar("Got")
AT_ONCE = 16
# What DeleteObjects takes in one request.
DELETED_AT_ONCE = 1000
SHOWN_FAILURES = 5
SHOWN_SHA256 = "sha256"
TYPES = {
    ".deb": "application/vnd.debian.binary-package",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".gpg": "application/pgp-keys",
}
# A name that never gets other bytes may be kept for ever; the others must be asked for each time.
FOR_EVER = "public, max-age=31536000, immutable"
ASK = "no-cache"
REFUSED = {"PreconditionFailed", "ConditionalRequestConflict"}
HINTS = {
    "NoSuchBucket": "create the bucket first",
    "AccessDenied": "the key needs s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID, or the profile that AWS_PROFILE names",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "NotImplemented": "this store has no conditional writes; use another one, or rsync",
}


class Condition(TypedDict, total=False):
    """What must hold for a write, as PutObject names it."""

    IfMatch: str
    IfNoneMatch: str


class S3Storage:
    """Objects below a prefix of one bucket. endpoint_url: None for Amazon's own."""

    def __init__(self, bucket: str, prefix: str, endpoint_url: str | None, progress: Progress) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._progress = progress
        # Other stores know no checksums in trailers, which are the default.
        config = Config(request_checksum_calculation="when_required", max_pool_connections=AT_ONCE)
        with self._explained():
            self._client: S3Client = boto3.client("s3", endpoint_url=endpoint_url, config=config)

    def listing(self) -> Mapping[str, int]:
        """Sizes by name."""
        with self._explained():
            pages = self._client.get_paginator("list_objects_v2")
            return {
                entry["Key"].removeprefix(self._prefix): entry["Size"]
                for folder in ("pool/", "dists/")
                for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + folder)
                for entry in page.get("Contents", ())
            }

    def read(self, names: Sequence[str]) -> Mapping[str, Held]:
        """Files that listing() has named."""
        return dict(zip(names, self._each(self._read, names), strict=True))

    def _read(self, name: str) -> Held:
        with self._explained():
            got = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
            now = parsedate_to_datetime(got["ResponseMetadata"]["HTTPHeaders"]["date"])
            changed = got["LastModified"]
            age = (now - changed).total_seconds()
            return Held(got["Body"].read(), changed.timestamp(), age, got["ETag"])

    def send(self, files: Sequence[RemoteFile]) -> None:
        """An object is whole or absent, and those of the pool are never replaced."""
        for _ in self._each(self._send, files):
            self._progress.check()

    def _send(self, file: RemoteFile) -> None:
        if not file.name.startswith("pool/"):
            # As bytes: for an open file each request waits for the server's leave to go on.
            self._put(file, file.path.read_bytes(), {})
            return
        with file.path.open("rb") as body:
            new = self._put(file, body, {"IfNoneMatch": "*"})
        if not new and (got := self._sha256(file.name)) != file.sha256:
            raise OtherBytes(
                f"{self._bucket} already has {file.name}, with different bytes",
                details=(f"expected  sha256 {file.sha256}", f"found     sha256 {got or 'unknown'}"),
                hint="apt never fetches a version twice; publish it as another revision",
            )

    def switch(self, inrelease: RemoteFile, before: Held | None) -> None:
        """Replace an InRelease if it is still the one that was read."""
        if before and before.age < 1:
            # Last-Modified has whole seconds, and clients ask for what is newer than what they have.
            self._progress.pause(1)
        there: Condition = {"IfMatch": before.tag} if before else {"IfNoneMatch": "*"}
        done = self._put(inrelease, inrelease.path.read_bytes(), there)
        # A repeated request finds what the first one, whose answer was lost, has put there.
        if not done and self._sha256(inrelease.name) != inrelease.sha256:
            raise OtherPublisher(
                f"another publisher has just changed {inrelease.name} in {self._bucket}",
                details=(f"expected  {before.tag if before else 'no such file'}",),
                hint=AGAIN,
            )

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects."""
        for start in range(0, len(names), DELETED_AT_ONCE):
            keys: list[ObjectIdentifierTypeDef] = [
                {"Key": self._prefix + name} for name in names[start : start + DELETED_AT_ONCE]
            ]
            with self._explained():
                done = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True}
                )
            if failed := done.get("Errors", []):
                first = failed[0].get("Code", "")
                raise RemoteFailed(
                    f"{len(failed)} of {len(names)} unreferenced files could not be deleted"
                    f" from s3://{self._bucket}/{self._prefix}",
                    details=tuple(
                        f"{one.get('Key')}: {one.get('Code')} {one.get('Message', '')}".rstrip()
                        for one in failed[:SHOWN_FAILURES]
                    ),
                    hint=HINTS.get(first, AGAIN),
                )

    def _put(self, file: RemoteFile, body: bytes | BinaryIO, condition: Condition) -> bool:
        """Whether the condition held."""
        never_changes = file.name.startswith("pool/") or "/by-hash/" in file.name
        with self._explained():
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._prefix + file.name,
                    Body=body,
                    ChecksumSHA256=base64.b64encode(bytes.fromhex(file.sha256)).decode(),
                    Metadata={SHOWN_SHA256: file.sha256},
                    ContentType=TYPES.get(file.path.suffix, "text/plain; charset=utf-8"),
                    CacheControl=FOR_EVER if never_changes else ASK,
                    **condition,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in REFUSED:
                    return False
                raise
        return True

    def _sha256(self, name: str) -> str:
        """Of an object that we have put there; empty for another's."""
        with self._explained():
            head = self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)
            return head["Metadata"].get(SHOWN_SHA256, "")

    def _each(self, work: Callable[[Given], Got], things: Iterable[Given]) -> Iterator[Got]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                yield from pool.map(work, things)
            except BaseException:
                # Nothing else begins.
                self._progress.outlasts("finishing uploads in progress; a second Ctrl-C stops at once")
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise RemoteFailed(
                f"can't read or write s3://{self._bucket}/{self._prefix}",
                details=(str(error),),
                hint=HINTS.get(code, AGAIN),
            ) from error
