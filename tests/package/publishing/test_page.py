"""index.html in headless Chromium, as a person meets it: wide or narrow, light or dark, no JavaScript."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.lab.apt_client import AptClient
from tests.lab.browser import (
    Screen,
    accessibility_problems,
    brightness,
    chromium,
    copied,
    opened,
    out_of_sight,
    overflow,
)
from tests.lab.command import run
from tests.lab.publisher import Publisher, served
from tests.package.conftest import digest
from tests.package.uploads import Upload

# Sums of red, green and blue.
BLACK, WHITE, NEAR = 0, 3 * 255, 150
WIDE, NARROW = 1280, 390
SCREENS = [Screen(width, scheme) for width in (WIDE, NARROW) for scheme in ("light", "dark")]
DESKTOP = SCREENS[0]
SUITES = ("trixie", "testing")
SCRIPT = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Site:
    """A repository, and where a web server shows it."""

    publisher: Publisher
    url: str
    upload: Upload


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as browser:
        yield browser


def provenance(*, release: str = "https://example.org", vouchers: str = "nobody") -> str:
    """The end of a control file: a description, and fields as a package could bring them."""
    fields = {"Release": release, "Tarball": "etcd.tar.gz", "Sha256": "0", "Vouchers": vouchers}
    return "Nothing." + "".join(f"\nUpstream-{name}: {value}" for name, value in fields.items())


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, gnupg_home: Path, upload: Callable[..., Upload]
) -> Iterator[Site]:
    """A real package, some that tell no provenance, and a suite with nothing in it."""
    publisher = Publisher(tmp_path_factory.mktemp("site"), gnupg_home)
    assert publisher.init(suites=SUITES).status == 0
    with served(publisher) as url:
        assert publisher.init("--url", url, suites=SUITES).status == 0
        built = upload("3.5.35")
        others = [publisher.deb("3.6.7-1", architecture=name) for name in ("amd64", "arm64")]
        hostile = [
            publisher.deb("3.7.0~rc.0-1", note=provenance(release="javascript:alert(1)")),
            publisher.deb("3.7.0~rc.1-1", note=provenance(vouchers=SCRIPT)),
        ]
        assert publisher.publish(built.changes, *others, *hostile).status == 0
        yield Site(publisher, url, built)


@pytest.fixture(params=SCREENS, ids=str)
def screen(request: pytest.FixtureRequest) -> Screen:
    chosen: Screen = request.param
    return chosen


@pytest.fixture
def page(browser: Browser, site: Site, screen: Screen, tmp_path: Path) -> Iterator[Page]:
    """The page on each screen; a picture of it is in the folder that pytest keeps of the test."""
    with opened(browser, site.url, screen) as page:
        page.screenshot(path=tmp_path / f"page-{screen}.png", full_page=True)
        yield page


def test_page_fits_the_screen_and_every_text_is_in_sight(page: Page) -> None:
    assert overflow(page) <= 0
    assert out_of_sight(page) == []


def test_page_is_dark_where_the_person_wants_it_dark(page: Page, screen: Screen) -> None:
    text, background = brightness(page)
    if screen.scheme == "dark":
        assert background < BLACK + NEAR
        assert text > WHITE - NEAR
    else:
        assert background > WHITE - NEAR
        assert text < BLACK + NEAR


def test_axe_finds_nothing_that_keeps_a_person_out(browser: Browser, site: Site, screen: Screen) -> None:
    with opened(browser, site.url, replace(screen, javascript=True)) as page:
        assert accessibility_problems(page) == []


def test_page_tells_each_package_with_what_it_was_made_of(browser: Browser, site: Site) -> None:
    told = json.loads(site.upload.said)[0]["provenance"]
    with opened(browser, site.url, DESKTOP) as page:
        table = page.get_by_role("region", name="Packages of trixie, series 3.5")
        (row,) = table.locator("tbody tr").all()
        cells = row.locator("th, td").all_inner_texts()
        deb = site.upload.deb
        assert cells[0] == "3.5.35-1"
        assert cells[2:5] == ["amd64", f"{deb.stat().st_size / 2**20:.1f} MiB", digest(deb)]
        for part in (told["tarball"], told["sha256"], *told["vouchers"]):
            assert part in cells[5]
        release = row.get_by_role("link", name=told["tarball"])
        assert release.get_attribute("href") == "https://github.com/etcd-io/etcd/releases/tag/v3.5.35"
        with page.expect_download() as download:
            row.get_by_role("link", name="3.5.35-1").click()
        assert digest(download.value.path()) == digest(deb)


def test_package_that_tells_no_provenance_shows_none(browser: Browser, site: Site) -> None:
    with opened(browser, site.url, DESKTOP) as page:
        table = page.get_by_role("region", name="Packages of trixie, series 3.6")
        rows = table.locator("tbody tr").all()
        assert [row.locator("td").all_inner_texts()[-1] for row in rows] == ["", ""]


def test_package_brings_no_script_into_the_page(browser: Browser, site: Site) -> None:
    with opened(browser, site.url, DESKTOP) as page:
        table = page.get_by_role("region", name="Packages of trixie, series 3.7")
        with_markup, with_link = (
            row.locator("td").last.inner_text() for row in table.locator("tbody tr").all()
        )
        assert SCRIPT in with_markup
        assert with_link == ""
        assert page.locator("script, [href^=javascript]").count() == 0


def test_page_tells_the_fingerprint_of_the_key(browser: Browser, site: Site) -> None:
    keyring = site.publisher.repository / "etcd-ha-archive-keyring.gpg"
    shown = run(["gpg", "--with-colons", "--show-keys", keyring]).stdout
    fingerprint = next(line.split(":")[9] for line in shown.splitlines() if line.startswith("fpr:"))
    with opened(browser, site.url, DESKTOP) as page:
        assert fingerprint in page.locator("main").inner_text()


def test_text_copied_from_the_page_makes_apt_fetch_the_newest_release(
    browser: Browser, site: Site, screen: Screen, apt: AptClient
) -> None:
    with opened(browser, site.url, screen) as page:
        text = copied(page, "section:has-text('trixie') pre")
    apt.use("")
    # The client's apt in the place of this machine's; to install it would need a node.
    its_apt = shlex.join(apt.command("apt-get", "-o", "APT::Get::Download-Only=true"))
    script = f'apt() {{ {its_apt} "$@"; }}\n{text}'
    run(["sh", "-e", "-c", script.replace("/etc/apt/sources.list.d", f"{apt.folder}/etc")])
    fetched = sorted(path.name for path in apt.folder.glob("cache/archives/*.deb"))
    assert fetched == ["etcd-ha-archive-keyring_1_all.deb", "etcd-ha_3.6.7-1_amd64.deb"]
