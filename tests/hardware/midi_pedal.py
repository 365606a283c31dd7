"""Gear in a process of its own: listens at a JACK MIDI port, and prints when each message came and what it was.

Apart from the sender's process, for python-rtmidi closes ports with Python's lock held, which a listener's callback
in the same process waits for: the JACK cycle then stands still until JACK gives up, 6 s later.
"""

import sys
import time

import mido


def hear(message: mido.Message) -> None:
    """Write a message with the time of the machine's steady clock."""
    sys.stdout.write(f"{time.monotonic()} {message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    port = mido.Backend("mido.backends.rtmidi/UNIX_JACK").open_input(
        "pedal in", client_name=sys.argv[1], virtual=True, callback=hear
    )
    with port:
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        sys.stdin.read()
