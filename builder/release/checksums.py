"""SHA256SUMS as sha256sum writes it and upstream's scripts/release.sh uploads it."""

import re
from collections.abc import Mapping

from builder.errors import VerificationFailed

_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^\s/]+)")


def parse_checksums(text: str, origin: str) -> dict[str, str]:
    """Digest of each file by its name; empty lines and `#` comments are skipped.

    Raises VerificationFailed for any other line, and for a file that has two digests; origin names
    the list in the message.
    """
    digests: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            raise VerificationFailed(
                f"line {number} of {origin} is not a checksum",
                details=(
                    "expected  64 hexadecimal digits, two spaces, a file name",
                    f"found     {line[:100]}",
                ),
                hint="check whether a proxy answered with its own page",
            )
        digest, name = match.groups()
        if digests.setdefault(name, digest) != digest:
            raise VerificationFailed(
                f"{origin} has two digests for {name}",
                details=(f"line {number}  {digest}", f"before  {digests[name]}"),
                hint="remove the wrong line",
            )
    return digests


def format_checksums(digests: Mapping[str, str]) -> str:
    """SHA256SUMS of these files, sorted by name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
