"""How heavy a report is, and how soon a browser shows it.

    python benchmarks/report_page.py report.html [more.html ...] [--rounds 5] [--json OUT]

Each round opens every page in a fresh context of the system's Chromium, driven by playwright, and reads the browser's
own times: the first paint of anything that belongs to the page, and the end of loading. Medians are told.
"""

import argparse
import json
import platform
import shutil
import statistics
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

TIMES = """() => new Promise((done) => {
  const read = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const [load] = performance.getEntriesByType("navigation");
    if (paint && load.loadEventEnd) done([paint.startTime, load.loadEventEnd]);
    else setTimeout(read, 20);
  };
  read();
})"""


def timed(browser: Browser, page: Path) -> tuple[float, float]:
    """Return milliseconds to the first paint, and to the end of loading."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.goto(page.resolve().as_uri())
    paint, load = tab.evaluate(TIMES)
    context.close()
    return paint, load


def measured(pages: list[Path], rounds: int) -> list[dict[str, Any]]:
    """Return weight and times of each page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    times: dict[Path, list[tuple[float, float]]] = {page: [] for page in pages}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        timed(browser, pages[0])  # the browser's own start
        for _ in range(rounds):
            for page in pages:
                times[page].append(timed(browser, page))
        browser.close()
    return [
        {
            "page": page.name,
            "megabytes": round(page.stat().st_size / 1e6, 2),
            "first_paint_ms": round(statistics.median(paint for paint, _ in times[page])),
            "loaded_ms": round(statistics.median(load for _, load in times[page])),
        }
        for page in pages
    ]


def main() -> None:
    """Measure, and print a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measured(given.pages, given.rounds)
    for each in found:
        print(
            f"{each['page']}: {each['megabytes']} MB, first paint after {each['first_paint_ms']} ms, "
            f"loaded after {each['loaded_ms']} ms"
        )
    if given.json:
        given.json.write_text(json.dumps({"machine": platform.processor(), "pages": found}, indent=1))


if __name__ == "__main__":
    main()
