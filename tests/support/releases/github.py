"""Whether etcd's releases on GitHub can be had from here: prints why not, and nothing where they can."""

import sys
import urllib.error
import urllib.request

RELEASES = "https://github.com/etcd-io/etcd/releases/download"
BOUND = 5


def why_not(version: str) -> str | None:
    """The reason why GitHub does not serve a release's SHA256SUMS within the bound."""
    url = f"{RELEASES}/{version}/SHA256SUMS"
    try:
        with urllib.request.urlopen(url, timeout=BOUND) as answer:  # noqa: S310 - https, fixed above
            answer.read(1)
    except urllib.error.HTTPError as error:
        return f"it answers {error.code} for {version}"
    except urllib.error.URLError as error:
        return _in_words(error.reason)
    except OSError as error:
        return _in_words(error)
    return None


def _in_words(reason: object) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__


if __name__ == "__main__":
    sys.stdout.write(why_not(sys.argv[1]) or "")
