"""One photo used twice, also when it was scaled, stored anew, brightened or cropped a little: perceptual hashes.

Two hashes of 64 bits each must agree, both of the library ImageHash: pHash (signs of low frequencies) finds the candidates,
dHash (which of two neighbours is lighter) confirms them. They err on different pictures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import imagehash
import numpy as np
from PIL import Image

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import MOST_CASES
from yiwang.core.irregularities.rows import PhotoPrint

BANDS, BAND_BITS = 4, 16
NEAR = 7
"""Most bits in which the pHashes of one photo may differ. The search finds all pairs up to 2 · `BANDS` − 1."""
CONFIRMED = 12
"""Most bits in which the dHashes may."""
FLAT = 6.0
"""Standard deviation of the grey levels (0 to 255) below which a picture shows nothing: covered lenses, night, fog."""
_MASK = (1 << BAND_BITS) - 1
_FLIPS = (0, *(1 << bit for bit in range(BAND_BITS)))


def fingerprint(image: Image.Image) -> tuple[int, int] | None:
    """pHash and dHash of a picture, 64 bits each; None where it is so even that hashes would say nothing.

    Args:
        image: Turned as people see it.
    """
    grey = image.convert("L")
    grey.thumbnail((256, 256))
    if float(np.asarray(grey, dtype=float).std()) < FLAT:
        return None
    return int(str(imagehash.phash(grey)), 16), int(str(imagehash.dhash(grey)), 16)


def near_pairs(hashes: Sequence[int], *, near: int = NEAR) -> Iterator[tuple[int, int]]:
    """Places of all pairs whose 64-bit hashes differ in at most ``near`` bits, each once, the smaller place first.

    Multi-index hashing (M. Norouzi, A. Punjani, D. J. Fleet, CVPR 2012): of four bands of 16 bits at least one differs in one bit
    or none where the whole differs in seven or fewer, so each hash is looked up in its 4 · 17 buckets instead of being
    compared with all others.

    Raises:
        ValueError: When ``near`` is larger than the search can promise.
    """
    if near >= 2 * BANDS:
        raise ValueError(f"Pairs are found up to {2 * BANDS - 1} bits, not {near}.")
    buckets: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for place, code in enumerate(hashes):
        bands = [(band, code >> band * BAND_BITS & _MASK) for band in range(BANDS)]
        candidates = {
            other for band, part in bands for flip in _FLIPS for other in buckets.get((band, part ^ flip), ())
        }
        for other in sorted(candidates):
            if (hashes[other] ^ code).bit_count() <= near:
                yield other, place
        for key in bands:
            buckets[key].append(place)


def same_photos(
    prints: Sequence[PhotoPrint], *, near: int = NEAR, confirmed: int = CONFIRMED
) -> list[tuple[PhotoPrint, PhotoPrint, int]]:
    """Pairs of photos that are one by both hashes, the earlier first, with the bits in which their pHashes differ.

    Args:
        prints: In any order.
        near, confirmed: Most bits that may differ, of pHash and dHash.
    """
    ordered = sorted(prints, key=lambda one: (one.at, one.city, one.id))
    return [
        (ordered[one], ordered[other], (ordered[one].phash ^ ordered[other].phash).bit_count())
        for one, other in near_pairs([one.phash for one in ordered], near=near)
        if (ordered[one].dhash ^ ordered[other].dhash).bit_count() <= confirmed
    ]


def photos(
    prints: Iterable[PhotoPrint], *, city: str, period: str, near: int = NEAR, confirmed: int = CONFIRMED
) -> list[Lead]:
    """Units that sent, to show that something was done, a photo that had been used before: a fact, so no chance is computed.

    Two reports with one photo are none: citizens send one picture twice. Nor are the pictures of one event.

    Args:
        prints: Of the period, and what they are to be compared with: earlier ones, and those of other cities.
        city: Whose units are looked at.
        period: Its name.
        near, confirmed: See `same_photos`.

    Returns:
        A lead for each unit with such photos; trials are its photos of work done. ``data["pairs"]``: case and photo of the
        later one; city, case and photo of the earlier one; bits that differ.
    """
    every = list(prints)
    sent = [one for one in every if one.city == city and one.after]
    used: defaultdict[str, dict[str, list[object]]] = defaultdict(dict)
    cases: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for first, later, bits in same_photos(every, near=near, confirmed=confirmed):
        if later.city != city or not later.after:
            continue
        if first.city == city and first.case == later.case and first.seq == later.seq:
            continue
        used[later.unit].setdefault(later.id, [later.case, later.id, first.city, first.case, first.id, bits])
        cases[later.unit][later.case] = None
    total = sum(map(len, used.values()))
    return [
        Lead(
            kind=Kind.PHOTOS,
            unit=unit,
            period=period,
            cases=tuple(cases[unit])[:MOST_CASES],
            observed=len(pairs),
            trials=sum(one.unit == unit for one in sent),
            expected=0.0,
            rate=total / len(sent),
            p_value=None,
            data={"pairs": list(pairs.values())[:MOST_CASES]},
        )
        for unit, pairs in sorted(used.items())
    ]
