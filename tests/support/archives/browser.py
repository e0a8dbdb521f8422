"""Headless Chromium of Debian, and what it can tell of a page as a person meets it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

Scheme = Literal["light", "dark"]

# Sums of red, green and blue: 0 is black, 765 is white.
BRIGHTNESS = """() => {
    const sum = colour => colour.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);
    const style = getComputedStyle(document.body);
    return [sum(style.color), sum(style.backgroundColor)];
}"""

# Texts that have no box on the screen, or lie beside the page where no region can be scrolled to them.
OUT_OF_SIGHT = """() => {
    const unseen = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim()) continue;
        const box = element.getBoundingClientRect();
        const scrolled = element.closest("pre, [role=region]");
        const beside = !scrolled && (box.left < 0 || box.right > innerWidth);
        const seen = element.checkVisibility({opacityProperty: true, visibilityProperty: true});
        if (!seen || beside || box.width < 1 || box.height < 1) unseen.push(texts.currentNode.data.trim());
    }
    return unseen;
}"""


# Regions that a person has to scroll sideways, and that do not say so above what is in them.
SILENT = """() => [...document.querySelectorAll("[role=region]")]
    .filter(region => region.scrollWidth > region.clientWidth)
    .filter(region => !getComputedStyle(region, "::before").content.includes("Scroll sideways"))
    .map(region => region.ariaLabel)"""


@dataclass(frozen=True)
class Screen:
    """How a person has set up the browser."""

    width: int
    scheme: Scheme
    javascript: bool = False

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with nothing in it; Playwright leaves its sandbox out, which root can't have."""
    program = shutil.which("chromium")
    assert program, "chromium is not there; ci/prepare names the packages that the tests need"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        with contextlib.closing(browser):
            yield browser


@contextlib.contextmanager
def opened(browser: Browser, url: str, screen: Screen) -> Iterator[Page]:
    """A page on a screen of its own."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": 900},
        color_scheme=screen.scheme,
        java_script_enabled=screen.javascript,
    )
    with contextlib.closing(context):
        page = context.new_page()
        page.goto(url)
        yield page


def copied(page: Page, selector: str) -> str:
    """What a person gets into another window who clicks on an element, presses Ctrl-C, and Ctrl-V there."""
    page.locator(selector).click()
    page.keyboard.press("Control+c")
    with contextlib.closing(page.context.new_page()) as other:
        other.set_content("<textarea autofocus></textarea>")
        field = other.locator("textarea")
        field.press("Control+v")
        return field.input_value()


def brightness(page: Page) -> tuple[int, int]:
    """Of the page's text and of what is behind it, from 0 for black to 765 for white."""
    text, background = page.evaluate(BRIGHTNESS)
    return int(text), int(background)


def overflow(page: Page) -> int:
    """By how many pixels the page as a whole can be scrolled sideways."""
    return int(page.evaluate("() => document.scrollingElement.scrollWidth - innerWidth"))


def out_of_sight(page: Page) -> list[str]:
    """Texts of the page that nobody can see."""
    return [str(text) for text in page.evaluate(OUT_OF_SIGHT)]


def silent_regions(page: Page) -> list[str]:
    """Names of regions that can be scrolled sideways and do not tell."""
    return [str(name) for name in page.evaluate(SILENT)]


def unfold(page: Page) -> None:
    """Open all that a click on its summary would open."""
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")


def accessibility_problems(page: Page) -> list[str]:
    """What axe-core finds by all of its rules, WCAG A and AA and best practices."""
    found = Axe().run(page).response
    assert found["passes"], "axe-core checked nothing"
    return [
        f"{violation['id']}: {violation['help']}: {node['html']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
