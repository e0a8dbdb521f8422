"""The last step: packages appear in the output folder, all of them or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from builder.pack import Upload
from builder.replace import disk_full_named
from builder.version import host_architecture


def deliver(uploads: Sequence[Upload], output: Path) -> tuple[Upload, ...]:
    """The same uploads in the output folder.

    The package for this machine's architecture also gets the link etcd-ha_VERSION.deb, for `apt install`.
    Raises DiskFull; the folder then holds what it held before.
    """
    with disk_full_named(output, "writing the packages"):
        output.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".etcd-deb-", dir=output))
        try:
            staged = [_copied(path, staging) for upload in uploads for path in upload.files]
            staged += [
                _linked(upload, staging) for upload in uploads if upload.architecture == host_architecture()
            ]
            for path in staged:
                path.replace(output / path.name)
        finally:
            shutil.rmtree(staging)
    return tuple(upload.moved(output) for upload in uploads)


def _copied(path: Path, folder: Path) -> Path:
    copy = folder / path.name
    with path.open("rb") as source, copy.open("xb") as out:
        shutil.copyfileobj(source, out, 1024 * 1024)
        out.flush()
        os.fsync(out.fileno())
    return copy


def _linked(upload: Upload, folder: Path) -> Path:
    link = folder / f"etcd-ha_{upload.version.upstream.debian}.deb"
    link.symlink_to(upload.deb.name)
    return link
