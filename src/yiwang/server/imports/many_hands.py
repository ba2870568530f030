"""An import by several processes: each decides and writes chunks of its own, each chunk one transaction as ever."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from typing import Any

from yiwang.server.imports import spawning
from yiwang.server.imports.lifecycles import CHUNK, BulkWriter, Lifecycle, Totals, import_batch, pause_gc

Batch = list[Sequence[Lifecycle]]
_WAITING = 2  # batches that wait for each process, so that none stands idle

# what a helping process needs, set when it begins
_city = _origin = ""
_quiet = False


def import_by_many(
    *,
    bundles: Iterable[Sequence[Lifecycle]],
    city: str,
    origin: str,
    quiet: bool,
    processes: int,
    progress: Callable[[int], None] | None = None,
) -> Totals:
    """Like `import_lives`, by so many processes of their own."""
    totals, done = Totals(), 0
    context = multiprocessing.get_context("spawn")
    given = (os.getpid(), city, origin, quiet)
    with ProcessPoolExecutor(processes, mp_context=context, initializer=spawning.begin, initargs=given) as pool:
        pending: dict[Future[dict[str, Any]], int] = {}
        try:
            for batch in batches(bundles):
                pending[pool.submit(_live_and_write, batch)] = sum(map(len, batch))
                if len(pending) >= processes * _WAITING:
                    done += _collect(pending, totals)
                    if progress:
                        progress(done)
            while pending:
                done += _collect(pending, totals)
                if progress:
                    progress(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return totals


def batches(bundles: Iterable[Sequence[Lifecycle]], size: int = CHUNK) -> Iterator[Batch]:
    """Bundles gathered until they are a chunk."""
    batch: Batch = []
    lives = 0
    for bundle in bundles:
        batch.append(bundle)
        lives += len(bundle)
        if lives >= size:
            yield batch
            batch, lives = [], 0
    if batch:
        yield batch


def _collect(pending: dict[Future[dict[str, Any]], int], totals: Totals) -> int:
    """Take in what has been finished; how many lives that were."""
    ended, _ = wait(pending, return_when=FIRST_COMPLETED)
    lives = 0
    for future in ended:
        lives += pending.pop(future)
        for name, count in future.result().items():
            setattr(totals, name, getattr(totals, name) + count)  # numbers add up, lists are joined
    return lives


# --- in the helping process ---------------------------------------------------------------------------------------


def begin(parent: int, city: str, origin: str, quiet: bool) -> None:
    """Remember what this process is to do, and end when its parent does."""
    global _city, _origin, _quiet
    _city, _origin, _quiet = city, origin, quiet
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A helper whose parent was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _live_and_write(batch: Batch) -> dict[str, Any]:
    from yiwang.server.cities.queries import runtime

    writer = BulkWriter(place=runtime(_city), origin=_origin, quiet=_quiet, chunk=1 << 30)
    import_batch(batch, writer)
    with pause_gc():
        writer.flush()
    return asdict(writer.totals)
