"""What --to names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from builder.errors import EtcdDebError, UsageError
from builder.repository.remote.rsync import RsyncStorage
from builder.repository.remote.storage import Storage
from builder.repository.state.layout import Repository
from builder.system.progress import Progress

# As rsync(1) distinguishes a remote shell or daemon from a path: a colon before any slash.
_ELSEWHERE = re.compile(r"[^/:]+:")


@dataclass(frozen=True, slots=True)
class Bucket:
    """s3://NAME/PREFIX. endpoint_url: None for Amazon's."""

    name: str
    prefix: str
    endpoint_url: str | None

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True)
class RsyncTarget:
    """What rsync(1) takes as a destination."""

    destination: str

    def __str__(self) -> str:
        return self.destination


Target = Bucket | RsyncTarget


def parse_target(text: str, endpoint_url: str | None, root: Path) -> Target:
    """DIR, rsync://HOST/MODULE/PATH, HOST:PATH or s3://BUCKET/PREFIX. root: of the repository.

    Raises UsageError.
    """
    scheme, separator, _ = text.partition("://")
    if separator and scheme not in ("s3", "rsync"):
        raise UsageError(
            f"can't publish to {text}",
            details=("expected  DIR, rsync://HOST/MODULE/PATH, HOST:PATH or s3://BUCKET/PREFIX",),
        )
    if scheme == "s3" and separator:
        parts = urlsplit(text)
        if not parts.netloc:
            raise UsageError(f"{text} does not name a bucket", details=("expected  s3://BUCKET/PREFIX",))
        return Bucket(parts.netloc, parts.path.strip("/"), endpoint_url)
    if endpoint_url:
        raise UsageError(
            "--endpoint-url needs a bucket",
            details=(f"found     --to {text}", "expected  --to s3://BUCKET/PREFIX"),
        )
    if separator or _ELSEWHERE.match(text):
        return RsyncTarget(text.rstrip("/"))
    folder = Path(text).resolve()
    if folder != root and (folder.is_relative_to(root) or root.is_relative_to(folder)):
        raise UsageError(
            f"one of {folder} and the repository {root} contains the other",
            details=("expected  a separate folder", f"found     --to {text}"),
        )
    if (folder / ".etcd-deb").exists():
        raise UsageError(
            f"{folder} is itself a repository",
            hint=f"publish directly to it: --repo {folder}",
        )
    return RsyncTarget(str(folder))


def open_target(target: Target, repository: Repository, lock: int, progress: Progress) -> Storage:
    """A target, made where it is a folder here. lock: see locked().

    Raises RemoteFailed, OSError, EtcdDebError where a program or library is missing.
    """
    match target:
        case RsyncTarget():
            if target.destination.startswith("/"):
                # rsync makes the last folder of a path alone.
                Path(target.destination).mkdir(parents=True, exist_ok=True)
            return RsyncStorage(target.destination, repository.root, lock, progress)
        case Bucket():
            try:
                # It takes a third of a second, and few people need it.
                from builder.repository.remote.s3 import S3Storage
            except ImportError as error:
                raise EtcdDebError(
                    "boto3 is not installed",
                    details=(str(error),),
                    hint="install etcd-deb with its extra s3: pip install '.[s3]'",
                ) from error
            return S3Storage(target.name, target.prefix, target.endpoint_url, progress)
