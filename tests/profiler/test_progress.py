"""Progress of a part, told as that of the whole."""

import pytest

from profiler.progress import Progress, within


def test_a_part_is_told_as_the_whole():
    """Half-way through the first four fifths, 40 s in, there are 60 s left; the rest tells its own time left."""
    told: list[Progress] = []
    first, rest = within(told.append, start=0.0, share=0.8), within(told.append, start=0.8, share=0.2)
    first(Progress(step="train", done=0.5, seconds_left=40.0, note="well"))
    first(Progress(step="train", done=0.25))
    first(Progress(step="train", done=1.0, seconds_left=0.0))
    rest(Progress(step="train", done=0.5, seconds_left=7.0))
    rest(Progress(step="train", done=1.0, seconds_left=0.0))
    assert [each.done for each in told] == pytest.approx([0.4, 0.2, 0.8, 0.9, 1.0])
    assert [each.seconds_left for each in told] == [pytest.approx(60.0), None, None, 7.0, 0.0]
    assert (told[0].step, told[0].note) == ("train", "well")


def test_a_part_that_is_all_of_it_changes_nothing():
    """The only part's progress is the whole's."""
    told: list[Progress] = []
    said = [Progress(step="x", done=done, seconds_left=1 - done) for done in (0.0, 0.5, 1.0)]
    for each in said:
        within(told.append, start=0.0, share=1.0)(each)
    assert told == said
