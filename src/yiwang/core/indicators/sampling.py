"""Which places are inspected, and by whom: drawn at random, so that anybody can draw them again (双随机, double random).

Before the draw the organiser publishes a commitment: one hash over the plan, the frame, the inspectors and a secret seed.
Afterwards the seed is published. Whoever has the frame then checks the commitment and draws again with SHA-256 alone. A seed
that the organiser chooses could be tried out until the draw pleases; so a commitment may name a public number that is only
known later (a lottery's result, a root of the ledger), which is mixed in.

Places are taken in the order of their hashes, the first n of each stratum: simple random sampling without replacement by
random numbers that stay with the place (E. Ohlsson, Coordination of Samples Using Permanent Random Numbers, in Business
Survey Methods, Wiley 1995). That the hash behaves as a uniform random number is the assumption.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

METHOD = "yiwang-draw/1"
MIN_SEED_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of the frame, which is the list of everything that could be drawn.

    Attributes:
        id: Its code, unique in the frame.
        stratum: The part of the city that it is drawn in.
    """

    id: str
    stratum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspector:
    """Somebody who can be drawn to inspect.

    Attributes:
        id: A code, unique among the inspectors.
        avoids: Strata in which the person has an interest and is never sent to (回避).
    """

    id: str
    avoids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is settled before the draw.

    Attributes:
        id: Name of the inspection.
        places: The frame.
        sample: How many places are drawn, by stratum; a stratum that is not named has none.
        inspectors: Who can be drawn.
        team: How many inspectors go to each place.
        beacon: Name of the public number that is mixed in when it is known; empty for none.
    """

    id: str
    places: tuple[Place, ...]
    sample: Mapping[str, int]
    inspectors: tuple[Inspector, ...]
    team: int = 2
    beacon: str = ""

    def __post_init__(self) -> None:
        """Look whether the plan can be drawn.

        Raises:
            BadInput: With every reason why not.
        """
        sizes = Counter(place.stratum for place in self.places)
        problems = [
            Problem(
                Text(
                    "地点「{place}」在抽样名单中出现了 {count} 次。",
                    "The place {place!r} stands {count} times in the frame.",
                    place=code,
                    count=count,
                ),
                Text("每个地点只出现一次。", "Each place stands there once."),
            )
            for code, count in Counter(place.id for place in self.places).items()
            if count > 1
        ]
        problems += [
            Problem(
                Text(
                    "检查员「{person}」列了 {count} 次。",
                    "The inspector {person!r} is listed {count} times.",
                    person=code,
                    count=count,
                ),
                Text("每人只列一次。", "Each is listed once."),
            )
            for code, count in Counter(inspector.id for inspector in self.inspectors).items()
            if count > 1
        ]
        if self.team < 1:
            problems.append(
                Problem(
                    Text("每组 {team} 人无法检查。", "A team of {team} cannot inspect.", team=self.team),
                    Text("至少 1 人，通常 2 人。", "At least 1; 2 is usual."),
                )
            )
        for stratum, wanted in sorted(self.sample.items()):
            if not 0 <= wanted <= sizes[stratum]:
                problems.append(
                    Problem(
                        Text(
                            "「{stratum}」只有 {size} 个地点，无法抽取 {wanted} 个。",
                            "{wanted} places cannot be drawn in {stratum!r}, which has {size}.",
                            wanted=wanted,
                            stratum=stratum,
                            size=sizes[stratum],
                        ),
                        Text("应在 0 和 {size} 之间。", "Between 0 and {size}.", size=sizes[stratum]),
                    )
                )
            free = sum(stratum not in inspector.avoids for inspector in self.inspectors)
            if wanted and free < self.team:
                problems.append(
                    Problem(
                        Text(
                            "只有 {free} 名检查员可以去「{stratum}」，而每组需要 {team} 人。",
                            "Only {free} inspectors may go to {stratum!r}, a team has {team}.",
                            free=free,
                            stratum=stratum,
                            team=self.team,
                        ),
                        Text("请多列几名检查员。", "List more of them."),
                    )
                )
        if problems:
            raise BadInput(problems)

    def digest(self) -> str:
        """SHA-256 of the plan as one line of JSON, sorted: what the commitment is about. The order of lists is of no matter."""
        content = {
            "method": METHOD,
            "id": self.id,
            "places": sorted([place.id, place.stratum] for place in self.places),
            "sample": dict(sorted(self.sample.items())),
            "inspectors": sorted([person.id, *sorted(person.avoids)] for person in self.inspectors),
            "team": self.team,
            "beacon": self.beacon,
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """A plan as files, tables and `yiwang inspect` keep it."""
    people = [{"id": one.id, "avoids": sorted(one.avoids)} for one in plan.inspectors]
    return asdict(plan) | {"inspectors": people}


def plan_from_json(content: Mapping[str, Any]) -> Plan:
    """The plan that `plan_as_json` wrote.

    Raises:
        BadInput: When it cannot be drawn.
        KeyError, TypeError: When something is missing, or is there that no plan has.
    """
    rest = dict(content)
    places = tuple(Place(**one) for one in rest.pop("places"))
    people = tuple(Inspector(id=one["id"], avoids=frozenset(one["avoids"])) for one in rest.pop("inspectors"))
    return Plan(places=places, inspectors=people, **rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One drawn place.

    Attributes:
        place: Its code.
        stratum: Where it was drawn.
        inspectors: Who goes, in the order drawn.
        weight: How many places of the frame it stands for: those of its stratum over those drawn there.
    """

    place: str
    stratum: str
    inspectors: tuple[str, ...]
    weight: float


