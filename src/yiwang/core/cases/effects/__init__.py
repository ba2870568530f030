"""The effects that a workflow's verbs may have; see `effect` for what one is and `docs/reference/workflow.md` for each."""

from yiwang.core.cases.effects.appeals import APPEAL, APPEAL_APPROVE, APPEAL_ENDORSE, APPEAL_REFUSE
from yiwang.core.cases.effects.assignment import TO_PERSON
from yiwang.core.cases.effects.assistance import ASSIST_ASK, ASSIST_DONE
from yiwang.core.cases.effects.duplicates import ABSORB, MERGE
from yiwang.core.cases.effects.effect import BAD, NONE, TONES, Effect, by_id
from yiwang.core.cases.effects.extension import EXTEND_APPROVE, EXTEND_ASK
from yiwang.core.cases.effects.marks import CORRECT, NOTE, ON_THE_SPOT, REJECT, VOID
from yiwang.core.cases.effects.rating import RATE
from yiwang.core.cases.effects.recall import RECALL
from yiwang.core.cases.effects.requests import REFUSE_REQUEST
from yiwang.core.cases.effects.rounds import REOPEN, RETURN, REWORK
from yiwang.core.cases.effects.splitting import SPLIT
from yiwang.core.cases.effects.supervision import ESCALATE, SUPERVISE
from yiwang.core.cases.effects.suspension import RESUME, SUSPEND_APPROVE, SUSPEND_ASK

__all__ = ["BAD", "EFFECTS", "NONE", "REQUESTS", "TONES", "Effect"]

EFFECTS = by_id(
    NONE, CORRECT, EXTEND_ASK, EXTEND_APPROVE, SUSPEND_ASK, SUSPEND_APPROVE, REFUSE_REQUEST, RESUME, RETURN, REWORK, REJECT, VOID,
    ON_THE_SPOT, SUPERVISE, ASSIST_ASK, ASSIST_DONE, MERGE, ABSORB, SPLIT, APPEAL, APPEAL_ENDORSE, APPEAL_APPROVE, APPEAL_REFUSE,
    REOPEN, RATE, RECALL, TO_PERSON, ESCALATE, NOTE,
)  # fmt: skip
# kinds of request, with the effects that answer them
REQUESTS = {
    asking.asks: tuple(effect.id for effect in EFFECTS.values() if asking.asks in effect.answers)
    for asking in EFFECTS.values()
    if asking.asks
}
