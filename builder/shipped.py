"""Where conf/ and debian-template/ are: next to the package in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent

CONF = _ROOT / "conf"
DEBIAN_TEMPLATE = _ROOT / "debian-template"
