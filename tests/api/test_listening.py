"""Search by sound and tags that learn, on SQLite and PostgreSQL alike, and over HTTP with the processes that listen."""

import json
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from api.backup import back_up, restore
from api.client import LibraryClient
from api.heard import TagCorrection
from api.inspection import printed_by
from api.library import opened
from api.listening.background import hearing
from api.listening.listening import Listening
from api.listening.tagging import LEAST_PROBABILITY, proposals
from api.problem import Problem
from api.settings import ServiceSettings
from api.store import entries, sounds, tag_labels
from profiler.audio import Audio
from profiler.audio_file import reading, write_audio
from profiler.effects.convolutional import ConvolutionalEffect
from profiler.errors import LibraryError
from profiler.listening.descriptors import COUNT, DESCRIPTORS_VERSION
from profiler.listening.recording_sound import recording_sound
from profiler.listening.sound_space import placed
from profiler.presets import preset_path
from profiler.profile import Stage
from profiler.profile_file import load, save
from profiler.programme import programme
from profiler.rendering import ProfileProcessor
from tonecast.cli import run

RATE = 48_000


@pytest.fixture(scope="session")
def net(tmp_path_factory):
    """A function that writes a profile of a small network without knobs: even seeds are dull, odd ones bright.

    None is silent.
    """
    like = load(preset_path("fuzz"))
    folder = tmp_path_factory.mktemp("nets")

    def written(seed, name=""):
        torch.manual_seed(seed or 0)
        effect = ConvolutionalEffect(knob_positions=0, channels=2, taps=(9,), dilations=(1 + (seed or 0) % 3,))
        for part in effect.shape.parts:
            if part.name == "head":
                taps = effect.weights.detach()[part.start : part.stop].view(-1, effect.shape.head_taps)
                taps.abs_()
                taps[:, 1::2] *= -1 if (seed or 0) % 2 else 1
        weights = {f"0.{each}": tensor.numpy().copy() for each, tensor in effect.state_dict().items()}
        if seed is None:
            weights = {each: np.zeros_like(tensor) for each, tensor in weights.items()}
        profile = replace(
            like.profile,
            name=name or f"net {seed}",
            knobs=(),
            stages=(Stage(kind="convolutional", config=effect.config, prefix="0."),),
            golden_settings={},
            light=None,
        )
        path = folder / f"{profile.name}.tonecast"
        save(path, replace(like, profile=profile, weights=weights))
        return path

    return written


@pytest.fixture
def listening(library):
    """Who listens for the library at hand."""
    return Listening(library)


def described(*at):
    """Return descriptors of as many settings, (settings, COUNT), that lie along a line in the space of sounds."""
    rng = np.random.default_rng(0)
    start, along = rng.normal(-20, 5, COUNT), rng.normal(0, 1, COUNT)
    return np.stack([start + each * along for each in at]).astype(np.float16)


def place(at):
    """Return the place of the same in the space of sounds."""
    return placed(described(at).astype(np.float32))[0]


@pytest.fixture
def heard(library, take_in, profile_file):
    """A function that takes in a profile and keeps how it sounds at each of some settings; returns the entry's id."""

    def taken(*at, version_of=None, **about):
        entry_id = take_in(profile_file(), version_of=version_of, **about).entry_id
        with library.database.writing() as connection:
            version = sounds.some_unheard(connection, DESCRIPTORS_VERSION, 10)[-1]
            settings = [{"threshold_db": float(each)} for each in at]
            sounds.keep_sounds(connection, version.id, DESCRIPTORS_VERSION, settings, described(*at))
        return entry_id

    return taken


def test_the_nearest_comes_first_with_its_setting(listening, heard, take_in, profile_file):
    """What is not heard yet is counted, not found."""
    far, near, _ = heard(20, 30), heard(0, 1, 2), take_in(profile_file())
    found = listening.nearest(place(1.1), 10, asked_by=None)
    assert [each.entry.id for each in found.data] == [near, far]
    assert found.data[0].settings == {"threshold_db": 1.0}
    assert found.data[0].distance < found.data[1].distance
    assert (found.heard, found.unheard) == (2, 1)
    assert len(listening.nearest(place(1.1), 1, asked_by=None).data) == 1


