"""Jobs that play: a recording rendered through a profile or a chain, or a setting written for another program."""

from pathlib import Path
from typing import Any

from api.chains import response_name
from api.job import ChainOrder, ExportOrder, RenderOrder
from api.jobs.folder import CHAIN, PROFILE
from api.jobs.pair import parted
from api.jobs.teller import Teller
from api.limits import limited
from profiler.audio_file import reading
from profiler.errors import AudioError
from profiler.formats.nam import export_nam
from profiler.profile import Size
from profiler.profile_file import load
from profiler.progress import Progress
from profiler.rendering import RenderJob, run_job

__all__ = ["exported", "rendered"]

_MEMORY_BYTES = 12 << 30
_MOST_BYTES = 8 << 30
_MOST_HOURS = 3


def rendered(folder: Path, order: RenderOrder | ChainOrder, teller: Teller) -> dict[str, Any]:
    """Play the recording through the profile or the chain that lies beside it and return the name of the wet file.

    Raises ProfilerError, or Stopped.
    """
    target = folder / f"wet.{order.form}"
    automation = None
    if order.automation:
        automation = folder / ("automation.json" if order.automation.lstrip().startswith("{") else "automation.csv")
        automation.write_text(order.automation)

    def tell(told: Progress) -> None:
        teller.check()
        teller.progress(told)

    with limited(memory_bytes=_MEMORY_BYTES, file_bytes=_MOST_BYTES):
        source = _recording(folder, order)
        with reading(source) as reader:
            seconds = reader.frames / reader.sample_rate
        if seconds > _MOST_HOURS * 3600:
            raise AudioError(f"The recording lasts {seconds / 3600:.1f} h; at most {_MOST_HOURS} are rendered.")
        job = RenderJob(
            effect=folder / (PROFILE if isinstance(order, RenderOrder) else CHAIN),
            source=source,
            target=target,
            settings=dict(order.settings),
            automation=automation,
            size=order.size if isinstance(order, RenderOrder) else Size.FULL,
            bits=order.bits,
        )
        run_job(job, tell)
    return {"file": target.name}


def _recording(folder: Path, order: RenderOrder | ChainOrder) -> Path:
    """Return the file with the recording, when the impulse responses behind it lie where the chain plays them."""
    material = folder / "material"
    if isinstance(order, RenderOrder) or not order.responses:
        return material
    start = begins = material.stat().st_size - sum(each.bytes for each in order.responses)
    for each in order.responses:
        parted(material, folder / response_name(each.sha256), start=start, stop=start + each.bytes)
        start += each.bytes
    return parted(material, folder / "recording", start=0, stop=begins)


def exported(folder: Path, order: ExportOrder, teller: Teller) -> dict[str, Any]:
    """Write `profile` at a setting as a .nam file and return its name. Raises ProfilerError."""
    teller.progress(Progress(step="export", done=0.0))
    target = folder / "export.nam"
    export_nam(load(folder / PROFILE), target, dict(order.settings), sizes=order.sizes)
    return {"file": target.name}
