"""Chance without memory: the same seed, name and number give the same draw, in every process and in any order.

A draw is SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014) of a start, which is the
BLAKE2b digest of a name, and a number. So nothing has to be kept between one draw and the next.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Dice:
    """Draws by number, for one name.

    Attributes:
        start: 64 bits.
    """

    start: int

    def uniform(self, numbers: Integers) -> Floats:
        """From 0 inclusive to 1 exclusive, one for each number."""
        bits = numbers.astype(np.uint64) * _GOLDEN + np.uint64(self.start)
        bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
        bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
        bits = bits ^ (bits >> np.uint64(31))
        result: Floats = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return result

    def between(self, numbers: Integers, least: float, most: float) -> Floats:
        """From ``least`` to ``most``."""
        return least + (most - least) * self.uniform(numbers)

    def normal(self, numbers: Integers) -> Floats:
        """With mean 0 and standard deviation 1 (Box and Muller, 1958)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(2 * numbers)))
        result: Floats = radius * np.cos(2.0 * np.pi * self.uniform(2 * numbers + 1))
        return result

    def one(self, least: float = 0.0, most: float = 1.0) -> float:
        """A single draw between two bounds, always the same one."""
        return float(self.between(np.zeros(1, np.int64), least, most)[0])


@lru_cache(maxsize=20_000)
def dice(seed: int, *names: str) -> Dice:
    """The dice of a name."""
    said = "\x1f".join([str(seed), *names]).encode()
    return Dice(int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big"))


@dataclass(frozen=True, slots=True)
class Episodes:
    """Which episode each moment lies in.

    Attributes:
        inside: Whether it lies in one.
        number: The episode's number, for further draws about it; of no meaning outside.
        start, end: POSIX seconds; of no meaning outside.
    """

    inside: NDArray[np.bool_]
    number: Integers
    start: Integers
    end: Integers

    def elapsed(self, times: Integers) -> Floats:
        """How much of the episode is over, from 0 to 1; 0 outside."""
        result: Floats = np.where(self.inside, (times - self.start) / np.maximum(self.end - self.start, 1), 0.0)
        return result


def episodes(seed: int, *names: str, times: Integers, block: int, chance: float, least: float, most: float) -> Episodes:
    """Time is cut into blocks; in each of them an episode begins with some chance, at a moment that is drawn.

    Args:
        times: POSIX seconds.
        block: Seconds.
        chance: That one begins in a block, 0 to 1.
        least, most: Its seconds, at most a block's; so only a block and the one before have to be looked at.
    """
    begins, when = dice(seed, *names, "begins"), dice(seed, *names, "when")
    lasts = dice(seed, *names, "lasts")
    own = times // block
    inside = np.zeros(times.shape, np.bool_)
    number, start, end = own.copy(), times.copy(), times.copy()
    for blocks in (own - 1, own):  # where two overlap, the later one counts
        first = blocks * block + (when.uniform(blocks) * block).astype(np.int64)
        last = first + lasts.between(blocks, least, min(most, block)).astype(np.int64)
        here = (begins.uniform(blocks) < chance) & (first <= times) & (times < last)
        inside |= here
        number[here], start[here], end[here] = blocks[here], first[here], last[here]
    return Episodes(inside, number, start, end)