def test_every_process_sees_what_changes(listening, library, heard, caller_of):
    """Others learn of what is heard, replaced and removed from the database alone."""
    other = Listening(library)
    first, second = heard(0), heard(10)
    assert [each.entry.id for each in other.nearest(place(0), 9, asked_by=None).data] == [first, second]
    heard(40, version_of=first)
    found = other.nearest(place(40), 9, asked_by=None).data
    assert [each.entry.id for each in found] == [first, second]
    assert found[0].entry.version.number == 2
    assert found[0].settings == {"threshold_db": 40.0}
    library.remove(first, caller_of("ann"))
    for each in (other, listening):
        assert [one.entry.id for one in each.nearest(place(0), 9, asked_by=None).data] == [second]


def test_a_new_version_is_not_found_by_the_old_sound(listening, library, heard, take_in, profile_file):
    """Until it is heard itself, the entry waits."""
    entry_id = heard(0)
    assert listening.nearest(place(0), 9, asked_by=None).heard == 1
    take_in(profile_file(), version_of=entry_id)
    assert listening.nearest(place(0), 9, asked_by=None).data == ()


def test_a_backup_has_the_sounds(listening, library, heard, settings, new_settings, tmp_path):
    """A restored library need not listen again, and counts changes on."""
    entry_id = heard(0, 5)
    back_up(settings, tmp_path / "backup.zip")
    elsewhere = new_settings("sqlite", tmp_path / "elsewhere")
    restore(elsewhere, tmp_path / "backup.zip")
    with opened(elsewhere) as restored:
        found = Listening(restored).nearest(place(5), 9, asked_by=None)
        assert [(each.entry.id, each.settings) for each in found.data] == [(entry_id, {"threshold_db": 5.0})]
        with restored.database.writing() as connection:
            assert sounds.note_change(connection) == 2


def test_what_goes_while_it_is_heard_leaves_nothing(library, take_in, profile_file, caller_of):
    """Its version is gone when the ear is done."""
    entry_id = take_in(profile_file()).entry_id
    with library.database.reading() as connection:
        (version,) = sounds.some_unheard(connection, DESCRIPTORS_VERSION, 10)
    library.remove(entry_id, caller_of("ann"))
    with library.database.writing() as connection:
        sounds.keep_sounds(connection, version.id, DESCRIPTORS_VERSION, [{}], described(0))
        assert sounds.findable(connection, DESCRIPTORS_VERSION) == frozenset()


def test_tags_learn(listening, library, heard, caller_of):
    """From the library's tags and from corrections, which go before; what somebody says holds for them alone."""
    bright = [heard(30 + number, tags=("bright",)) for number in range(3)]
    dark = [heard(number, tags=("dark",)) for number in range(3)]
    loud, soft = heard(31), heard(1.5)
    ann, ben = caller_of("ann"), caller_of("ben")

    def proposed(caller, **asked):
        told = proposals(listening, caller.account_id, **{"tag": None, "entry_id": None, "most": 25, **asked})
        return {(each.entry_id, each.tag): each.probability for each in told.data}

    found = proposed(ann)
    assert found.keys() == {(loud, "bright"), (soft, "dark")}
    assert all(LEAST_PROBABILITY <= each < 1 for each in found.values())
    assert proposed(ann, tag="bright").keys() == {(loud, "bright")}
    assert proposed(ann, entry_id=soft).keys() == {(soft, "dark")}
    assert proposed(ann, tag="unheard of") == {}

    def said(caller, entry_id, tag, is_right):
        with library.database.writing() as connection:
            correction = TagCorrection(entry_id=entry_id, tag=tag, is_right=is_right)
            tag_labels.set_label(connection, caller.account_id, correction)

    said(ben, loud, "bright", is_right=False)
    assert (loud, "bright") not in proposed(ben)
    assert (loud, "bright") in proposed(ann)
    said(ben, loud, "bright", is_right=None)
    assert (loud, "bright") in proposed(ben)
    before = found[soft, "dark"]
    said(ann, dark[2], "dark", is_right=False)
    assert proposed(ann).get((soft, "dark"), 0.0) < before
    for entry_id in (bright[0], bright[1]):
        said(ben, entry_id, "gritty", is_right=True)
    for entry_id in dark[:2]:
        said(ben, entry_id, "gritty", is_right=False)
    assert (loud, "gritty") in proposed(ben)
    assert (soft, "gritty") not in proposed(ben)
    assert not any(tag == "gritty" for _, tag in proposed(ann))


