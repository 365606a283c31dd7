"""An amp that turns its own knobs: a plugin in jalv, whose controls follow what comes in at a JACK MIDI port.

`midi_amp.py NAME URI 74=SYMBOL:LOW:HIGH ...` appears as interface NAME, and as MIDI port `NAME midi`. Apart from the
tests' process, as `midi_pedal.py` says.
"""

import subprocess
import sys

import mido


class Amp:
    """A plugin, and which controller turns which of its controls over which range."""

    def __init__(self, name: str, uri: str, controls: list[str]) -> None:
        self._ranges: dict[int, tuple[str, float, float]] = {}
        for text in controls:
            number, _, control = text.partition("=")
            symbol, low, high = control.split(":")
            self._ranges[int(number)] = (symbol, float(low), float(high))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.jalv = subprocess.Popen(["jalv", "-x", "-n", name, uri], stdin=subprocess.PIPE, text=True, **quiet)  # noqa: S607

    def hear(self, message: mido.Message) -> None:
        """Turn what a controller turns."""
        if message.type == "control_change" and message.control in self._ranges and self.jalv.stdin:
            symbol, low, high = self._ranges[message.control]
            self.jalv.stdin.write(f"set {symbol} {low + (high - low) * message.value / 127}\n")
            self.jalv.stdin.flush()


if __name__ == "__main__":
    amp = Amp(sys.argv[1], sys.argv[2], sys.argv[3:])
    port = mido.Backend("mido.backends.rtmidi/UNIX_JACK").open_input(
        "in", client_name=f"{sys.argv[1]} midi", virtual=True, callback=amp.hear
    )
    with port:
        sys.stdin.read()
    amp.jalv.kill()
