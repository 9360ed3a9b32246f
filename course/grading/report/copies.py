"""Pairs of students whose code is nearly the same: a question to look into, never a verdict."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from copydetect import CodeFingerprint

# Every run of so many characters of tokenised code is a piece. All are compared, which is no
# sample of them (a window of 1), so that a report comes out the same each time.
LENGTH, WINDOW = 20, 1
# What more than this share of the class has in common is how one writes it.
COMMON = 0.05
# From how much on a pair is shown: share of the rarer code of the shorter one, and pieces of it.
ALIKE, PIECES = 0.6, 60


@dataclass(frozen=True)
class Pair:
    """Two students who share `pieces` of uncommon code, `share` of what the shorter answer has."""

    one: str
    other: str
    share: float
    pieces: int


def pairs(sources: Mapping[str, str], given: str = "") -> list[Pair]:
    """The pairs among `sources` {student: all code} that are more alike than the task explains.

    Names of variables and spaces don't count. Left out is what stands in `given` (the stubs), and
    what many write: the right way to do a short exercise is the same for all. The most alike first.
    """
    stub = _pieces(given)
    prints = {student: _pieces(source) - stub for student, source in sources.items()}
    frequency = Counter(piece for own in prints.values() for piece in own)
    limit = max(2, COMMON * len(sources))
    rare = {s: {p for p in own if frequency[p] <= limit} for s, own in prints.items()}
    found = []
    for one, other in combinations(sorted(rare), 2):
        both = len(rare[one] & rare[other])
        if both >= PIECES:
            share = both / min(len(rare[one]), len(rare[other]))
            if share >= ALIKE:
                found.append(Pair(one, other, share, both))
    return sorted(found, key=lambda p: (-p.share, -p.pieces))


def _pieces(source: str) -> set[int]:
    if not source.strip():
        return set()
    made = CodeFingerprint("answer.py", LENGTH, WINDOW, fp=io.StringIO(source))
    return {int(piece) for piece in made.hashes}
