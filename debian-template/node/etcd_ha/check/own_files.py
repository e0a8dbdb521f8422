"""The certificates in this machine's own files, which can be judged while no member is up."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from etcd_ha.certificate import Certificate, parse_pem
from etcd_ha.check.expected import ServerFiles
from etcd_ha.errors import EtcdHaError
from etcd_ha.probe import chain_of


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A certificate that the member of this machine presents.

    certificate, authorities: None and empty if they can't be read. complaint: why its chain does not lead to
    the CA. unusable: why etcd can't use the files. unread: why they can't be read here.
    """

    files: ServerFiles
    certificate: Certificate | None = None
    authorities: tuple[Certificate, ...] = ()
    complaint: str = ""
    unusable: str = ""
    unread: str = ""


def look_into(files: ServerFiles) -> OwnFile:
    """Read the files of a section."""
    try:
        certificates = _certificates(files.certificate)
        authorities = _certificates(files.authority) if files.authority else ()
        if not certificates:
            return OwnFile(files, unusable=f"{files.certificate} has no certificate")
        with Path(files.key).open("rb"):
            complaint = chain_of(files.certificate, files.key, files.authority)
        return OwnFile(files, certificates[0], authorities, complaint if files.is_chained else "")
    except PermissionError as error:
        return OwnFile(files, unread=f"{error.filename}: {error.strerror}")
    except ssl.SSLError as error:
        return OwnFile(files, unread=f"{files.certificate}: {error.reason}")
    except OSError as error:
        return OwnFile(files, unusable=f"{error.filename}: {error.strerror}")
    except ValueError as error:
        return OwnFile(files, unusable=f"{files.certificate}: {error}")
    except EtcdHaError as error:
        return OwnFile(files, unusable=": ".join([error.summary, *error.details[1:]]))


def _certificates(file: str) -> tuple[Certificate, ...]:
    return parse_pem(Path(file).read_text(encoding="utf-8"))
