"""Progress of a part, told as that of the whole."""

import pytest

from profiler.progress import Progress, never_back, within


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


def test_what_begins_anew_is_told_once_it_is_further():
    """Twice from the beginning: the second time stays at what the first came to, with its own word and time left."""
    told: list[Progress] = []
    tell = never_back(told.append)
    for done, note in ((0.1, "a"), (0.3, "b"), (0.2, "c"), (0.3, "d"), (0.4, "e")):
        tell(Progress(step="train", done=done, seconds_left=9.0, note=note))
    assert [each.done for each in told] == [0.1, 0.3, 0.3, 0.3, 0.4]
    assert [each.note for each in told] == list("abcde")
    assert {each.seconds_left for each in told} == {9.0}
