"""Plays `.nam` files with the `neural-amp-modeler` package: `PYTHON nam_player.py DRY.npy PACKAGES FILE.nam...`.

What NAME.nam plays goes into NAME.npy beside it; what the networks of a container play, into NAME-0.npy, NAME-1.npy and
so on: the package writes containers, and reads what is in them. Run by a Python that has that package, apart from the
tests' own. Only the package's networks are loaded: what trains them needs lightning, transformers and matplotlib.
Packages that this Python lacks, such as torch, come from the folder PACKAGES.
"""

import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path

dry, packages, *files = sys.argv[1:]
sys.path.append(packages)

import numpy as np  # noqa: E402
import torch  # noqa: E402

spec = importlib.util.find_spec("nam")
sys.modules["nam"] = importlib.util.module_from_spec(spec)  # not executed: its __init__ loads all that trains
if importlib.util.find_spec("librosa") is None:
    sys.modules["librosa"] = types.ModuleType("librosa")  # reads recordings; networks have no use for it

torch.set_num_threads(1)  # on networks so small, more threads wait for each other
models = importlib.import_module("nam.models")
found = []
for file in map(Path, files):
    document = json.loads(file.read_text())
    slimmable = document["architecture"] == "SlimmableContainer"
    inside = [each["model"] for each in document["config"]["submodels"]] if slimmable else [document]
    for number, each in enumerate(inside):
        network = models.init_from_nam(each).eval()
        with torch.inference_mode():
            wet = network(torch.from_numpy(np.load(dry))).numpy()
        np.save(file.with_name(f"{file.stem}-{number}.npy") if slimmable else file.with_suffix(".npy"), wet)
        found.append([sum(each.numel() for each in network.parameters()), network.sample_rate])
json.dump(found, sys.stdout)
