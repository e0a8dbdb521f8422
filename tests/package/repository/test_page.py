"""index.html in headless Chromium, as a person meets it: wide or narrow, light or dark, no JavaScript."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from debian.deb822 import Deb822
from playwright.sync_api import Browser, Page

from builder.known_faults import shipped_faults
from tests.package.conftest import digest
from tests.support.archives.apt_client import AptClient
from tests.support.archives.browser import (
    Screen,
    accessibility_problems,
    brightness,
    chromium,
    copied,
    opened,
    out_of_sight,
    overflow,
    silent_regions,
    unfold,
)
from tests.support.archives.publisher import Publisher, served
from tests.support.command import run
from tests.support.sample import sampled
from tests.support.upload import Upload

# Sums of red, green and blue.
BLACK, WHITE, NEAR = 0, 3 * 255, 150
WIDE, NARROW = 1280, 390
SCREENS = [Screen(width, scheme) for width in (WIDE, NARROW) for scheme in ("light", "dark")]
DESKTOP = SCREENS[0]
SUITES = ("trixie", "testing")
SCRIPT = "<script>alert(1)</script>"
ORIGIN = "R&D archive"


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
        told = ("--url", url, "--origin", ORIGIN, "--valid-days", "14")
        assert publisher.init(*told, suites=SUITES).status == 0
        built = upload("3.5.35")
        others = [publisher.deb("3.6.7-1", architecture=name) for name in ("amd64", "arm64")]
        hostile = [
            publisher.deb("3.7.0~rc.0-1", note=provenance(release="javascript:alert(1)")),
            publisher.deb("3.7.0~rc.1-1", note=provenance(vouchers=SCRIPT)),
        ]
        assert publisher.publish(built.changes, *others, *hostile).status == 0
        yield Site(publisher, url, built)


@pytest.fixture(params=sampled(SCREENS, DESKTOP, SCREENS[-1]), ids=str)
def screen(request: pytest.FixtureRequest) -> Screen:
    chosen: Screen = request.param
    return chosen


@pytest.fixture
def page(browser: Browser, site: Site, screen: Screen, tmp_path: Path) -> Iterator[Page]:
    """The page on each screen; a picture of it is in the folder that pytest keeps of the test."""
    with opened(browser, site.url, screen) as page:
        unfold(page)
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
        unfold(page)
        assert accessibility_problems(page) == []


@pytest.mark.parametrize("width", [390, 768, 1024, 1280])
def test_a_table_that_has_to_be_scrolled_says_so(browser: Browser, site: Site, width: int) -> None:
    with opened(browser, site.url, Screen(width, "light")) as page:
        assert silent_regions(page) == []


def test_page_tells_each_package_with_what_it_was_made_of(browser: Browser, site: Site) -> None:
    told = json.loads(site.upload.said)[0]["provenance"]
    with opened(browser, site.url, DESKTOP) as page:
        table = page.get_by_role("region", name="Packages of trixie, series 3.5")
        (row,) = table.locator("tbody tr").all()
        cells = row.locator("th, td").all_inner_texts()
        deb = site.upload.deb
        assert cells[0] == "3.5.35-1"
        assert cells[2:5] == ["amd64", f"{deb.stat().st_size / 2**20:.1f} MiB", digest(deb)]
        assert told["vouchers"] == ["pin in SHA256SUMS"]
        confirmed = "This digest was confirmed by one that was recorded beforehand in SHA256SUMS."
        for part in (told["tarball"], told["sha256"], confirmed):
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


def test_page_tells_the_fingerprint_of_the_key_in_groups(browser: Browser, site: Site) -> None:
    keyring = site.publisher.repository / "etcd-ha-archive-keyring.gpg"
    shown = run(["gpg", "--with-colons", "--show-keys", keyring]).stdout
    fingerprint = next(line.split(":")[9] for line in shown.splitlines() if line.startswith("fpr:"))
    with opened(browser, site.url, DESKTOP) as page:
        groups = " ".join(fingerprint[start : start + 4] for start in range(0, 40, 4))
        assert groups in page.locator("main").inner_text()


def test_page_is_headed_by_the_origin_and_tells_until_when_the_state_is_valid(
    browser: Browser, site: Site
) -> None:
    release = Deb822((site.publisher.repository / "dists/trixie/Release").read_text())
    day, until = (
        parsedate_to_datetime(release[field]).strftime("%Y-%m-%d %H:%M UTC")
        for field in ("Date", "Valid-Until")
    )
    with opened(browser, site.url, DESKTOP) as page:
        assert page.get_by_role("heading", level=1).inner_text() == ORIGIN
        suite = page.get_by_role("region", name="Suite trixie").locator("dd").all_inner_texts()
        assert suite == [f"signed {day}", f"{until}; after that, apt refuses this state"]


def test_page_names_the_file_of_each_series_and_the_one_that_the_suite_stays_with(
    browser: Browser, site: Site
) -> None:
    with opened(browser, site.url, DESKTOP) as page:
        suite = page.get_by_role("region", name="Suite trixie")
        series = suite.locator("h3:has-text('Which series') ~ ul").first
        assert series.locator("li").all_inner_texts() == [
            "Series 3.7: trixie_3.7.sources, newest package 3.7.0~rc.1-1",
            "Series 3.6: trixie_3.6.sources, newest package 3.6.7-1",
            "Series 3.5: trixie_3.5.sources, newest package 3.5.35-1",
        ]
        assert "trixie.sources stays on series 3.6" in suite.inner_text()
        for link in suite.locator("a[href$='.sources']").all():
            name = link.get_attribute("href")
            assert name == link.inner_text()
            assert (site.publisher.repository / str(name)).is_file()


def test_a_version_with_a_known_fault_is_marked_and_the_one_that_fixes_it_named(
    browser: Browser, site: Site
) -> None:
    with opened(browser, site.url, DESKTOP) as page:
        for series, marked in (("3.5", []), ("3.6", ["3.6.7-1", "3.6.7-1"])):
            table = page.get_by_role("region", name=f"Packages of trixie, series {series}")
            rows = table.locator("th:has(.fault)").all_inner_texts()
            assert [row.split()[0] for row in rows] == marked
        faults = page.locator("[id='faults-trixie-3.6'] + ul li").all_inner_texts()
        assert [one.rpartition("fixed in ")[2] for one in faults] == [
            fault.fixed for fault in shipped_faults().of_package("3.6.7-1")
        ]
        assert all(": in 3.6.7-1; fixed in " in one for one in faults)


@pytest.mark.parametrize("block", ["install", "text"])
def test_text_copied_from_the_page_makes_apt_fetch_the_newest_release(
    browser: Browser, site: Site, screen: Screen, apt: AptClient, block: str
) -> None:
    with opened(browser, site.url, screen) as page:
        unfold(page)
        text = copied(page, f"#{block}-trixie")
    apt.use("")
    # The client's apt in the place of this machine's; to install it would need a node.
    its_apt = shlex.join(apt.command("apt-get", "-o", "APT::Get::Download-Only=true"))
    script = f'apt() {{ {its_apt} "$@"; }}\n{text}'
    run(["sh", "-e", "-c", script.replace("/etc/apt/sources.list.d", f"{apt.folder}/etc")])
    fetched = sorted(path.name for path in apt.folder.glob("cache/archives/*.deb"))
    assert fetched == ["etcd-ha-archive-keyring_1_all.deb", "etcd-ha_3.6.7-1_amd64.deb"]


def test_curl_is_told_only_where_it_can_fetch_the_file_and_the_shell_leaves_the_url_alone(
    browser: Browser, tmp_path: Path, gnupg_home: Path
) -> None:
    publisher = Publisher(tmp_path, gnupg_home)
    assert publisher.init().status == 0
    assert publisher.publish(publisher.deb("3.6.16-1")).status == 0
    for url, blocks in (("http://x/$(id)", ["install", "text"]), ("mirror+http://x/list", ["text"])):
        assert publisher.init("--url", url).status == 0
        with opened(browser, (publisher.repository / "index.html").as_uri(), DESKTOP) as page:
            shown = {one.get_attribute("id"): one for one in page.locator("pre[id]").all()}
            assert list(shown) == [f"{block}-trixie" for block in blocks]
            # The last way that there is needs no click to be seen.
            assert shown["text-trixie"].is_visible() == ("install" not in blocks)
            if "install" in blocks:
                assert " 'http://x/$(id)/trixie.sources'\n" in shown["install-trixie"].inner_text()
