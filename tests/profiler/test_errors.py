"""Errors."""

from profiler import errors


def test_every_error_has_a_sentence_and_is_listed():
    """An error raised without a message says what it is, and __all__ lists every one."""
    classes = {name: each for name, each in vars(errors).items() if isinstance(each, type)}
    assert errors.__all__ == sorted(classes)
    for each in classes.values():
        assert issubclass(each, errors.ProfilerError)
        assert str(each()).endswith(".")
        assert str(each("Found this.")) == "Found this."
