"""The bill of materials: SPDX 2.3 of what the binaries themselves say they were built from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from builder.package.examine import ExaminedBinaries, ExaminedProgram
from builder.package.go_modules import GoModule

Json = Mapping[str, object]


def software_bill(examined: ExaminedBinaries, url: str) -> str:
    """SPDX 2.3 as JSON: the package, its programs, and the Go modules linked into each.

    url: where the tarball came from. The same binaries give the same text: its date is the release's, its
    name space their digests.
    """
    tarball = examined.binaries.tarball
    version = str(tarball.file.version)
    modules = sorted({module for program in examined.programs for module in _modules(program)}, key=_spdx_id)
    identity = hashlib.sha256("".join(found.program.sha256 for found in examined.programs).encode())
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"etcd-ha-{version}-{tarball.file.architecture}",
        "documentNamespace": f"https://github.com/etcd-io/etcd/releases/tag/v{version}/spdx-{identity.hexdigest()}",
        "creationInfo": {
            "created": datetime.fromtimestamp(examined.binaries.released, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: etcd-deb"],
        },
        "packages": [
            *(_program(found, version, url) for found in examined.programs),
            *(_module(module) for module in modules),
        ],
        "relationships": [
            *(_relation("SPDXRef-DOCUMENT", "DESCRIBES", _program_id(found)) for found in examined.programs),
            *(
                _relation(_program_id(found), "DEPENDS_ON", _spdx_id(module))
                for found in examined.programs
                for module in sorted(_modules(found), key=_spdx_id)
            ),
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _modules(found: ExaminedProgram) -> tuple[GoModule, ...]:
    # As scanners write it: without the "go" of go1.24.11.
    standard_library = GoModule("stdlib", found.build.go_version.removeprefix("go"), "")
    return (standard_library, *found.build.modules)


def _program(found: ExaminedProgram, version: str, url: str) -> Json:
    return {
        "SPDXID": _program_id(found),
        "name": found.program.name,
        "versionInfo": version,
        "supplier": "Organization: The etcd Authors",
        "downloadLocation": url if "://" in url else "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": found.program.sha256}],
        "sourceInfo": f"built by {found.build.go_version} from {found.build.package}",
        "externalRefs": [_purl(f"pkg:golang/{found.build.package}@v{version}")],
    }


def _module(module: GoModule) -> Json:
    name = f"pkg:golang/{module.path.lower()}@{module.version}"
    return {
        "SPDXID": _spdx_id(module),
        "name": module.path,
        "versionInfo": module.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        # go.sum's own hash, which covers a module's whole tree and is no checksum in SPDX's sense.
        **({"comment": f"go.sum {module.sum}"} if module.sum else {}),
        "externalRefs": [_purl(name)],
    }


def _purl(locator: str) -> Json:
    return {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": locator.replace("+", "%2B"),
    }


def _relation(element: str, kind: str, related: str) -> Json:
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": related}


def _program_id(found: ExaminedProgram) -> str:
    return f"SPDXRef-Program-{found.program.name}"


def _spdx_id(module: GoModule) -> str:
    return "SPDXRef-Go-" + re.sub(r"[^A-Za-z0-9.-]+", "-", f"{module.path}-{module.version}")
