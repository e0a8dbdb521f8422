"""The last step: packages appear in the output folder, all of them or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from builder.package.pack import Upload
from builder.system.files import disk_full_named
from builder.system.lock import locked
from builder.system.progress import Progress
from builder.version import host_architecture

_STAGING, _LOCK = ".etcd-deb-", ".etcd-deb.lock"


def deliver(uploads: Sequence[Upload], output: Path, progress: Progress) -> tuple[Upload, ...]:
    """The same uploads in the output folder, one delivery at a time.

    The package for this machine's architecture also gets the link etcd-ha_VERSION.deb, for `apt install`.
    Raises DiskFull, OSError, StillLocked; however it ends, the folder then holds what it held before. Only
    a kill that no program can answer (SIGKILL, the power) leaves less: packages without the .changes that
    would name them, which dput and `etcd-deb publish` need.
    """
    with disk_full_named(output, "writing the packages"):
        output.mkdir(parents=True, exist_ok=True)
        with locked(output / _LOCK, f"another build that is writing to {output}", progress):
            try:
                for left_by_a_killed_one in output.glob(f"{_STAGING}*"):
                    shutil.rmtree(left_by_a_killed_one)
                staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=output))
                try:
                    _swap(_staged(uploads, staging), output, staging / "before")
                finally:
                    # The packages are there or not; what this leaves changes nothing of that.
                    shutil.rmtree(staging, ignore_errors=True)
                    if staging.exists():
                        progress.warn(f"could not remove {staging}; the next build removes it")
            finally:
                (output / _LOCK).unlink()
    return tuple(upload.moved(output) for upload in uploads)


def _staged(uploads: Sequence[Upload], staging: Path) -> list[Path]:
    """Every file that is to appear, .changes last: they name the others."""
    copies = [_copied(path, staging) for upload in uploads for path in upload.files]
    links = [_linked(upload, staging) for upload in uploads if upload.architecture == host_architecture()]
    return sorted([*copies, *links], key=lambda path: path.suffix == ".changes")


def _swap(staged: Sequence[Path], output: Path, before: Path) -> None:
    before.mkdir()
    try:
        # A .changes of before, which comes first, names bytes that are about to go.
        for path in reversed(staged):
            target = output / path.name
            if target.is_symlink() or target.is_file():
                target.replace(before / path.name)
        for path in staged:
            path.replace(output / path.name)
    except BaseException:
        for path in staged:
            if os.path.lexists(before / path.name):
                (before / path.name).replace(output / path.name)
            elif not os.path.lexists(path):
                (output / path.name).unlink(missing_ok=True)
        raise


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
