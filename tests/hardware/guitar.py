"""A guitarist: `guitar.py NAME CHANNEL FILE` plays a WAV over and over into an input of JACK client NAME."""

import sys

import numpy as np
import sounddevice
import soundfile

if __name__ == "__main__":
    name, channel, file = sys.argv[1:]
    playing, rate = soundfile.read(file, dtype="float32")
    out = np.zeros((len(playing), 2), np.float32)
    out[:, int(channel) - 1] = playing
    sounddevice.play(out, rate, device=name, loop=True)
    sys.stdin.read()  # until it is closed, or for as long as the sound server lets it play
