"""Files that are whole or absent, written under a temporary name, synced, renamed; and folders of work."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from builder.errors import DiskFull
from builder.system.progress import Progress

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_full_named(path: Path, doing: str) -> Iterator[None]:
    """Turn "no space left on device" into DiskFull, which names the file and the remedy."""
    try:
        yield
    except shutil.Error as error:
        # copytree() goes on after a file that it couldn't copy, and tells of all of them as text.
        if any(os.strerror(number) in str(error) for number in _FULL):
            raise DiskFull(str(path), doing) from error
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(str(path), doing) from error
        raise


@contextmanager
def replacing(path: Path, doing: str, *, suffix: str = "") -> Iterator[BinaryIO]:
    """A file to write that takes path's place when the block ends well, and leaves nothing when it doesn't.

    Mode 0644 whatever the umask. Raises DiskFull and OSError.
    """
    with disk_full_named(path, doing):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=suffix)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def work_folder(progress: Progress) -> Iterator[Path]:
    """A folder below TMPDIR that is gone afterwards, however the build ends.

    What can't be removed (too few open files, say) is said, and takes back nothing that was delivered.
    """
    with tempfile.TemporaryDirectory(prefix="etcd-deb-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        yield work
    if work.exists():
        progress.warn(f"{work} could not be removed; remove it")