def test_a_tag_is_set_where_it_may_be(library, take_in, profile_file):
    """Twenty at most, and setting one again changes nothing."""
    entry_id = take_in(profile_file(), tags=tuple(f"tag {number}" for number in range(19))).entry_id
    with library.database.writing() as connection:
        for _ in range(2):
            entries.set_tag(connection, entry_id, "one more", present=True)
        assert len(entries.one_entry(connection, entry_id, asked_by=None).tags) == 20
        with pytest.raises(Problem, match="at most 20 tags"):
            entries.set_tag(connection, entry_id, "too many", present=True)
        entries.set_tag(connection, entry_id, "one more", present=False)
        assert len(entries.one_entry(connection, entry_id, asked_by=None).tags) == 19


def test_a_file_that_is_damaged_is_not_tried_for_ever(listening, library, take_in, profile_file):
    """What the storage no longer has whole is kept with that problem."""
    path = profile_file()
    take_in(path)
    (stored,) = (library.settings.data / "files").rglob("*.tonecast")
    stored.write_bytes(b"cut")
    assert listening.hear_next()
    assert not listening.hear_next()
    assert listening.nearest(place(0), 9, asked_by=None).unheard == 0


@pytest.fixture(scope="module")
def asked(serving, net, tmp_path_factory):
    """A server whose three profiles a process has listened to; one of them is silent."""
    settings = ServiceSettings(data=tmp_path_factory.mktemp("heard") / "library", requests_a_minute=1_000_000)
    with serving(settings) as served:
        with served.client() as member:
            for seed in (1, 2, None):
                member.push(net(seed))
        listening = Listening(served.library)
        assert [listening.hear_next() for _ in range(4)] == [True, True, True, False]
        yield served


@pytest.fixture
def recording(net, tmp_path):
    """A recording of one of those profiles, playing what it was not listened to with."""
    dry = programme(99, sample_rate=RATE, frames=6 * RATE)
    wet = ProfileProcessor(load(net(2))).process(dry[None], RATE)
    write_audio(tmp_path / "wet.flac", Audio(samples=wet / np.abs(wet).max() * np.float32(0.5), sample_rate=RATE))
    return tmp_path / "wet.flac"


def test_a_recording_finds_the_profile_that_made_it(asked, recording):
    """Over HTTP, through a process that decodes it. What is silent is kept with its problem and not found."""
    with asked.client("reader") as reader:
        found = reader.search_by_sound(recording)
    assert [each.entry.name for each in found.data] == ["net 2", "net 1"]
    assert (found.heard, found.unheard) == (2, 0)
    with asked.library.database.reading() as connection:
        row = connection.exec_driver_sql("SELECT problem FROM sounds WHERE problem != ''").one()
    assert "silence" in row.problem


def test_who_has_listened_sends_descriptors(asked, recording):
    """And finds the same as by the recording; descriptors of another kind, or too few, are refused."""
    with reading(recording) as reader:
        descriptors = recording_sound(reader).astype(np.float16)  # as fine as the server keeps them
    with asked.client("reader") as http:
        found = http.search_by_descriptors(DESCRIPTORS_VERSION, descriptors, most=1)
        assert found.data == http.search_by_sound(recording, most=1).data
        for kind, told in ((DESCRIPTORS_VERSION + 1, descriptors), (DESCRIPTORS_VERSION, descriptors[:-1])):
            with pytest.raises(LibraryError, match="Not understood"):
                http.search_by_descriptors(kind, told)


def test_many_that_are_gone_hide_nobody(listening, library, heard, caller_of):
    """More were removed, and nearer, than a search looks at besides; a server that saw none of that finds on."""
    near = [heard(at / 100) for at in range(15)]
    far = heard(50)
    assert len(listening.nearest(place(0), 20, asked_by=None).data) == 16
    other = Listening(library)
    other.load()
    for entry_id in near:
        library.remove(entry_id, caller_of("ann"))
    for each in (listening, other):
        for _ in range(2):
            assert [one.entry.id for one in each.nearest(place(0), 1, asked_by=None).data] == [far]


