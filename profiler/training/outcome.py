"""The outcome: whether what training came to sounds, and sounds like the wet at all."""

import numpy as np
import torch

from profiler.effects import Effect
from profiler.effects.threads import on_one_thread
from profiler.finding import Finding
from profiler.training.examples import Examples
from profiler.training.watch import sounding_rows

__all__ = ["outcome_findings"]

_SILENT_SHARE = 1e-4
_HARDLY = 0.9
_REMEDY = "Look at the takes with: tonecast check. If they are sound, train longer or with another --seed."


def outcome_findings(effect: Effect, examples: Examples) -> tuple[Finding, ...]:
    """Return what is wrong with trained weights that are no use: silent, upside down, or hardly better than silence.

    They are heard on watched audio; where there is none that sounds, on what was learnt.
    """
    long = [passage for passage in examples.learnt if passage.frames >= examples.learnt[0].frames // 2]
    rows = sounding_rows(examples.watched) or sounding_rows(long)
    if rows is None:
        return ()
    index = torch.from_numpy(rows.knobs)
    with on_one_thread(), torch.no_grad():
        wet, _ = effect.along(
            torch.from_numpy(rows.dry), torch.from_numpy(examples.positions), index, effect.initial_state(len(rows.dry))
        )
    predicted, target = wet.numpy().astype(np.float64) * rows.counts, rows.wet.astype(np.float64)
    energy, own = float(np.sum(target**2)), float(np.sum(predicted**2))
    esr = float(np.sum((predicted - target) ** 2)) / energy
    if own < _SILENT_SHARE * energy:
        message = f"The profile is all but silent: it has learnt nothing. {_REMEDY}"
        return (Finding(kind="silent-profile", message=message, severity="error"),)
    if float(np.sum(predicted * target)) < 0:
        message = f"The profile plays upside down against the recordings: it has learnt nothing of use. {_REMEDY}"
        return (Finding(kind="upside-down", message=message, severity="error"),)
    if not esr < _HARDLY:
        message = f"The profile errs about as much as silence would (ESR {esr:.2g}). {_REMEDY}"
        return (Finding(kind="not-learnt", message=message, severity="error"),)
    return ()
