"""Files that are whole or absent, written under a temporary name, synced, renamed; and folders of work."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
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
        # copytree() continues after a file that it couldn't copy, and reports all of them as text.
        if any(os.strerror(number) in str(error) for number in _FULL):
            raise DiskFull(str(path), doing) from error
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(str(path), doing) from error
        raise


@contextmanager
def replacing(path: Path, doing: str, *, suffix: str = "", mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file to write that takes path's place when the block ends well, and leaves nothing when it doesn't.

    mode: whatever the umask; until the file is complete, no other user can read it. Raises DiskFull, OSError.
    """
    with _whole(path, doing, suffix, mode, Path.replace) as file:
        yield file


@contextmanager
def creating(path: Path, doing: str, *, mode: int) -> Iterator[BinaryIO]:
    """As replacing(), for a path that must not be there yet, such as a key's. Raises also FileExistsError."""
    with _whole(path, doing, "", mode, _link) as file:
        yield file


def _link(temporary: Path, path: Path) -> None:
    # Unlike a rename it replaces nothing.
    path.hardlink_to(temporary)
    temporary.unlink()


@contextmanager
def _whole(
    path: Path, doing: str, suffix: str, mode: int, take_place: Callable[[Path, Path], object]
) -> Iterator[BinaryIO]:
    with disk_full_named(path, doing):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=suffix)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            take_place(temporary, path)
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
        progress.warn(f"could not remove {work}; remove it by hand")
