"""Proposals of tags: each tag is learnt from what people said of it, and looked for among the profiles without it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api.heard import TagProposal, TagProposals
from api.listening.index import SoundIndex
from api.listening.listening import Listening
from api.listening.tag_model import learn_tag, worth_asking
from api.listening.timbres import evenly_some, timbres
from api.store import tag_labels

__all__ = ["LEAST_PROBABILITY", "proposals"]

_FROM_SILENCE = 0.25
"""How much an entry counts against a tag when nobody says that it does not fit, but the entry is tagged otherwise."""

_LEAST_EXAMPLES = 2
LEAST_PROBABILITY = 0.2
"""Below that a proposal would mostly be in vain, however few others there are."""

_ASKED_TO_JUDGE = 4_096


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shelf:
    """The timbres of all profiles that are heard, (profiles, TIMBRE_WIDTH), and each entry's row."""

    entry_ids: NDArray[np.int64]
    sounds: NDArray[np.float32]
    rows: Mapping[int, int]


def proposals(
    listening: Listening, account_id: int, *, tag: str | None, entry_id: int | None, most: int
) -> TagProposals:
    """Return tags that probably fit profiles which nobody has said it of, surest first."""
    found: list[tuple[float, int, str]] = []
    learnt_from: dict[str, int] = {}
    with listening.library.database.reading() as connection:
        shelf = _shelf(listening.exact(connection))
        wanted = tag_labels.learnable_tags(connection, account_id) if tag is None else (tag,)
        for each in wanted:
            said, others = tag_labels.said_of(connection, account_id, each)
            told = _Told.of(shelf, said, others)
            if told is None:
                continue
            learnt_from[each] = told.count
            settled = tag_labels.settled_for(connection, account_id, each)
            found += ((likely, id_, each) for id_, likely in told.fitting(shelf, entry_id, settled, most))
        best = sorted(found, key=lambda each: (-each[0], each[1:]))[:most]
        names = tag_labels.names_of(connection, [id_ for _, id_, _ in best])
    data = tuple(
        TagProposal(entry_id=id_, name=names[id_], tag=each, probability=round(likely, 4))
        for likely, id_, each in best
        if id_ in names
    )
    return TagProposals(data=data, learnt_from=learnt_from)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Told:
    """Examples of a tag: rows of the shelf, whether it fits, how sure that is, and from how many it was said."""

    rows: NDArray[np.intp]
    fits: NDArray[np.bool_]
    sure: NDArray[np.float64]
    count: int

    @classmethod
    def of(cls, shelf: _Shelf, said: Mapping[int, bool], others: frozenset[int]) -> "_Told | None":
        """Return the examples; None where they are too few to learn from."""
        known = {shelf.rows[id_]: fits for id_, fits in said.items() if id_ in shelf.rows}
        silent = [shelf.rows[id_] for id_ in sorted(others) if id_ in shelf.rows]
        right = sum(known.values())
        if right < _LEAST_EXAMPLES or len(known) - right + len(silent) < _LEAST_EXAMPLES:
            return None
        return cls(
            rows=np.array([*known, *silent], np.intp),
            fits=np.array([*known.values(), *(False for _ in silent)], np.bool_),
            sure=np.array([*(1.0 for _ in known), *(_FROM_SILENCE for _ in silent)]),
            count=len(known),
        )

    def fitting(
        self, shelf: _Shelf, entry_id: int | None, settled: frozenset[int], most: int
    ) -> Iterator[tuple[int, float]]:
        """Yield entries that the tag probably fits and of which nothing is settled, and how likely, surest first."""
        model = learn_tag(shelf.sounds[self.rows], self.fits, self.sure)
        if entry_id is None:
            asked = np.arange(len(shelf.sounds))
            likely = model.probabilities(shelf.sounds)
            judged = evenly_some(likely, _ASKED_TO_JUDGE)
        else:
            asked = np.array([shelf.rows[entry_id]] if entry_id in shelf.rows else [], np.intp)
            likely = model.probabilities(shelf.sounds[asked])
            judged = model.probabilities(evenly_some(shelf.sounds, _ASKED_TO_JUDGE))
        least = max(worth_asking(judged), LEAST_PROBABILITY)
        yielded = 0
        for number in np.argsort(-likely):
            id_ = int(shelf.entry_ids[asked[number]])
            if likely[number] < least or yielded == most:
                return
            if id_ not in settled:
                yielded += 1
                yield id_, float(likely[number])


def _shelf(index: SoundIndex) -> _Shelf:
    entry_ids = index.entry_ids[index.alive]
    return _Shelf(
        entry_ids=entry_ids,
        sounds=timbres(index.means[index.alive]),
        rows={int(id_): row for row, id_ in enumerate(entry_ids)},
    )
