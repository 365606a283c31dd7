"""The convolutional effect: dilated layers that hear a fixed stretch of the past, each bent by the knobs.

The knobs scale and shift what goes into every activation (FiLM, Perez et al. 2018) and turn an input and an output
gain. As they do so before the activation, any one setting of the knobs is again a network of the same shape with other
weights: `bake` works them out, so a setting costs nothing to play, and one of the A2 shape is a plain `.nam` file.

Silence gives silence at every setting: what a network of these weights would make of it is worked out and taken off the
head's bias, in training too. Left to itself it would be an offset that moves with the knobs and is heard as a thump.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from profiler.effects.baking import Baking, neutral_features
from profiler.effects.config import check_config
from profiler.effects.convolution import learn, play, silent_state, starting_weights
from profiler.effects.convolution_cuda import learn_silenced
from profiler.effects.effect import Effect, State
from profiler.effects.network_shape import NetworkShape

__all__ = ["ConvolutionalEffect"]

_LARGEST = {"knob_positions": 256, "shaper": 256}
_PIECE_FRAMES = 960  # of moving knobs at a time: a frame has hundreds of features
_STILL_FRAMES = 64  # between two jumps, from which on they are worth a piece of their own
# Left to itself an activation that is always on its flat side, a hundredth as steep, grows weights a hundred times too
# large. Playing that then reaches its steep side is heard as a burst: a profile of Redeye Big Chump with three knobs,
# learnt for 300 s, played a recorded organ 50 dB too loud for a moment; with this none did so.
_DECAY = 0.1
_DECAYING = ("convolution", "mix", "residual")


def _pieces(knobs: Tensor) -> Iterator[tuple[int, int, bool]]:
    """Yield where pieces begin and end, and whether all knobs (channels, frames, width) stand still for their length.

    Between two jumps knobs cost nothing; where they glide, a piece is short.
    """
    frames = knobs.shape[1]
    moves = torch.nonzero((knobs[:, 1:] != knobs[:, :-1]).any(dim=-1).any(dim=0))[:, 0] + 1
    edges = torch.cat([moves.new_zeros(1), moves, moves.new_full((1,), frames)])
    longest = torch.nonzero(edges.diff() >= _STILL_FRAMES)[:, 0].tolist()
    begun = 0
    for start, stop in [*((int(edges[at]), int(edges[at + 1])) for at in longest), (frames, frames)]:
        for glide in range(begun, start, _PIECE_FRAMES):
            yield glide, min(glide + _PIECE_FRAMES, start), False
        if stop > start:
            yield start, stop, True
        begun = stop


class ConvolutionalEffect(Effect):
    """A network whose pre-activations and gains the knobs turn.

    `input_scale` and `output_scale` bring the gear's levels to about 1 and are fixed when training starts. `sparse` are
    the positions of knobs that were recorded at two places only: they act on a straight line, and on the logarithms of
    the gains before anything else, for what lies between the two no recording tells. Raises ValueError for sizes
    outside what any profile has.
    """

    kind = "convolutional"
    _decaying: Tensor
    _straight: Tensor

    def __init__(  # noqa: PLR0913 - a parameter a size
        self,
        *,
        knob_positions: int,
        channels: int,
        taps: Sequence[int],
        dilations: Sequence[int],
        head_taps: int = 16,
        slope: float = 0.01,
        shaper: int = 32,
        input_scale: float = 1.0,
        output_scale: float = 1.0,
        sparse: Sequence[int] = (),
    ) -> None:
        super().__init__()
        sizes = {"knob_positions": knob_positions, "shaper": shaper}
        check_config(sizes, _LARGEST, (input_scale, output_scale), sparse)
        self.shape = NetworkShape(
            channels=channels, taps=tuple(taps), dilations=tuple(dilations), head_taps=head_taps, slope=slope
        )
        self._sizes, self._sparse = sizes, list(sparse)
        self.knob_positions = knob_positions
        self.memory_frames = self.shape.history
        self.input_scale, self.output_scale = float(input_scale), float(output_scale)
        self.weights = nn.Parameter(starting_weights(self.shape))
        if knob_positions:
            last = nn.Linear(shaper, self.features)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            hidden = (nn.Linear(knob_positions, shaper), nn.Tanh(), nn.Linear(shaper, shaper), nn.Tanh())
            self.shaper = nn.Sequential(*hidden, last)
        if self._sparse:
            self.register_buffer("_straight", torch.tensor(self._sparse), persistent=False)
            self.line = nn.Linear(len(self._sparse), self.features, bias=False)
            nn.init.zeros_(self.line.weight)
        decaying = torch.zeros(self.shape.weight_count)
        for part in self.shape.parts:
            decaying[part.start : part.stop] = float(part.name in _DECAYING)
        self.register_buffer("_decaying", decaying, persistent=False)
        self._baking = Baking(self.shape, self.input_scale, self.output_scale)

    @property
    def features(self) -> int:
        """How many there are: a scale and a shift for each channel of each layer, and two gains."""
        return 2 * self.shape.layers * self.shape.channels + 2

    @property
    def config(self) -> Mapping[str, Any]:
        """What rebuilds this effect without its weights."""
        scales = {"input_scale": self.input_scale, "output_scale": self.output_scale}
        return {**self._sizes, **self.shape.config, **scales, "sparse": self._sparse}

    @property
    def multiply_adds(self) -> int:
        """Those of the plain network: knobs at rest cost nothing."""
        return self.shape.multiply_adds

    def initial_state(self, channels: int) -> State:
        """Return a state that says that nothing has been heard: what silence leaves depends on the knobs.

        A state is what the network still hears; the same of its silent twin; the features last played at; and for how
        many frames the twin still matters, -1 before the first block.
        """
        kept = self.weights.new_zeros(channels, self.shape.state_size)
        return kept, kept[:1], self.weights.new_zeros(1, self.features), self.weights.new_full((1,), -1.0)

    def conditioned(self, knobs: Tensor) -> Tensor:
        """Return scales and shifts, (layers, 2, channels) flattened, then input and output gain."""
        if not self.knob_positions:
            shaped = knobs.new_zeros(*knobs.shape[:-1], self.features)
        else:
            shaped = self._shaped(2 * knobs - 1)
        pairs = shaped[..., :-2].unflatten(-1, (self.shape.layers, 2, self.shape.channels))
        scales = 1 + pairs[..., :1, :]
        bent = torch.cat([scales, pairs[..., 1:, :]], dim=-2).flatten(-3)
        return torch.cat([bent, torch.exp(shaped[..., -2:])], dim=-1)

    def _shaped(self, knobs: Tensor) -> Tensor:
        if not self._sparse:
            return self.shaper(knobs)
        curved = knobs.index_fill(-1, self._straight, 0.0)
        shaped: Tensor = self.shaper(curved) + self.line(knobs.index_select(-1, self._straight))
        return shaped

    def restrain(self, rate: float | Tensor) -> None:
        """Draw sparse knobs towards what input and output gains alone can do, and what multiplies towards nothing."""
        with torch.no_grad():
            self.weights.mul_(1 - _DECAY * rate * self._decaying)
            if self.knob_positions:
                self.shaper[-1].get_parameter("weight")[:-2] *= 1 - _DECAY * rate
            if self._sparse:
                self.line.weight[:-2] *= 1 - rate

    def bake(self, features: Tensor) -> Tensor:
        """Return the flat weights of the plain network at these features: (rows, features) to (rows, weight_count)."""
        return self._baking.silenced(self.weights, features)

    def learn(self, dry: Tensor, features: Tensor, horizon: int | None = None) -> Tensor:
        """Return wet (rows, frames), to go back through, for dry (rows, history + frames) and features (rows, any).

        With a `horizon`, no more than so many frames back: see `profiler.effects.convolution.learn`. A GPU goes all the
        way, for it is as fast.
        """
        if self.device.type == "cpu":
            return learn(self.shape, dry, self.bake(features), horizon)
        return learn_silenced(self.shape, dry, self._plain(features))

    def along(self, dry: Tensor, table: Tensor, index: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet and state: a frame has too many features to hold those of all."""
        return self(dry, table[index], state)

    def forward(self, dry: Tensor, knobs: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet and state. Only while knobs move are their features worked out for every frame."""
        frames = dry.shape[1]
        if frames == 0:
            return dry, state
        if knobs.shape[1] == 1 or bool((knobs == knobs[:, :1]).all()):
            return self.run(dry, self.conditioned(knobs[:, :1]), state)
        wets = []
        for start, stop, still in _pieces(knobs):
            features = self.conditioned(knobs[:, start : start + 1 if still else stop])
            wet, state = self.run(dry[:, start:stop], features, state)
            wets.append(wet)
        return torch.cat(wets, dim=1), state

    @torch.no_grad()
    def run(self, dry: Tensor, features: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet (channels, frames) and the state after it. Not to go back through: see `learn`.

        While knobs move, what the network makes of silence moves too, and for as long as it hears back. A twin that
        hears nothing but silence then runs beside it, and is taken off.
        """
        kept, twin, last, unsettled = state
        first = features[:, 0]
        if unsettled < 0:
            twin, last, unsettled = silent_state(self.shape, self._plain(first)), first, torch.zeros_like(unsettled)
            kept = twin.expand(len(dry), -1)
        moves = features.shape[1] > 1 or not torch.equal(first, last)
        kept, rows = kept.clone(), len(dry)
        if not moves and unsettled == 0:
            wet = play(self.shape, dry, self.bake(first), kept)
        else:
            if unsettled == 0:
                twin = silent_state(self.shape, self._plain(last))
            both = torch.cat([kept, twin])
            signals = torch.cat([dry, dry.new_zeros(len(features), dry.shape[1])])
            played = self._played(signals, torch.cat([features.expand(rows, -1, -1), features]), both)
            wet, kept, twin = played[:rows] - played[rows:], both[:rows], both[rows:]
            left = float(self.memory_frames) if moves else max(float(unsettled) - dry.shape[1], 0.0)
            unsettled = torch.full_like(unsettled, left)
        return wet, (kept, twin, features[:, -1], unsettled)

    def _plain(self, features: Tensor) -> Tensor:
        """Return baked weights whose silence is left in."""
        return self._baking(self.weights, features)

    def _played(self, dry: Tensor, features: Tensor, kept: Tensor) -> Tensor:
        """Return wet with its silence left in, and move `kept` on."""
        if features.shape[1] == 1:
            return play(self.shape, dry, self._plain(features[:, 0]), kept)
        gains = features[..., -2:]
        film = features[..., :-2].unflatten(-1, (self.shape.layers, 2, self.shape.channels)).permute(0, 2, 3, 4, 1)
        plain = self._plain(neutral_features(self.shape).to(features))
        return play(self.shape, dry * gains[..., 0], plain, kept, film) * gains[..., 1]
