"""GitHub's REST API: the list of releases, the digest of each uploaded file, and the security advisories."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from builder.advisories import FIELDS, advisory_url, kept_file, known_faults, parse
from builder.errors import DownloadFailed, NoSuchRelease, UsageError
from builder.release.origin import RemoteOrigin, parse_source, without_login
from builder.system.files import replacing
from builder.system.progress import Progress
from builder.version import UpstreamVersion, parse_version

if TYPE_CHECKING:
    from builder.release.http import Page

PAGE_LIMIT = 16 * 1024 * 1024
PER_PAGE = 100
# Beyond GitHub's hundred a page: a server may give two.
MOST_PAGES = 500


@dataclass(frozen=True, slots=True)
class Release:
    """A release and its publication date, if the source has it."""

    version: UpstreamVersion
    day: date | None


@dataclass(frozen=True, slots=True)
class GitHub:
    """The API of etcd's repository. The token in GITHUB_TOKEN goes here and nowhere else."""

    api: RemoteOrigin
    timeout: int

    def releases(self, progress: Progress) -> tuple[Release, ...]:
        """Every published release, in GitHub's order.

        Raises DownloadFailed, with a message of its own for the rate limit; also where pages are missing.
        """
        first = f"{self.api.base}/releases?per_page={PER_PAGE}&page=1"
        return tuple(_releases(self._list(first, "a list of releases", progress, numbered=True)))

    def advisories(self, progress: Progress) -> tuple[object, ...]:
        """Every published security advisory, as the API has them.

        Raises DownloadFailed, also where pages are missing, and NoSuchRelease where the API has no such list.
        """
        first = f"{self.api.base}/security-advisories?state=published&per_page={PER_PAGE}"
        return tuple(self._list(first, "a list of advisories", progress, numbered=False))

    def _list(self, first: str, expected: str, progress: Progress, *, numbered: bool) -> list[object]:
        """All entries of all pages. numbered: pages have numbers, and not only a Link to the next one."""
        found: list[object] = []
        seen: set[str] = set()
        url: str | None = first
        while url:
            if url in seen or len(seen) == MOST_PAGES:
                raise self._unexpected(f"{expected} that ends within {MOST_PAGES} pages")
            seen.add(url)
            page, answer = self._get(url, progress)
            if not isinstance(answer, list):
                raise self._unexpected(expected)
            found.extend(answer)
            url = page.next
            # A proxy may have taken the header away: then only a page that is not full is the last one.
            if not page.linked and len(answer) >= PER_PAGE:
                if not numbered:
                    raise self._unexpected(f"{expected} with a Link to its next page")
                url = f"{self.api.base}/releases?per_page={PER_PAGE}&page={len(seen) + 1}"
            if url and not self._is_here(url):
                # The token would go there, and plain http with it.
                raise self._unexpected(f"a next page at {self.api}, not at {without_login(url)}")
        return found

    def _is_here(self, url: str) -> bool:
        try:
            other = parse_source(url)
        except UsageError:
            return False
        same_scheme = urlsplit(url).scheme == urlsplit(self.api.base).scheme
        return same_scheme and isinstance(other, RemoteOrigin) and other.server == self.api.server

    def digests(self, version: UpstreamVersion, progress: Progress) -> dict[str, str]:
        """SHA-256 of each file of a release, as GitHub computed it at the upload."""
        _, release = self._get(f"{self.api.base}/releases/tags/{version.tag}", progress)
        assets = release.get("assets") if isinstance(release, dict) else None
        if not isinstance(assets, list):
            raise self._unexpected("a release with assets")
        digests = {
            str(asset.get("name")): str(asset["digest"]).removeprefix("sha256:")
            for asset in assets
            if isinstance(asset, dict) and str(asset.get("digest") or "").startswith("sha256:")
        }
        if not digests:
            raise self._unexpected("digests of the assets")
        return digests

    def _get(self, url: str, progress: Progress) -> tuple[Page, object]:
        headers = {"Accept": "application/vnd.github+json"}
        if token := os.environ.get("GITHUB_TOKEN", "").strip():
            if not re.fullmatch("[!-~]+", token):
                # requests would refuse the header too, and show it.
                raise UsageError(
                    "GITHUB_TOKEN is not a GitHub token",
                    details=("expected  one word of ASCII characters",),
                    hint="correct it, or unset it: the releases are public",
                )
            headers["Authorization"] = f"Bearer {token}"
        # Loaded here, since a build from a folder or from the cache needs no requests.
        from builder.release.http import Client

        client = Client(timeout=self.timeout, progress=progress)
        page = client.read_page(url, limit=PAGE_LIMIT, headers=headers)
        try:
            answer: object = json.loads(page.body)
        except (ValueError, RecursionError) as error:
            raise self._unexpected("JSON") from error
        return page, answer

    def _unexpected(self, expected: str) -> DownloadFailed:
        return DownloadFailed(
            f"the API of {self.api} gave an unexpected answer",
            details=(f"expected  {expected}",),
            hint="check the setting api, and the proxy",
        )


def _releases(page: list[object]) -> Iterator[Release]:
    for entry in page:
        if not isinstance(entry, dict) or entry.get("draft"):
            continue
        try:
            version = parse_version(str(entry.get("tag_name")))
        except UsageError:
            continue
        if isinstance(version, UpstreamVersion):
            yield Release(version, _day(str(entry.get("published_at"))))


def _day(published: str) -> date | None:
    # A draft has no date, and one that can't be read is no reason to know of no release.
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(published).date()
    return None


def keep_advisories(github: GitHub, progress: Progress) -> None:
    """Ask GitHub, and keep the answer. If GitHub can't be reached, warn and keep the earlier answer.

    Raises DiskFull, OSError, EtcdDebError for a home that is missing.
    """
    file = kept_file()
    try:
        progress.step(f"asking {github.api} for advisories")
        answer = github.advisories(progress)
        read = parse(answer)
    except (DownloadFailed, NoSuchRelease) as error:
        progress.step(f"{error.summary}; using the known faults as of {known_faults(progress).as_of}")
        return
    for name in read.unread:
        progress.step(f"{name} lists its versions in an unknown format: {advisory_url(name)}")
    trimmed = [{key: entry.get(key) for key in FIELDS} for entry in answer if isinstance(entry, dict)]
    content = {"read": datetime.now(UTC).date().isoformat(), "advisories": trimmed}
    with replacing(file, "keeping the advisories") as out:
        out.write(json.dumps(content, indent=1).encode())
