"""Requests to the outside: https, tries and back-off, resumed downloads, and errors that name their cause."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError

from builder.errors import DownloadFailed, NoSuchRelease
from builder.release.origin import without_login
from builder.system.files import disk_full_named
from builder.system.progress import Progress

TRIES = 4
FIRST_PAUSE = 0.5
CONNECT_TIMEOUT = 10
CHUNK = 256 * 1024

_Result = TypeVar("_Result")


class _Retry(Exception):
    """Another try may help; carries what to raise when none is left."""

    def __init__(self, failure: DownloadFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


class _NoPlainHttp(BaseAdapter):
    """Stands in for http:// where only https is allowed, so that a redirect there is refused."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        raise DownloadFailed(
            f"refused to follow a redirect to plain http: {request.url}",
            details=("expected  an https URL, since anyone in between could change the file",),
            hint="if the mirror only speaks http, name it with --source http://…",
        )

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and what its Link header says (RFC 8288). linked: whether there is that header."""

    body: bytes
    next: str | None
    linked: bool


class Client:
    """An HTTP client for one origin. timeout: seconds without a byte."""

    def __init__(self, *, timeout: int, progress: Progress, plain_http: bool = False) -> None:
        self._timeout = (CONNECT_TIMEOUT, timeout)
        self._progress = progress
        self._session = requests.Session()
        if not plain_http:
            self._session.mount("http://", _NoPlainHttp())

    def read(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
        """The body of a small answer, of at most limit bytes.

        Raises NoSuchRelease for 404, DownloadFailed for everything else.
        """
        return self.read_page(url, limit=limit, headers=headers).body

    def read_page(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Page:
        """The same, with the address of the page that follows."""

        def attempt() -> Page:
            with self._get(url, headers or {}) as response:
                body = bytearray()
                for chunk in self._chunks(response, url):
                    body += chunk
                    _refuse_too_large(url, len(body), limit)
                following = response.links.get("next", {}).get("url")
                return Page(
                    bytes(body), following and urljoin(response.url, following), "Link" in response.headers
                )

        return self._tried(attempt)

    def download(self, url: str, file: BinaryIO, path: Path, *, limit: int) -> None:
        """Fill an empty file from url, resuming an interrupted attempt (RFC 9110 section 14).

        Raises NoSuchRelease for 404, DiskFull, and DownloadFailed for everything else.
        """
        name = url.rpartition("/")[2]

        def attempt() -> None:
            done = file.tell()
            # Compressed transfer would make the byte counts of Range and of the file differ.
            headers = {"Accept-Encoding": "identity"}
            if done:
                headers["Range"] = f"bytes={done}-"
            with self._get(url, headers) as response:
                if done and response.status_code != requests.codes.partial_content:
                    file.seek(0)
                    file.truncate()
                    done = 0
                length = _number(response.headers.get("Content-Length", ""))
                total = None if length is None else done + length
                _refuse_too_large(url, total or 0, limit)
                for chunk in self._chunks(response, url):
                    with disk_full_named(path, f"fetching {name}"):
                        file.write(chunk)
                    done += len(chunk)
                    _refuse_too_large(url, done, limit)
                    self._progress.transferred(name, done, total)
                with disk_full_named(path, f"fetching {name}"):
                    file.flush()
                if total is not None and done < total:
                    raise _Retry(_broke_off(url, f"{done} of {total} bytes arrived"))

        self._tried(attempt)

    def _tried(self, attempt: Callable[[], _Result]) -> _Result:
        pause = FIRST_PAUSE
        for left in range(TRIES - 1, -1, -1):
            self._progress.check()
            try:
                return attempt()
            except _Retry as retry:
                if not left:
                    raise retry.failure from retry.__cause__
                self._progress.step(f"{retry.failure.summary}; trying again in {pause:g} s")
                self._progress.pause(pause)
                pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def _get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        try:
            response = self._session.get(url, headers=dict(headers), stream=True, timeout=self._timeout)
        except requests.exceptions.SSLError as error:
            # A connection that ends during the handshake is an SSLError too.
            if "CERTIFICATE" not in str(error).upper():
                raise _Retry(_not_connected(url, error)) from error
            raise DownloadFailed(
                f"the certificate of {_host(url)} is not trusted",
                details=(f"fetching  {without_login(url)}", str(error)),
                hint="for a mirror with a CA of its own: REQUESTS_CA_BUNDLE=/path/to/ca.pem",
            ) from error
        except requests.exceptions.Timeout as error:
            raise _Retry(
                DownloadFailed(
                    f"timeout: {_host(url)} did not answer",
                    details=(f"fetching  {without_login(url)}", f"waited    {self._timeout[1]} s"),
                    hint="check the network and the proxy (https_proxy), or name a mirror with --source",
                )
            ) from error
        except requests.exceptions.ConnectionError as error:
            raise _Retry(_not_connected(url, error)) from error
        except requests.exceptions.RequestException as error:
            raise DownloadFailed(
                f"can't fetch {without_login(url)}",
                details=(str(error),),
                hint="check --source, the settings witness and api, and the proxy (https_proxy)",
            ) from error
        except (ValueError, HTTPError) as error:
            # An address that urllib3 or a codec refuses: of a redirect, or of a proxy.
            raise DownloadFailed(
                f"can't fetch {without_login(url)}",
                details=(str(error),),
                hint="check the proxy (https_proxy), and the server's redirects",
            ) from error
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise
            # What requests raises for a list of CAs that isn't there.
            raise DownloadFailed(
                f"can't check the certificate of {_host(url)}",
                details=(str(error),),
                hint="REQUESTS_CA_BUNDLE does not name a file of certificates; correct it, or unset it",
            ) from error
        if response.status_code >= requests.codes.bad_request:
            with response:
                raise _refusal(url, response)
        return response

    def _chunks(self, response: requests.Response, url: str) -> _Chunks:
        return _Chunks(response, url, self._progress)


class _Chunks:
    """The body's chunks; an interrupted connection asks for another attempt."""

    def __init__(self, response: requests.Response, url: str, progress: Progress) -> None:
        self._chunks = response.iter_content(CHUNK)
        self._url = url
        self._progress = progress

    def __iter__(self) -> _Chunks:
        return self

    def __next__(self) -> bytes:
        self._progress.check()
        try:
            return bytes(next(self._chunks))
        except requests.exceptions.RequestException as error:
            cause = "time-out" if "timed out" in str(error) else str(error)
            raise _Retry(_broke_off(self._url, cause)) from error