def commitment(*, plan: Plan, seed: bytes) -> str:
    """What is published before the draw: SHA-256 over the method, the plan's digest and the seed, as hexadecimal text.

    Raises:
        BadInput: When the seed is so short that it could be guessed from the commitment.
    """
    if len(seed) < MIN_SEED_BYTES:
        raise BadInput(
            Problem(
                Text("{count} 字节的种子可能被猜中。", "A seed of {count} bytes can be guessed.", count=len(seed)),
                Text("至少 {least} 字节。", "At least {least} bytes.", least=MIN_SEED_BYTES),
            )
        )
    return sha256(f"{METHOD}\n{plan.digest()}\n{seed.hex()}".encode()).hexdigest()


def draw(*, plan: Plan, seed: bytes, beacon: str = "") -> tuple[Visit, ...]:
    """Draw the places and who goes there.

    Each place goes to those who may go there and have the fewest visits so far; among equals the hash decides. So the load is
    even, and without avoidances each inspector is as likely as the next at each place.

    Args:
        plan: What is settled.
        seed: The secret that was committed to.
        beacon: The value of the public number that the plan names.

    Returns:
        The visits, by stratum and then in the order drawn.

    Raises:
        BadInput: When the seed is too short, or a beacon is missing or was not announced.
    """
    if bool(beacon) != bool(plan.beacon):
        wanted = (
            Text("请给出「{beacon}」的值。", "Give the value of {beacon!r}.", beacon=plan.beacon)
            if plan.beacon
            else Text("方案没有写公开随机数：请不要填写。", "The plan names none: leave it out.")
        )
        raise BadInput(Problem(Text("公开随机数与方案不符。", "The public number does not fit the plan."), wanted))
    key = f"{commitment(plan=plan, seed=seed)}\n{seed.hex()}\n{json.dumps(beacon)}"
    drawn = [place for stratum in sorted(plan.sample) for place in _first(plan, key=key, stratum=stratum)]
    sizes = Counter(place.stratum for place in plan.places)
    loads: Counter[str] = Counter()
    teams: dict[str, tuple[str, ...]] = {}
    # in an order of its own, so that the first strata of the alphabet are not always those with the free choice
    for place in sorted(drawn, key=lambda place: _number(key, "turn", place.id)):
        free = [person.id for person in plan.inspectors if place.stratum not in person.avoids]
        free.sort(key=lambda person: (loads[person], _number(key, "team", place.id, person)))
        teams[place.id] = tuple(free[: plan.team])
        loads.update(teams[place.id])
    return tuple(
        Visit(
            place=place.id,
            stratum=place.stratum,
            inspectors=teams[place.id],
            weight=sizes[place.stratum] / plan.sample[place.stratum],
        )
        for place in drawn
    )


