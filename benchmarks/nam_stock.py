"""Neural Amp Modeler's own trainer on a capture; runs in an interpreter of its own that has neural-amp-modeler 0.13.

    python benchmarks/nam_stock.py LEARNT.npz OUT [--seed 0] [--epochs 100]

Everything is what its own program does by default (`nam.train.core`), with the parts that the program would use, but
for three things: it is told which frames to learn and to validate on, for it knows only its own test signal; each epoch
draws its order of examples from a seed of its own; and it goes on after the last whole epoch when it was stopped. OUT
gets `weights.npy`, those of the larger network at its best epoch, in the order of a `.nam` file; `first.npy`, those
that it started from; and `curve.jsonl`, its losses and ESR of every epoch.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pytorch_lightning as lightning
import torch
from nam.data import Dataset, normalize_joint_dataset_output
from nam.train.core import _get_packed_model_config
from nam.train.lightning_module import PackedBestCheckpoint, PackedLightningModule, PackedMaskCallback
from torch.utils.data import DataLoader, Sampler

LARGER = 1
BATCH, FRAMES = 16, 8192
LEVEL_DB = -18.0


def main() -> int:
    """Train, or go on with it, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("learnt", type=Path, help="dry, wet (frames,), rate and learnt_frames")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    model = Watched.init_from_config(_get_packed_model_config())
    np.save(options.out / "first.npy", larger_weights(model))
    learnt, validation = datasets(options.learnt, model)
    best = ResumedBest(dirpath=options.out)
    kept = lightning.callbacks.ModelCheckpoint(
        dirpath=options.out, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    trainer = lightning.Trainer(
        max_epochs=options.epochs,
        default_root_dir=options.out,
        callbacks=[best, PackedMaskCallback(), Curve(options.out / "curve.jsonl"), kept],
        accelerator="auto",
        logger=False,
        enable_progress_bar=False,
    )
    order = Order(len(learnt), options.seed, trainer)
    last = options.out / "last.ckpt"
    trainer.fit(
        model,
        DataLoader(learnt, batch_size=BATCH, sampler=order, drop_last=True, num_workers=0),
        DataLoader(validation),
        ckpt_path=last if last.is_file() else None,
        weights_only=False,
    )
    model.load_state_dict(torch.load(best.checkpoint_paths[LARGER], weights_only=False)["state_dict"])
    np.save(options.out / "weights.npy", larger_weights(model))
    return 0


def datasets(file: Path, model: PackedLightningModule) -> tuple[Dataset, Dataset]:
    """Return what to learn from and what to validate on, at NAM's level and as it cuts them."""
    given = np.load(file)
    dry, wet = (torch.from_numpy(given[name]) for name in ("dry", "wet"))
    cut, rate = int(given["learnt_frames"]), int(given["rate"])
    common = {"nx": model.net.receptive_field, "sample_rate": rate, "require_input_pre_silence": None}
    learnt = Dataset(x=dry[:cut], y=wet[:cut].clone(), ny=FRAMES, **common)
    validation = Dataset(x=dry[cut:], y=wet[cut:].clone(), ny=None, **common)
    normalize_joint_dataset_output(level_rms_dbfs=LEVEL_DB).apply(learnt, validation)
    model.net.sample_rate = rate
    return learnt, validation


def larger_weights(model: PackedLightningModule) -> np.ndarray:
    """Return the larger network's weights as they are learnt: without the head's scale, which ends a `.nam` file."""
    return model.net.extract_submodel(LARGER)._export_weights()[:-1]


class Watched(PackedLightningModule):
    """NAM's module, which also remembers what the larger network's own loss was."""

    def _shared_step(self, batch):
        preds, targets, losses = super()._shared_step(batch)
        terms = losses[LARGER].values()
        self.larger_loss = float(sum(term.weight * term.value.detach() for term in terms if term.weight))
        return preds, targets, losses


class ResumedBest(PackedBestCheckpoint):
    """NAM's choice of the best epoch, which remembers the best before it was stopped."""

    def state_dict(self):
        return {"best": self.best}

    def load_state_dict(self, state_dict):
        self.best = state_dict["best"]


class Curve(lightning.Callback):
    """Appends each epoch to a file: the larger network's loss at every step, and its ESR."""

    def __init__(self, path: Path):
        self.path, self.losses = path, []

    def on_train_batch_end(self, _trainer, pl_module, *_):
        self.losses.append(pl_module.larger_loss)

    def on_train_epoch_end(self, trainer, _module):
        esr = float(trainer.callback_metrics[f"ESR_packed_{LARGER}"])
        with self.path.open("a") as file:
            file.write(json.dumps({"epoch": trainer.current_epoch, "esr": esr, "losses": self.losses}) + "\n")
        self.losses = []


class Order(Sampler):
    """The order of an epoch's examples, drawn by seed and epoch, whenever it was resumed."""

    def __init__(self, tiles: int, seed: int, trainer: lightning.Trainer):
        self.tiles, self.seed, self.trainer = tiles, seed, trainer

    def __len__(self):
        return self.tiles

    def __iter__(self):
        drawn = torch.Generator().manual_seed(1000 * self.seed + self.trainer.current_epoch)
        yield from torch.randperm(self.tiles, generator=drawn).tolist()


if __name__ == "__main__":
    sys.exit(main())
