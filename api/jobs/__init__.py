"""Jobs that outlive the processes that carry them out: asked for, queued, worked on, ended."""
