"""Charts as SVG inside the page: no script draws them, the style sheet colours them, and they print sharp."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

__all__ = ["Axis", "Line", "Picture", "Rule", "Series", "chart"]

Series: TypeAlias = NDArray[np.floating[Any]]

_WIDTH, _HEIGHT = 400, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 20, 8, 40
_INNER_WIDTH, _INNER_HEIGHT = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_MOST_POINTS = 700
_BEYOND = 3.0  # how many times the plot's size a line may leave it by


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What an axis says, and from where to where it goes. `marks` are ticks of its own: places and their words."""

    label: str
    low: float
    high: float
    log: bool = False
    marks: tuple[tuple[float, str], ...] = ()

    def at(self, values: Series) -> Series:
        """Return where values lie, 0 at the low end and 1 at the high one. What has no place is NaN."""
        values = np.asarray(values, np.float64)
        low, high = self.low, self.high
        if self.log:
            values = np.log10(np.where(values > 0, values, np.nan))
            low, high = math.log10(low), math.log10(high)
        return np.where(np.isfinite(values), (values - low) / (high - low or 1), np.nan)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Round values to mark, with their words."""
        return self.marks or (_decades(self.low, self.high) if self.log else _even(self.low, self.high))


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a chart. `look` is its class in the style sheet; both arrays are of shape (points,)."""

    name: str
    look: str
    x: Series
    y: Series
    dots: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A level across a chart, with a word."""

    name: str
    y: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image that fills the plot of a chart."""

    url: str


def chart(
    title: str, x: Axis, y: Axis, lines: Sequence[Line], *, rules: Sequence[Rule] = (), picture: Picture | None = None
) -> Markup:
    """Return a figure: a title, a legend and the plot. Everything that is text is escaped."""
    plot = [_grid(x, y)]
    inside = (
        [
            Markup('<image href="{}" width="{}" height="{}" preserveAspectRatio="none"/>').format(
                picture.url, _INNER_WIDTH, _INNER_HEIGHT
            )
        ]
        if picture
        else []
    )
    inside += [_rule(rule, y) for rule in rules]
    inside += [_drawn(line, x, y) for line in lines]
    plot.append(
        Markup('<svg x="{}" y="{}" width="{}" height="{}" overflow="hidden">{}</svg>').format(
            _LEFT, _TOP, _INNER_WIDTH, _INNER_HEIGHT, Markup("").join(inside)
        )
    )
    return Markup(
        '<figure class="chart"><figcaption><b>{}</b>{}</figcaption>'
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg></figure>'
    ).format(title, _legend(lines), _WIDTH, _HEIGHT, _said(title, x, y, lines), Markup("").join(plot))


def _said(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    names = ", ".join(dict.fromkeys(line.name for line in lines if line.name))
    return f"{title}: {y.label} against {x.label}" + (f", for {names}" if names else "")


def _legend(lines: Sequence[Line]) -> Markup:
    looks = {line.name: line.look for line in lines if line.name}
    entries = [
        Markup(
            '<span><svg class="swatch" viewBox="0 0 22 8" aria-hidden="true"><path class="{}" d="M0 4H22"/></svg>'
            "{}</span>"
        ).format(look, name)
        for name, look in looks.items()
    ]
    return (
        Markup('<span class="legend">{}</span>').format(Markup(" ").join(entries)) if len(entries) > 1 else Markup("")
    )


def _grid(x: Axis, y: Axis) -> Markup:
    parts = []
    for value, word in x.ticks:
        at = float(x.at(np.asarray([value]))[0])
        if -1e-6 <= at <= 1 + 1e-6:
            place = round(_LEFT + at * _INNER_WIDTH, 1)
            parts.append(f'<path class="grid" d="M{place} {_TOP}V{_TOP + _INNER_HEIGHT}"/>')
            parts.append(
                f'<text x="{place}" y="{_TOP + _INNER_HEIGHT + 15}" text-anchor="middle">{escape(word)}</text>'
            )
    for value, word in y.ticks:
        at = float(y.at(np.asarray([value]))[0])
        if -1e-6 <= at <= 1 + 1e-6:
            place = round(_TOP + (1 - at) * _INNER_HEIGHT, 1)
            parts.append(f'<path class="grid" d="M{_LEFT} {place}H{_LEFT + _INNER_WIDTH}"/>')
            parts.append(f'<text x="{_LEFT - 5}" y="{place + 4}" text-anchor="end">{escape(word)}</text>')
    middle = _TOP + _INNER_HEIGHT / 2
    parts.append(
        f'<text x="{_LEFT + _INNER_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x.label)}</text>'
    )
    parts.append(f'<text transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">{escape(y.label)}</text>')
    return Markup("").join(Markup(part) for part in parts)  # noqa: S704 - each part escaped its words above


def _drawn(line: Line, x: Axis, y: Axis) -> Markup:
    across, up = x.at(line.x) * _INNER_WIDTH, (1 - y.at(line.y)) * _INNER_HEIGHT
    step = max(-(-len(across) // _MOST_POINTS), 1)
    across, up = across[::step], np.clip(up[::step], -_BEYOND * _INNER_HEIGHT, (1 + _BEYOND) * _INNER_HEIGHT)
    words, pen = [], "M"
    for each_x, each_y in zip(across, up, strict=True):
        if math.isfinite(each_x) and math.isfinite(each_y):
            words.append(f"{pen}{each_x:.1f} {each_y:.1f}")
            pen = "L"
        else:
            pen = "M"
    dots = [
        Markup('<circle class="{}" cx="{}" cy="{}" r="2.6"/>').format(line.look, f"{each_x:.1f}", f"{each_y:.1f}")
        for each_x, each_y in zip(across, up, strict=True)
        if line.dots and math.isfinite(each_x) and math.isfinite(each_y)
    ]
    return Markup('<path class="{}" d="{}"/>').format(line.look, "".join(words)) + Markup("").join(dots)


def _rule(rule: Rule, y: Axis) -> Markup:
    at = float(y.at(np.asarray([rule.y]))[0])
    if not 0 <= at <= 1:
        return Markup("")
    place = round((1 - at) * _INNER_HEIGHT, 1)
    return Markup(
        '<path class="rule" d="M0 {}H{}"/><text class="rule" x="{}" y="{}" text-anchor="end">{}</text>'
    ).format(place, _INNER_WIDTH, _INNER_WIDTH - 4, max(place - 4, 10), rule.name)


def _even(low: float, high: float) -> tuple[tuple[float, str], ...]:
    if not high > low:
        return ((low, f"{low:.4g}"),)
    raw = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= raw)
    values = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step
    return tuple((float(value), f"{value:.4g}".replace("-", "\u2212")) for value in values)


def _decades(low: float, high: float) -> tuple[tuple[float, str], ...]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 2 else (1, 3) if last - first <= 3 else (1,)
    values = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return tuple((value, _spelt(value)) for value in values if low * 0.999 <= value <= high * 1.001)


def _spelt(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}" if value >= 1e-4 else f"{value:.0e}".replace("e-0", "e\u2212")
