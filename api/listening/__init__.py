"""Search that listens: how the profiles of a library sound, which is like a recording, and which tags fit them."""
