"""The edge to gear: what to capture, what plays it, and the recording of it."""
