"""What a workflow is made of, and what the engine works out of it once so that deciding only looks up.

The engine knows *effects* (what suspending or merging does), never names: which verbs exist, who may do them and where
they lead is the pack's. `docs/reference/workflow.md` is the manual of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from yiwang.core.cases.effects import EFFECTS, NONE, REQUESTS, Effect
from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.fields import CARRIED, LOCATION
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.worktime import Limit

MOVES = frozenset({"stay", "down", "up", "across", "back", "centre", "again"})
WHO = frozenset({"any", "holder", "over", "handler", "assisting", "reporter"})
# what people write freely in a verb's form; everybody may read a reply, and the others where the verb says so
WORDS = ("reason", "note", "opinion", "result", "reply")
ALWAYS_PUBLIC = ("reply",)
FROM_RULES = "rules"  # a clock with this limit asks the limits table
NOWHERE = "="  # a verb that leads here leaves the case in its step
ALWAYS_CARRIED = ("reason", "note", "photos", "result", *CARRIED)


GOES_ON, ANEW = "goes_on", "anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A post in the loop.

    Attributes:
        id, name: Key, and the name for people.
        axis: ``supervision``, ``command``, ``handling``, or empty for who works in none.
        outside: Whoever comes from outside has this role: anybody without an account, and accounts without a post. One role at
            most; without one nobody outside can report.
        channel: The source of what this role reports, unless it says another: ``public``, ``hotline``, ``inspector`` …
        inventory: Keeps the component inventory: may change the components of its region and, where that is the whole city,
            bring censuses and decide on them.
        sensing: Keeps what sensors observe: where its region is the whole city, its programs may make, change and delete things,
            datastreams and observations.
        assessment: Where its region is the whole city, it plans inspections and gives notice of red and black lists 考评.
    """

    id: str
    name: Text
    axis: str = ""
    outside: bool = False
    channel: str = ""
    inventory: bool = False
    sensing: bool = False
    assessment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One of the stages that steps belong to."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """How urgent a case is, as triage says it and the limits ask for it; listed for the sake of its name."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A state of the workflow; an ``end`` closes the case."""

    id: str
    name: Text
    stage: str
    end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRule:
    """A clock that verbs start and stop; its limit is a literal or comes from the limits table (``rules``)."""

    id: str
    name: Text
    limit: str

    @property
    def literal(self) -> Limit | None:
        """The stated limit, or None where the table decides."""
        return None if self.limit == FROM_RULES else Limit.parse(self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A transition between two steps, or an operation within one.

    Attributes:
        id, name: Key, and the name for people.
        origins: Steps from which it can be done (``from`` in the file); empty only for the verb that opens a case.
        to: Step it leads to; ``=`` stays.
        roles: Who may; the first that the actor has is the one recorded.
        who: How the actor's unit stands to the holder: ``any`` (the case lies in the actor's region), ``holder``, ``over``
            (holder or a unit above), ``handler`` (a unit that has had the case), ``assisting``, ``reporter``.
        moves: What becomes of custody.
        requires, optional: Fields of the command.
        start, stop, pause, resume, extend: Clocks it touches.
        effect: Operation with a state of its own, or a mark by which it is counted (`effects`).
        tone: How it is marked where people read what has happened: ``bad``; empty is as its effect says.
        max: How often it may be done on one case; 0 is any number.
        before_deadline: Only while the main clock has not run out.
        handles: Who does it counts as a handler.
        not_handler: Who handled may not do it.
        files: Marks the moment of filing (立案).
        longest: How long a suspension may last.
        within_minutes: Only so long after the case came to its holder, and while nothing has been done to it since; 0 is for ever.
        hint: What it does, in a line, for those who choose between verbs with similar names.
        public: Of the words written with it (`WORDS`), those that everybody may read, as moderated. Words are for staff
            unless they stand here; a ``reply`` is always for everybody.
    """

    id: str
    name: Text
    origins: tuple[str, ...] = ()
    to: str
    roles: tuple[str, ...]
    who: str = "any"
    moves: str = "stay"
    requires: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    pause: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    effect: str = ""
    tone: str = ""
    max: int = 0
    before_deadline: bool = False
    handles: bool = False
    not_handler: bool = False
    files: bool = False
    longest: str = "365 calendar_days"
    within_minutes: int = 0
    hint: Text = NO_TEXT
    public: tuple[str, ...] = ()

    def reads_publicly(self, field: str) -> bool:
        """Whether everybody may read what is written into a field."""
        return field in self.public or field in ALWAYS_PUBLIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words that are written often (常用语), offered beside a field of a verb's form.

    Attributes:
        id: Key.
        name: The words themselves.
        field: Which of `WORDS` they are for.
        verbs: In whose forms; empty for all that have the field.
    """

    id: str
    name: Text
    field: str
    verbs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """What the system does as a clock runs.

    Attributes:
        clock: Whose running it watches.
        verb: What the system then does.
        at: As written: ``80%`` of the limit, ``+24 work_hours`` after or ``-2 urgent_hours`` before the deadline.
        share: Share of the limit that has been used; None where ``at`` counts from the deadline.
        offset: Time from the deadline; None where ``at`` is a share.
        early: The offset lies before the deadline.
        steps: Only at these steps; empty for any.
    """

    clock: str
    verb: str
    at: str
    share: float | None
    offset: Limit | None = None
    early: bool = False
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the engine needs of a verb, worked out once.

    Attributes:
        verb: The verb.
        effect: Its effect.
        tone: How it is marked where people read what has happened.
        origins, roles: As sets.
        target: The step it leads to; None where the case stays in its step.
        order: Place of the target among the steps, -1 where the case stays.
        needs: Fields that the command must carry by the names of the payload (``photos`` for ``photo``).
        carries: Fields that are kept in history.
        counts: Names under which it is counted.
        clocks: It touches a clock, enters an end, which stops them all, or leaves one.
        finishes: It reports the work done: the main clock stops and the case goes on.
        ends: It enters an end; ``closes``: one that is a closing.
    """

    verb: Verb
    effect: Effect
    tone: str
    origins: frozenset[str]
    roles: frozenset[str]
    target: Step | None
    order: int
    needs: tuple[str, ...]
    carries: frozenset[str]
    counts: tuple[str, ...]
    clocks: bool
    finishes: bool
    ends: bool
    closes: bool


class _Literals(dict[str, "Limit | None"]):
    """Limits of clocks, read when first asked for: a workflow is made before its words are checked."""

    def __init__(self, clocks: Mapping[str, ClockRule]) -> None:
        super().__init__()
        self._clocks = clocks

    def __missing__(self, name: str) -> Limit | None:
        limit = self[name] = self._clocks[name].literal
        return limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A checked workflow. Look-ups by id; iteration in the order of the file.

    Attributes:
        id, version: Which workflow.
        start: The step of a new case.
        roles, stages, steps, clocks, verbs: Its pieces by id.
        escalations: What the system does as clocks run.
        phrases: Words that are offered in forms.
        priorities: The priorities that triage may give; where none is listed, any word is one.
        main_clock: The clock by which a case is late.
        same_unit: What a new dispatch after a return does to the main clock of the unit that returned the case: it
            ``goes_on`` or begins ``anew``. Another unit always begins anew.
        plans: What the engine needs of each verb.
        order: Place of each step in the loop.
        paths: Ways by which the system itself may carry a new case, by the step they lead to.
        answers: For each kind of request, the steps at which somebody can answer it.
        asked_for: Kinds of request that somebody can make.
        effects: Ids of the effects that its verbs have.
        literals: Each clock's own limit; None where the limits table decides.
    """

    id: str
    version: str
    start: str
    roles: Mapping[str, Role]
    stages: Mapping[str, Stage]
    steps: Mapping[str, Step]
    clocks: Mapping[str, ClockRule]
    verbs: Mapping[str, Verb]
    escalations: tuple[Escalation, ...] = ()
    phrases: Mapping[str, Phrase] = field(default_factory=dict)
    priorities: Mapping[str, Priority] = field(default_factory=dict)
    main_clock: str = "disposal"
    same_unit: str = GOES_ON
    plans: Mapping[str, Plan] = field(init=False, repr=False, compare=False)
    order: Mapping[str, int] = field(init=False, repr=False, compare=False)
    paths: Mapping[str, tuple[Verb, ...]] = field(init=False, repr=False, compare=False)
    answers: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)
    asked_for: frozenset[str] = field(init=False, repr=False, compare=False)
    effects: frozenset[str] = field(init=False, repr=False, compare=False)
    literals: Mapping[str, Limit | None] = field(init=False, repr=False, compare=False)
    _leaving: Mapping[str, tuple[Verb, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        def remember(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        verbs = self.verbs.values()
        remember("order", {step: index for index, step in enumerate(self.steps)})
        remember("plans", {verb.id: self._plan(verb) for verb in verbs})
        remember("_leaving", {step: tuple(verb for verb in verbs if step in verb.origins) for step in self.steps})
        remember("paths", self._paths())
        answered = {
            kind: frozenset(step for verb in verbs if verb.effect in effects for step in verb.origins)
            for kind, effects in REQUESTS.items()
        }
        remember("answers", answered)
        remember("effects", frozenset(verb.effect for verb in verbs))
        remember("asked_for", frozenset(plan.effect.asks for plan in self.plans.values() if plan.effect.asks))
        remember("literals", _Literals(self.clocks))

    def verbs_from(self, step: str) -> tuple[Verb, ...]:
        """Verbs that can be done at a step."""
        return self._leaving.get(step, ())

    def opening(self) -> Verb:
        """The verb that opens a case."""
        return next(verb for verb in self.verbs.values() if not verb.origins)

    @property
    def outside(self) -> Role | None:
        """The role of whoever comes from outside; None where nobody outside may do anything."""
        return next((role for role in self.roles.values() if role.outside), None)

    def outside_roles(self) -> frozenset[str]:
        """The same as the roles of an actor."""
        return frozenset({self.outside.id} if self.outside else ())

    def channel_of(self, roles: frozenset[str]) -> str:
        """The source of what somebody in these roles reports; empty where none of them has one."""
        return next((role.channel for role in self.roles.values() if role.id in roles and role.channel), "")

    def by_effect(self, effect: str) -> Iterator[Verb]:
        """Verbs with an effect."""
        return (verb for verb in self.verbs.values() if verb.effect == effect)

    def _plan(self, verb: Verb) -> Plan:
        effect = EFFECTS.get(verb.effect, NONE)
        target = None if verb.to == NOWHERE else self.steps.get(verb.to)
        ends = target is not None and target.end
        moving = ("unit",) if verb.moves in {"down", "across"} else ()
        named = tuple("photos" if name == "photo" else name for name in (*verb.requires, *verb.optional))
        fields = {*ALWAYS_CARRIED, *named, *moving, *effect.fields}
        if not fields.isdisjoint(LOCATION):
            fields |= {*LOCATION, "flags"}
        touched = (*verb.start, *verb.stop, *verb.pause, *verb.resume, *verb.extend)
        return Plan(
            verb=verb,
            effect=effect,
            tone=verb.tone or effect.tone,
            origins=frozenset(verb.origins),
            roles=frozenset(verb.roles),
            target=target,
            order=-1 if target is None else self.order[target.id],
            needs=tuple("photos" if name == "photo" else name for name in verb.requires),
            carries=frozenset(fields),
            counts=(verb.id,) if verb.effect in {"", verb.id} else (verb.id, verb.effect),
            clocks=bool(touched) or ends or effect.reopens,
            finishes=self.main_clock in verb.stop and not ends and effect.finishes,
            ends=ends,
            closes=ends and not effect.ends,
        )

    def _paths(self) -> dict[str, tuple[Verb, ...]]:
        """Shortest ways by verbs without effect that the system may do, from the start to each step they lead to."""
        paths: dict[str, tuple[Verb, ...]] = {self.start: ()}
        queue = [self.start]
        while queue:
            step = queue.pop(0)
            for verb in self.verbs_from(step):
                if SYSTEM in verb.roles and not verb.effect and verb.to not in {NOWHERE, *paths}:
                    paths[verb.to] = (*paths[step], verb)
                    queue.append(verb.to)
        return paths
