"""The page in a real browser: how it loads, looks, plays, prints, and what its blind test counts."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scipy import stats


@pytest.fixture
def opened(browser: Any, report: Path, listen: str) -> Iterator[Callable[..., Any]]:
    """A function that opens the report; at the end nothing may have been asked for or complained about."""
    contexts, told, asked = [], [], []

    def open_(width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(listen)
        page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: told.append("dialog " + dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not [message for message in told if "ScriptProcessor" not in message]
    assert {url for url in asked if not url.startswith("data:")} == {report.as_uri()}


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(opened, width: int):
    """Neither on a phone nor on a desk has one to scroll sideways."""
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".chart").count() > 10
    assert page.locator(".player").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read(opened, contrasts, scheme: str):
    """Every kind of text stands out by 4.5 to 1, as WCAG AA has it, in light and in dark."""
    page = opened(scheme=scheme)
    kinds = [
        "p",
        "h1",
        "h2",
        "h3",
        "td",
        "th",
        "dt",
        "dd",
        "small",
        "a",
        "button",
        ".tile b",
        ".sources span",
        "svg text",
    ]
    ratios = contrasts(page, kinds)
    assert {kind for kind, _ in ratios} >= {"p", "td", "button", "svg text"}
    assert [(kind, round(ratio, 2)) for kind, ratio in ratios if ratio < 4.5] == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 200) == (scheme == "dark")


def longest_gap(page: Any) -> float:
    """Switch between all that plays, and return the longest silence in seconds from the first sound on."""
    player = page.locator(".player").first
    player.get_by_role("button", name="Play").click()
    while not page.evaluate("heard.length > rate * 0.6"):  # the page's policy lets no string be waited for
        page.wait_for_timeout(50)
    for name in ("Learnt", "Dry", "Gear"):
        player.get_by_text(name, exact=True).click()
        page.wait_for_timeout(250)
    gap: float = page.evaluate(
        """() => {
          const loud = heard.findIndex((sample) => Math.abs(sample) > 1e-4);
          if (loud < 0) return Infinity;
          let run = 0, longest = 0;
          for (const sample of heard.slice(loud)) {
            run = Math.abs(sample) < 1e-5 ? run + 1 : 0;
            longest = Math.max(longest, run);
          }
          return longest / rate;
        }"""
    )
    return gap


def test_switching_leaves_no_gap(opened):
    """Sound goes on while one switches from the gear to the learnt and the dry, and stops when told to.

    A machine with too much to do leaves gaps of its own, now and then; switching would leave them each time.
    """
    for _ in range(6):
        page = opened()
        if (gap := longest_gap(page)) < 0.05:
            break
    assert gap < 0.05
    player = page.locator(".player").first
    player.get_by_role("button", name="Pause").click()
    player.get_by_role("button", name="Play").wait_for()
    page.wait_for_timeout(1000)
    assert page.evaluate("heard.slice(-4096).every((sample) => Math.abs(sample) < 1e-4)")


def test_keys_play(opened):
    """Space plays and pauses, digits choose, L loops."""
    page = opened()
    player = page.locator(".player").first
    player.locator(".sources input").nth(1).focus()
    page.keyboard.press("Space")
    player.get_by_role("button", name="Pause").wait_for()
    page.keyboard.press("3")
    assert player.locator(".sources input:checked").get_attribute("value") == "learnt"
    page.keyboard.press("l")
    assert not player.locator(".loop").is_checked()
    page.keyboard.press("Space")
    player.get_by_role("button", name="Play").wait_for()


@pytest.mark.parametrize(("right", "count"), [(0, 8), (7, 8), (8, 8), (9, 16), (12, 16), (16, 16), (24, 32)])
def test_blind_test_counts_as_scipy_does(opened, right: int, count: int):
    """The result stays hidden until the last trial, and its p is that of the exact binomial test."""
    page = opened()
    box = page.locator(".abx")
    box.locator(".trials").select_option(str(count))
    for trial in range(count):
        assert box.locator(".result").text_content() == ""
        hidden = page.evaluate("draws.at(-1)")
        truth = "B" if hidden else "A"
        answer = truth if trial < right else {"A": "B", "B": "A"}[truth]
        box.get_by_role("button", name=f"X is {answer}").click()
    said = box.locator(".result").text_content()
    found = re.match(r"(\d+) of (\d+) right, p = ([\d.e-]+)\. ", said)
    assert (int(found[1]), int(found[2])) == (right, count)
    expected = stats.binomtest(right, count, 0.5, alternative="greater").pvalue
    assert float(found[3]) == pytest.approx(expected, rel=6e-3)
    assert ("could be chance" in said) == (expected > 0.05)
    assert box.get_by_role("button", name="X is A").is_disabled()


def test_a_result_seen_early_ends_the_test(opened):
    """Who looks at the result before the end begins again."""
    page = opened()
    box = page.locator(".abx")
    box.get_by_role("button", name="X is A").click()
    box.get_by_role("button", name="Show the result").click()
    assert "of 1 right" in box.locator(".result").text_content()
    assert box.get_by_role("button", name="X is A").is_disabled()
    box.get_by_role("button", name="Begin again").click()
    assert box.locator(".result").text_content() == ""
    assert box.get_by_role("button", name="X is A").is_enabled()


def test_it_prints(opened):
    """On paper, also from a dark screen, it is dark on light, with the charts and without the players."""
    page = opened(scheme="dark")
    pdf = page.pdf(format="A4", print_background=True)
    assert pdf.startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".player").first.is_visible()
    assert page.locator(".chart").first.is_visible()
