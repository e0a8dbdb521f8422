"""DER (ITU-T X.690), as much as a certificate needs, read strictly: anything else is an error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

BIT_STRING, OCTET_STRING, OBJECT_ID = 0x03, 0x04, 0x06
UTF8, NUMERIC, PRINTABLE, TELETEX, IA5, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18
UNIVERSAL, BMP, SEQUENCE, SET = 0x1C, 0x1E, 0x30, 0x31
_ENCODINGS = {
    **{UTF8: "utf-8", NUMERIC: "ascii", PRINTABLE: "ascii", IA5: "ascii", TELETEX: "latin-1"},
    **{BMP: "utf-16-be", UNIVERSAL: "utf-32-be"},
}


class NotDer(ValueError):
    """The bytes are not DER, or not of the expected form."""


@dataclass(frozen=True, slots=True)
class Element:
    """A tag, its content, and the complete bytes of the element."""

    tag: int
    content: bytes
    whole: bytes


def elements(data: bytes) -> list[Element]:
    """All elements, one after the other. Raises NotDer if anything else follows the last."""
    found = []
    while data:
        element = _first(data)
        found.append(element)
        data = data[len(element.whole) :]
    return found


def only(data: bytes, tag: int) -> bytes:
    """The content of the only element, which must have the tag. Raises NotDer."""
    found = elements(data)
    if len(found) != 1:
        raise NotDer(f"{len(found)} elements where one is expected")
    return content(found[0], tag)


def content(element: Element, tag: int) -> bytes:
    """The content of an element that must have the tag. Raises NotDer."""
    if element.tag != tag:
        raise NotDer(f"tag {element.tag:#04x} where {tag:#04x} is expected")
    return element.content


def object_id(data: bytes) -> str:
    """The content of an object identifier in dots, such as 2.5.29.17. Raises NotDer."""
    numbers, number, begun = list[int](), 0, False
    for byte in data:
        if byte == 0x80 and not begun:
            raise NotDer("an object identifier with a number that begins with zeros")
        number, begun = number << 7 | byte & 0x7F, bool(byte & 0x80)
        if not begun:
            numbers.append(number)
            number = 0
    if begun or not numbers:
        raise NotDer("an object identifier that ends too early")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def time(element: Element) -> datetime:
    """A time in the form of certificates (RFC 5280, 4.1.2.5): to the second, in UTC. Raises NotDer."""
    forms = {UTC_TIME: ("%y%m%d%H%M%SZ", 13), GENERALIZED_TIME: ("%Y%m%d%H%M%SZ", 15)}
    form, length = forms.get(element.tag, ("", 0))
    whole = element.content
    if len(whole) != length or not whole[:-1].isdigit() or whole[-1:] != b"Z":
        raise NotDer("a time in a form that RFC 5280 does not allow")
    text = whole.decode("ascii")
    if element.tag == UTC_TIME:
        # Its years are 1950 to 2049.
        text, form = f"{'19' if text[:2] >= '50' else '20'}{text}", "%Y%m%d%H%M%SZ"
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError as error:
        raise NotDer(f"an invalid time: {text}") from error


def text(element: Element) -> str:
    """A string of any kind that names can have. Raises NotDer."""
    if element.tag not in _ENCODINGS:
        raise NotDer(f"tag {element.tag:#04x} where a string is expected")
    try:
        return element.content.decode(_ENCODINGS[element.tag])
    except UnicodeDecodeError as error:
        raise NotDer("a string with bytes that its kind does not allow") from error


def _first(data: bytes) -> Element:
    if len(data) < 2:
        raise NotDer("it ends within an element")
    tag, length, start = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise NotDer("a tag of several bytes")
    if length & 0x80:
        start += length & 0x7F
        if not 2 < start <= 6:
            raise NotDer("a length of none or more than four bytes")
        length = int.from_bytes(data[2:start], "big")
        if length < 0x80 or data[2] == 0:
            raise NotDer("a length in more bytes than it needs")
    if len(data) < start + length:
        raise NotDer("it ends within an element")
    return Element(tag, data[start : start + length], data[: start + length])
