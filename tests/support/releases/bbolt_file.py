"""bbolt databases made byte by byte, in the layout of go.etcd.io/bbolt's internal/common."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PAGE_SIZE = 4096
MAGIC, VERSION = 0xED0CDAED, 2
BRANCH, LEAF, META = 1, 2, 4
IS_BUCKET = 1

Bucket = Mapping[str, str]


def fnv_1a(content: bytes) -> int:
    """The 64-bit hash that guards a meta page."""
    digest = 0xCBF29CE484222325
    for byte in content:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return digest


def _page(number: int, kind: int, count: int, body: bytes) -> bytes:
    return (struct.pack("<QHHI", number, kind, count, 0) + body).ljust(PAGE_SIZE, b"\0")


def _elements(pairs: Sequence[tuple[bytes, bytes, int]]) -> bytes:
    heads, texts = b"", b""
    for index, (key, value, flags) in enumerate(pairs):
        offset = 16 * (len(pairs) - index) + len(texts)
        heads += struct.pack("<IIII", flags, offset, len(key), len(value))
        texts += key + value
    return heads + texts


def leaf_of_buckets(number: int, buckets: Mapping[str, Bucket]) -> bytes:
    """A page whose entries are buckets so small that each lies inside its entry."""
    entries = []
    for name, pairs in sorted(buckets.items()):
        inside = [(key.encode(), value.encode(), 0) for key, value in sorted(pairs.items())]
        header = struct.pack("<QQ", 0, 0) + struct.pack("<QHHI", 0, LEAF, len(inside), 0)
        entries.append((name.encode(), header + _elements(inside), IS_BUCKET))
    return _page(number, LEAF, len(entries), _elements(entries))


@dataclass(frozen=True)
class Meta:
    """A meta page: the transaction, and the page of its root."""

    transaction: int
    root: int

    def page(self, *, torn: bool = False) -> bytes:
        """Its bytes; bbolt writes the pages 0 and 1 in turn. A torn one does not match its checksum."""
        head = struct.pack("<IIII", MAGIC, VERSION, PAGE_SIZE, 0)
        rest = struct.pack("<QQQQ", 0, 2, 16, self.transaction)
        digest = fnv_1a(head + struct.pack("<Q", self.root) + rest)
        root = self.root + 1 if torn else self.root
        body = head + struct.pack("<Q", root) + rest + struct.pack("<Q", digest)
        return _page(self.transaction % 2, META, 0, body)


def database(metas: Sequence[bytes], *pages: bytes) -> bytes:
    """Meta pages (the one of an even transaction first), the freelist's page, and the pages from 3 on."""
    return b"".join((*metas, _page(2, 16, 0, b""), *pages))
