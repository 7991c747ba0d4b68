"""A real Chromium: what it complains of, what axe finds, what does not fit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

PROJECT = Path(__file__).resolve().parents[2]
AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
WIDTHS = (360, 1100)
NARROWEST = 320
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (rules) => {
    const found = await axe.run(document, {runOnly: {type: "tag", values: rules}});
    return found.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))]);
}"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "() => document.querySelectorAll('details').forEach(d => { d.open = true; })"


@dataclass(slots=True)
class Watched:
    """A page whose console is listened to."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", lambda message: self._note(message))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        expected = "the server responded with a status of"  # the page's own 4xx
        if message.type in ("error", "warning") and expected not in message.text:
            self.complaints.append(message.text)

    async def faults(self) -> list[Any]:
        """Everything that is wrong with the page as it stands, at every width."""
        await self.page.evaluate(OPEN_ALL)
        # axe comes in through the protocol: the page's own policy would let no such script run.
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[Any] = []
        for width in WIDTHS:
            await self.page.set_viewport_size({"width": width, "height": 900})
            found += await self.page.evaluate(RUN_AXE, RULES)
        await self.page.set_viewport_size({"width": NARROWEST, "height": 900})
        wider = await self.page.evaluate(OVERFLOW)
        if wider > 0:
            found.append(f"{wider} px wider than {NARROWEST}")
        return found + self.complaints


@asynccontextmanager
async def watched(context: BrowserContext) -> AsyncIterator[Watched]:
    page = await context.new_page()
    watcher = Watched(page)
    watcher.listen()
    try:
        yield watcher
    finally:
        await page.close()


@asynccontextmanager
async def new_context(
    chromium: Browser, url: str, *, javascript: bool = True
) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(
        base_url=url, java_script_enabled=javascript, locale="es-MX"
    )
    try:
        yield context
    finally:
        await context.close()
