"""A job of a library, watched from the command line until it has ended."""

from typing import TYPE_CHECKING

from profiler.errors import LibraryError
from tonecast.console import Screen

if TYPE_CHECKING:
    from api.client import LibraryClient
    from api.job import Job

__all__ = ["watched"]


def watched(screen: Screen, client: "LibraryClient", job: "Job") -> "Job":
    """Show how a job goes on, and return it when it has succeeded. Raises LibraryError where it fails."""
    from profiler.progress import Progress

    screen.say(f"It is job {job.id} there, and goes on whether or not this command does.")
    with screen.progress("job") as tell:
        for each in client.watch(job.id):
            job = each
            if (told := job.progress) is not None and job.state == "running":
                note = f"{told.step} {told.note}".strip()
                tell(Progress(step="job", done=told.done, seconds_left=told.seconds_left, note=note))
    if job.state != "succeeded":
        raise LibraryError(f"Job {job.id} has {job.state}: {job.error or 'somebody cancelled it.'}")
    return job
