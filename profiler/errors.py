"""Every error Tonecast raises on purpose.

    ProfilerError
    |-- AudioError        an audio file or buffer that cannot be used
    |-- AutomationError   an automation that cannot be followed
    |-- ChainError        a chain that cannot be built
    |-- ExportError       a profile that another format cannot hold
    |-- GearError         gear that is unknown or does not run
    |-- KnobError         a knob that is unknown, or a value it does not take
    |-- LibraryError      a library of profiles that cannot be opened, reached or asked
    |-- ManifestError     a JSON document that does not say what it should
    |-- PresetError       a name that nothing which ships has
    |-- ProfileError      a profile file that cannot be trusted or understood
    |-- SessionError      a capture session that is missing, taken or incomplete
    |-- SplitError        a hold-out that is misspelt or leaves nothing to learn or to score
    |-- StorageError      the disk refused; nothing half-written was left
    |-- TakeRejectedError a recording that cannot be used
    `-- TrainingError     training that cannot go on

A message says what was found, what was expected and what to do.
"""

__all__ = [
    "AudioError",
    "AutomationError",
    "ChainError",
    "ExportError",
    "GearError",
    "KnobError",
    "LibraryError",
    "ManifestError",
    "PresetError",
    "ProfileError",
    "ProfilerError",
    "SessionError",
    "SplitError",
    "StorageError",
    "TakeRejectedError",
    "TrainingError",
]


class ProfilerError(Exception):
    """Something went wrong that the person at the keyboard can do something about."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class AudioError(ProfilerError):
    """The audio cannot be used."""


class AutomationError(ProfilerError):
    """The automation cannot be followed."""


class ChainError(ProfilerError):
    """The chain cannot be built."""


class ExportError(ProfilerError):
    """The profile cannot be written in this format."""


class GearError(ProfilerError):
    """The gear is unknown or does not run."""


class KnobError(ProfilerError):
    """The knob is unknown, or does not take this value."""


class LibraryError(ProfilerError):
    """The library cannot be opened, reached or asked."""


class ManifestError(ProfilerError):
    """The document does not say what it should."""


class PresetError(ProfilerError):
    """Nothing that ships is called so."""


class ProfileError(ProfilerError):
    """The profile cannot be trusted or understood."""


class SessionError(ProfilerError):
    """The session is missing, taken or incomplete."""


class SplitError(ProfilerError):
    """The hold-out is misspelt or leaves nothing to learn or to score."""


class StorageError(ProfilerError):
    """The disk refused; nothing half-written was left."""


class TakeRejectedError(ProfilerError):
    """The recording cannot be used."""


class TrainingError(ProfilerError):
    """Training cannot go on."""
