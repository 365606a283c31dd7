"""Configs: what every kind of effect checks of the one it is built from, before anything is allocated."""

from collections.abc import Mapping, Sequence

__all__ = ["check_config"]


def check_config(
    sizes: Mapping[str, int],
    largest: Mapping[str, int],
    scales: tuple[float, float],
    sparse: Sequence[int],
) -> None:
    """Raise ValueError for sizes, input and output scales or sparse positions of knobs that no profile has.

    `sizes` hold `knob_positions`, which alone may be 0.
    """
    for name, size in sizes.items():
        if not isinstance(size, int) or not (0 if name == "knob_positions" else 1) <= size <= largest[name]:
            raise ValueError(f"{name} is {size!r}; it must be a whole number up to {largest[name]}.")
    if not all(0 < scale < 1e6 for scale in scales):
        raise ValueError(f"The scales are {scales[0]!r} and {scales[1]!r}; they must lie between 0 and 1e6.")
    positions = sizes["knob_positions"]
    if not all(isinstance(each, int) and 0 <= each < positions for each in sparse):
        raise ValueError(f"sparse is {list(sparse)}; it must list positions of knobs, from 0 to {positions - 1}.")