def test_the_command_line_searches_by_sound(asked, recording, capsys, monkeypatch):
    """As JSON and as a table; words beside the recording are refused."""
    monkeypatch.setenv("TONECAST_TOKEN", asked.tokens["reader"])
    command = ["search", "--sound", str(recording), "--server", asked.url]
    assert run([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["entry"]["name"] for each in told["data"]] == ["net 2", "net 1"]
    assert run(command) == 0
    assert "net 2" in (shown := capsys.readouterr().out)
    assert "Of 2 profiles." in shown
    assert run([*command, "fuzz", "--json"]) == 1
    assert "--sound goes by the recording alone; found WORDS too" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"these are words", "audio/wav", 422, "not audio that can be read"),
        (b"", "audio/wav", 422, "empty"),
        (b"{}", "application/json", 415, "must be the file itself"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "audio/wav", 422, "not audio that can be read"),
    ],
)
def test_what_is_no_recording_is_refused(asked, content, kind, status, words):
    """In words that name no path of ours, and nothing is left of it."""
    with asked.http("reader") as http:
        reply = http.post("/api/v1/search/sound", content=content, headers={"Content-Type": kind})
    assert reply.status_code == status, reply.text
    assert words in reply.json()["detail"]
    assert str(asked.library.settings.data) not in reply.text
    assert list(asked.library.settings.scratch.iterdir()) == []


def test_silence_and_strangers_are_refused(asked, recording, tmp_path):
    """A stranger before the body is looked at."""
    write_audio(tmp_path / "rest.wav", Audio(samples=np.zeros((1, RATE), np.float32), sample_rate=RATE))
    with asked.client("reader") as reader, pytest.raises(LibraryError, match="above silence"):
        reader.search_by_sound(tmp_path / "rest.wav")
    with LibraryClient(asked.url) as stranger, pytest.raises(LibraryError, match="Not known"):
        stranger.search_by_sound(recording)


def test_corrections_over_http(asked):
    """They set the tag of who owns the profile; others only teach what is proposed to them."""
    with asked.client() as member, asked.client("other") as other:
        one = member.find("net 1")
        assert member.correct_tag(TagCorrection(entry_id=one.id, tag=" Warm", is_right=True)).tags == ("warm",)
        assert other.correct_tag(TagCorrection(entry_id=one.id, tag="cold", is_right=True)).tags == ("warm",)
        assert member.correct_tag(TagCorrection(entry_id=one.id, tag="warm", is_right=False)).tags == ()
        assert member.tag_proposals("warm").data == ()
        with pytest.raises(LibraryError, match="No such profile"):
            member.correct_tag(TagCorrection(entry_id=999, tag="warm", is_right=True))
    with asked.client("reader") as reader:
        assert reader.tag_proposals().learnt_from == {}
        with pytest.raises(LibraryError, match="Not allowed"):
            reader.correct_tag(TagCorrection(entry_id=one.id, tag="warm", is_right=True))


def test_a_server_hears_beside_its_work(asked, net):
    """What comes is heard by and by, and the thread ends with its block."""
    listening = Listening(asked.library)
    with asked.client() as member:
        entry = member.push(net(5, "comes late")).entry
        try:
            with hearing(listening):
                deadline = time.monotonic() + 120
                while listening.nearest(np.zeros(24, np.float32), 9, asked_by=None).heard < 3:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
        finally:
            member.remove(entry.id)


def test_an_ear_is_stopped():
    """A process that is not wanted any more is ended, and so is one that takes too long."""
    begun = time.monotonic()
    answers = iter([False, True])
    limits = {"megabytes": 4096, "seconds": 60}
    assert printed_by("this", "that", **limits, stopped=lambda: True) == b""
    assert printed_by("timeit", "-s", "import time", "time.sleep(600)", **limits, stopped=lambda: next(answers)) == b""
    assert time.monotonic() < begun + 60
    alone = printed_by("timeit", "-n1", "-r1", "import os", "print(os.getsid(0) == os.getpid())", **limits)
    assert alone.startswith(b"True")  # what a terminal sends to the server is not sent to it
    with pytest.raises(subprocess.TimeoutExpired):
        printed_by("timeit", "-s", "import time", "time.sleep(600)", megabytes=1, seconds=1)
