"""Profile files, and the effects that are built from them."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch

from profiler.effects.kinds import build_stages
from profiler.errors import ProfileError, StorageError
from profiler.knob import positions_of
from profiler.profile import Cost, LoadedProfile
from profiler.profile_file import load, save


def test_a_profile_comes_back_as_it_was(whole, saved):
    """Every field, every weight and the golden pair, bit for bit."""
    back = load(saved)
    assert back.profile == whole.profile
    assert back.weights.keys() == whole.weights.keys()
    for name, tensor in whole.weights.items():
        np.testing.assert_array_equal(back.weights[name], tensor)
    np.testing.assert_array_equal(back.golden_dry, whole.golden_dry)
    np.testing.assert_array_equal(back.golden_wet, whole.golden_wet)
    assert load(str(saved)).profile == whole.profile


def test_a_light_effect_comes_back_as_it_was(both_sizes, tmp_path):
    """Its stages, its training, its cost and its weights are in the file, and what a profile costs."""
    cost = Cost(multiply_adds=5320, times_real_time=80.5)
    light = replace(both_sizes.profile.light, cost=cost)
    profile = replace(both_sizes.profile, light=light, cost=replace(cost, multiply_adds=11_712))
    save(tmp_path / "amp.tonecast", replace(both_sizes, profile=profile))
    back = load(tmp_path / "amp.tonecast")
    assert back.profile == profile
    assert back.weights.keys() == both_sizes.weights.keys()
    assert all(np.array_equal(back.weights[name], tensor) for name, tensor in both_sizes.weights.items())


def test_a_profile_from_before_sizes_is_read(whole, saved):
    """A file that says nothing of a light effect or of costs has none."""
    with zipfile.ZipFile(saved) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(entries["profile.json"])
    assert (document.pop("light"), document.pop("cost")) == (None, None)
    entries["profile.json"] = json.dumps(document).encode()
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    assert load(saved).profile == whole.profile


def test_the_same_profile_is_the_same_file(whole, saved, tmp_path):
    """Saving twice, and saving what was loaded, give identical bytes."""
    save(tmp_path / "again.tonecast", whole)
    save(tmp_path / "loaded.tonecast", load(saved))
    with zipfile.ZipFile(saved) as archive:
        golden = archive.read("golden.wav")
    assert golden[golden.index(b"PEAK") + 12 :][:4] == bytes(4)  # where libsndfile puts the time of day
    assert (
        saved.read_bytes() == (tmp_path / "again.tonecast").read_bytes() == (tmp_path / "loaded.tonecast").read_bytes()
    )


def test_a_trained_profile_plays_its_golden_pair(trained):
    """A profile from training checks itself: its stages make the golden wet of the golden dry."""
    loaded = load(trained)
    (effect,) = build_stages(loaded)
    knobs = torch.from_numpy(positions_of(loaded.profile.knobs, loaded.profile.golden_settings))[None, None]
    wet, _ = effect(torch.from_numpy(loaded.golden_dry), knobs, effect.initial_state(1))
    np.testing.assert_allclose(wet.numpy(), loaded.golden_wet, atol=1e-5)
    assert np.abs(loaded.golden_wet).max() > 0.01
    assert loaded.profile.provenance.steps == 60


@pytest.mark.parametrize("name", ["drive.zip", "drive", "drive.tonecast.json"])
def test_a_profile_has_its_suffix(whole, tmp_path, name):
    """Another suffix is refused before anything is written."""
    with pytest.raises(ProfileError, match=r"name ends in \.tonecast"):
        save(tmp_path / name, whole)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_profile(whole, small_disk):
    """The profile that was there is whole, and nothing half-written is left."""
    path = small_disk.path / "drive.tonecast"
    save(path, whole)
    before = path.read_bytes()
    small_disk.fill()
    with pytest.raises(StorageError, match="No space left while writing"):
        save(path, replace(whole, golden_wet=whole.golden_dry))
    assert path.read_bytes() == before
    assert small_disk.scratch_files() == []


def test_what_is_not_a_file_is_refused(tmp_path):
    """A missing profile and a folder."""
    for path in (tmp_path / "none.tonecast", tmp_path):
        with pytest.raises(ProfileError, match=f"{path} is not there, or is not a file"):
            load(path)


def with_stage(whole: LoadedProfile, **changes) -> LoadedProfile:
    """Return the profile with another stage."""
    stage = replace(whole.profile.stages[0], **changes)
    return replace(whole, profile=replace(whole.profile, stages=(stage,)))


def with_weights(whole: LoadedProfile, **changes: np.ndarray | None) -> LoadedProfile:
    """Return the profile with other weights; None leaves one out."""
    weights = {name: tensor for name, tensor in {**whole.weights, **changes}.items() if tensor is not None}
    return replace(whole, weights=weights)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"0.out.bias": None}, r"tensor '0\.out\.bias' must have shape \(1,\); found nothing"),
        ({"0.out.bias": np.zeros(2, np.float32)}, r"must have shape \(1,\); found shape \(2,\)"),
        ({"0.spare": np.zeros(2, np.float32)}, r"tensors that no stage uses: \['0\.spare'\]"),
    ],
)
def test_weights_that_do_not_fit_are_refused(whole, weights, says):
    """Every tensor the config asks for is there in its shape, and no other."""
    with pytest.raises(ProfileError, match=says):
        build_stages(with_weights(whole, **weights))


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ({"prefix": "1."}, r"tensor '1\..*found nothing"),
        ({"kind": "os.system"}, "stage of kind 'os.system'; this Tonecast plays recurrent"),
        ({"config": {}}, "cannot be built: .*knob_positions"),
        ({"config": {"knob_positions": 1, "command": "rm"}}, "cannot be built: .*command"),
        ({"config": {"knob_positions": 1, "hidden": 10**9}}, "cannot be built: hidden is 1000000000"),
        ({"config": {"knob_positions": "1"}}, "cannot be built: knob_positions is '1'"),
        ({"config": {"knob_positions": 1, "input_scale": -1.0}}, "cannot be built: The scales"),
        ({"config": {"knob_positions": 1, "input_scale": "loud"}}, "cannot be built"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(whole, stage, says):
    """Kinds come from a list, and a config is taken only within its bounds."""
    with pytest.raises(ProfileError, match=says):
        build_stages(with_stage(whole, **stage))


def test_a_profile_without_stages_is_refused(whole):
    """There would be nothing to play."""
    with pytest.raises(ProfileError, match="'Drive' has 0 stages"):
        build_stages(replace(whole, profile=replace(whole.profile, stages=())))


def test_stages_play_their_own_weights(whole):
    """Two stages of one kind each get the tensors under their prefix, in order, and stay out of training."""
    first = whole.profile.stages[0]
    both = {**whole.weights, **{"1." + name[2:]: 2 * tensor for name, tensor in whole.weights.items()}}
    profile = replace(whole.profile, stages=(first, replace(first, prefix="1.")))
    one, other = build_stages(replace(whole, profile=profile, weights=both))
    for name, tensor in one.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), whole.weights["0." + name])
        np.testing.assert_array_equal(other.state_dict()[name].numpy(), 2 * tensor.numpy())
    assert not any(weight.requires_grad for weight in one.parameters())
    assert not one.training


def test_weights_that_are_not_finite_are_not_written(whole, tmp_path):
    """A profile that nobody could load is refused when it is saved."""
    name = next(iter(whole.weights))
    broken = replace(whole, weights={**whole.weights, name: np.full_like(whole.weights[name], np.nan)})
    with pytest.raises(ProfileError, match="NaN"):
        save(tmp_path / "p.tonecast", broken)
    assert list(tmp_path.iterdir()) == []


def test_a_stage_takes_the_knobs_of_its_profile(whole):
    """A stage that is narrower or wider than the profile's knobs would drop one in silence; it is refused."""
    for knobs in ((), (*whole.profile.knobs, replace(whole.profile.knobs[0], id="another"))):
        with pytest.raises(ProfileError, match="positions"):
            build_stages(replace(whole, profile=replace(whole.profile, knobs=knobs)))


def test_golden_settings_are_the_knobs_own(whole, tmp_path):
    """Settings of the golden pair that no knob can have are refused."""
    settings = dict.fromkeys(whole.profile.golden_settings, 1e9)
    save(tmp_path / "p.tonecast", replace(whole, profile=replace(whole.profile, golden_settings=settings)))
    with pytest.raises(ProfileError, match="cannot stand at"):
        load(tmp_path / "p.tonecast")
