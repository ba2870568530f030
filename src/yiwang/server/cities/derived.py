"""What is made out of a city's pack once and then only read: indexes of names and the like."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from yiwang.server.cities.queries import CityRuntime

Made = TypeVar("Made")


class Derived(Generic[Made]):
    """Keeps what a function makes of a city, by the digest of its pack and a part of that.

    Threads that ask for the same thing at once wait for the one that makes it.

    Args:
        make: Takes the city and the part.
        most: How many are kept; the one that has not been asked for the longest goes first.
    """

    def __init__(self, make: Callable[[CityRuntime, Hashable], Made], *, most: int = 16) -> None:
        self._make, self._most = make, most
        self._kept: OrderedDict[tuple[str, Hashable], Made] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, place: CityRuntime, part: Hashable = "") -> Made:
        """What was made of the city in this version of its pack, now where it is missing."""
        key = (place.digest, part)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(place, part)
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
