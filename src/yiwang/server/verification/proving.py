"""What the ledger says of one case, for its page and its file: is the chain whole, what is sealed, and the proof."""

from __future__ import annotations

from typing import Any

from yiwang.core.cases.ledger import STREAM, event_record, verify_chain
from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.api import CaseDetail, Event
from yiwang.server.ledger import api
from yiwang.server.verification import ledger


def ledger_of(*, detail: CaseDetail) -> dict[str, Any]:
    """The chain check over every event as stored, the hashes, and the inclusion proof of the newest sealed event.

    Returns:
        ``fault`` (a sentence, or empty), ``hashes`` by seq, ``sealed`` (seqs that are under a root), ``proof`` (of
        `ledger.prove`, or None where nothing is sealed yet), ``path`` (its steps).
    """
    number = detail.state.number
    city = detail.values["city"]
    rows = list(Event.objects.filter(case_id=detail.values["id"]).order_by("seq").values_list("seq", "hash", "id"))
    hashes = {seq: bytes(digest) for seq, digest, _ in rows}
    placed = api.positions(stream=STREAM, city=city, keys=[event for *_, event in rows])
    fault = verify_chain(
        number=number,
        events=[event_record(event) for event in detail.events],
        hashes=[hashes.get(event.seq) for event in detail.events],
        head_hash=detail.head_hash,
        head_seq=detail.state.seq,
    )
    sealed = {seq: placed[event] for seq, _, event in rows if event in placed}
    try:
        proof = ledger.prove(number=number) if sealed else None
    except (BadInput, api.LogMismatch):
        proof = None
    return {
        "fault": fault.sentence if fault else "",
        "hashes": {seq: digest.hex() for seq, digest in hashes.items()},
        "sealed": sealed,
        "unsealed": len(rows) - len(sealed),
        "proof": proof,
        "path": proof["proof"] if proof else [],
    }