def verify(
    *, plan: Plan, seed: bytes, beacon: str = "", published: str, visits: Sequence[Visit]
) -> tuple[Problem, ...]:
    """What speaks against a draw: empty when the commitment fits and drawing again gives the same visits.

    Args:
        plan, seed, beacon: As for :func:`draw`.
        published: The commitment that was published beforehand.
        visits: What is said to have been drawn, in any order.
    """
    problems = []
    if commitment(plan=plan, seed=seed) != published:
        problems.append(
            Problem(
                Text(
                    "承诺值不符：抽样名单、检查员、方案或种子与公布的不同。",
                    "The commitment does not fit: the frame, the inspectors, the plan or the seed is another than was published.",
                ),
                Text("公布的是 {published}。", "Published was {published}.", published=published),
            )
        )
    expected = {visit.place: visit for visit in draw(plan=plan, seed=seed, beacon=beacon)}
    claimed = {visit.place: visit for visit in visits}
    if len(claimed) < len(visits):
        problems.append(
            Problem(
                Text("有一个地点被列为抽中两次。", "A place is said to have been drawn twice."),
                Text("每个地点只抽一次。", "Each place is drawn once."),
            )
        )
    for place in sorted(expected.keys() | claimed.keys()):
        if place not in claimed:
            problems.append(
                Problem(Text("{place} 已抽中但未列出。", "{place} was drawn and is not listed.", place=place))
            )
        elif place not in expected:
            problems.append(
                Problem(Text("{place} 已列出但未抽中。", "{place} is listed and was not drawn.", place=place))
            )
        elif claimed[place] != expected[place]:
            problems.append(
                Problem(
                    Text(
                        "{place} 列出的检查员是 {people}。",
                        "{place} is listed with {people}.",
                        place=place,
                        people=", ".join(claimed[place].inspectors),
                    ),
                    Text(
                        "抽中的是 {people}，权重 {weight:g}。",
                        "Drawn was {people} with weight {weight:g}.",
                        people=", ".join(expected[place].inspectors),
                        weight=expected[place].weight,
                    ),
                )
            )
    return tuple(problems)


def allocate(*, sizes: Mapping[str, int], total: int, least: int = 2) -> dict[str, int]:
    """How many places to draw in each stratum: in proportion to its size, but at least ``least``, so that each has a variance.

    Largest remainders; a stratum never gives more than it has. The sum is ``total`` unless the least numbers or the frame
    forbid it.
    """
    numbers = {stratum: min(size, least) for stratum, size in sizes.items()}
    everything = sum(sizes.values())
    while sum(numbers.values()) < min(total, everything):
        # the stratum that is furthest below its share comes next; the name settles ties
        behind = [stratum for stratum in sorted(sizes) if numbers[stratum] < sizes[stratum]]
        chosen = max(behind, key=lambda stratum: sizes[stratum] * total / everything - numbers[stratum])
        numbers[chosen] += 1
    return numbers


def _first(plan: Plan, *, key: str, stratum: str) -> list[Place]:
    inside = [place for place in plan.places if place.stratum == stratum]
    return sorted(inside, key=lambda place: _number(key, "place", place.id))[: plan.sample[stratum]]


def _number(key: str, *parts: str) -> bytes:
    # as JSON, so that no two lists of parts are written alike
    return sha256(f"{key}\n{json.dumps(parts, ensure_ascii=False)}".encode()).digest()