def _not_connected(url: str, error: Exception) -> DownloadFailed:
    return DownloadFailed(
        f"failed to connect to {_host(url)}",
        details=(f"fetching  {without_login(url)}", str(error)),
        hint="check the network and the proxy (https_proxy), or name a mirror with --source",
    )


def _broke_off(url: str, cause: str) -> DownloadFailed:
    return DownloadFailed(
        f"the connection to {_host(url)} was interrupted",
        details=(f"fetching  {without_login(url)}", cause),
        hint="run the command again; if it fails again, name a mirror with --source",
    )


def _refusal(url: str, response: requests.Response) -> Exception:
    status = response.status_code
    if status == requests.codes.not_found:
        return NoSuchRelease(
            f"{_host(url)} has no {url.rpartition('/')[2] or 'index page'}",
            details=(f"fetching  {without_login(url)}", "found     404 Not Found"),
            hint="etcd-deb versions lists the releases",
        )
    if response.headers.get("X-RateLimit-Remaining") == "0":
        return _rate_limit(url, response)
    failure = DownloadFailed(
        f"{_host(url)} refused with {status} {response.reason}",
        details=(f"fetching  {without_login(url)}",),
        hint="check GITHUB_TOKEN, or unset it: the releases are public"
        if status == requests.codes.unauthorized
        else "try again later, or name a mirror with --source",
    )
    return _Retry(failure) if status >= requests.codes.server_error else failure


def _rate_limit(url: str, response: requests.Response) -> DownloadFailed:
    reset = _number(response.headers.get("X-RateLimit-Reset", ""))
    until = "later" if reset is None else datetime.fromtimestamp(reset, UTC).strftime("%H:%M UTC")
    token = "Authorization" in response.request.headers
    return DownloadFailed(
        f"the API rate limit of {_host(url)} is used up",
        details=(f"fetching  {without_login(url)}", f"available again at {until}"),
        hint="wait until then"
        if token
        else "set GITHUB_TOKEN (no rights needed), or name a full version that is pinned, such as v3.6.7",
    )


def _refuse_too_large(url: str, size: int, limit: int) -> None:
    if size > limit:
        raise DownloadFailed(
            f"{url.rpartition('/')[2]} is too large",
            details=(
                f"fetching  {without_login(url)}",
                f"expected  at most {limit} bytes",
                f"found     {size} or more",
            ),
            hint="this is not an etcd release; check --source",
        )


def _number(text: str) -> int | None:
    """A header's number, None where it is none or more than any size or time there is."""
    return int(text) if re.fullmatch("[0-9]{1,11}", text) else None


def _host(url: str) -> str:
    return urlsplit(without_login(url)).netloc
