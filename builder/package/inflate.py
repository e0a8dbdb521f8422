"""Reading gzip: by isal, in a third of zlib's time, where that is made for the machine; else by zlib."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

DAMAGED: tuple[type[Exception], ...] = (gzip.BadGzipFile, EOFError, zlib.error)

_open: type[gzip.GzipFile] = gzip.GzipFile
try:
    from isal import igzip, isal_zlib
except ImportError:
    # ppc64el and s390x have no isal; the bytes are the same.
    pass
else:
    _open = igzip.IGzipFile
    # isal's own type stubs declare the class as an instance.
    DAMAGED = (*DAMAGED, isal_zlib.error)  # type: ignore[arg-type]


def open_gzip(path: Path) -> gzip.GzipFile:
    """The content of a gzip file, to read; reading raises one of DAMAGED where it is none, or not whole."""
    return _open(path, "rb")
