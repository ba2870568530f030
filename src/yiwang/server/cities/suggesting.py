"""Suggests a category from words, and says why: it counts the words that a category's name and conditions share with them.

Nothing is learned and nothing is hidden: the answer names the words that matched. Chinese is cut into pairs of
characters, other scripts into words; what is rare among the categories weighs more.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from yiwang.packs import Category, Pack
from yiwang.server.cities.queries import CityRuntime

NAME_WEIGHT, HEAD_WEIGHT, CONDITION_WEIGHT, MAJOR_WEIGHT = 3.0, 1.5, 1.2, 0.3
# one character alone says less than a pair; a state says less than a thing; where something lies is not what it is
ALONE, STATE, WHERE = 0.35, 0.35, 0.3
STATE_NAMES = 3
LONGEST = 1000
_HAN = re.compile(r"[\u3400-\u9fff]+")
_ASIDE = re.compile(r"（[^）]*）|\([^)]*\)|异常|: problem")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
_COMMON = frozenset(
    _WORD.findall(
        "the an of or and in on at to is are be it its with for by not no from that this there than when so as other "
        "into problem bad very my our we you they has have been was were near next street road please city out off from"
    )
)
_COMMON_HAN = frozenset(
    _HAN.findall(
        "的人 人在 一个 这里 那里 我们 你们 他们 已经 没有 有人 一直 今天 昨天 明天 问题 异常 门口 路口 附近 旁边 这个 "
        "没人 人清 人管 人扫 那个 或者 以上 以内 不到 请问 希望 处理 小区"
    )
)


# characters that are everywhere and mean nothing alone
_COMMON_ALONE = frozenset(
    "的了是在有没不人一二三四五六七八九十个我你他们这那都又还也很太把被就着过到从和与或及其之为以于上下里外前后左右中旁边口面头子家"
    "大小多少来去出进起好几天日月年晚早夜时候请能要会可么吗呢吧啊点些处市区街路道门用无未非等物设施常异题问管理理公共"
)
# characters that only join others: a pair with one of them is no word
_FUNCTION = frozenset("的了是在有没我你他们这那都又还也很太把被就着个几吗呢吧啊与或及之")
# "on the pavement", "behind the bus stop": the run of characters before a word of place
_PLACED = re.compile(
    r"[\u3400-\u9fff]{1,6}?(?:上面|下面|里面|旁边|后面|前面|对面|中间|门口|附近|边上|[上里旁边])(?![\u3400-\u9fff]?[盖井网水])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A category that fits, how well, and the words that say so."""

    category: Category
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """Weight of each token for the categories that have it."""

    weights: dict[str, list[tuple[str, float]]]


_lock = threading.Lock()
_indexes: dict[str, tuple[str, _Index]] = {}


def suggest(text: str, *, place: CityRuntime, most: int = 4) -> list[Suggestion]:
    """The categories in force that fit the words best, the best first; none when nothing fits."""
    index = _index(place)
    scores: defaultdict[str, float] = defaultdict(float)
    words: defaultdict[str, dict[str, float]] = defaultdict(dict)
    text = text[:LONGEST]
    somewhere = set(tokens("，".join(_PLACED.findall(text))))
    elsewhere = set(tokens(_PLACED.sub("，", text)))
    for token in dict.fromkeys(tokens(text)):
        share = WHERE if token in somewhere and token not in elsewhere else 1.0
        for code, weight in index.weights.get(token, ()):
            scores[code] += weight * share
            words[code][token] = weight * share
    order = sorted(scores, key=lambda code: (-scores[code], code))
    found = []
    for code in order:
        category = place.categories.get(code)
        if category is not None and category.validity.contains(place.day):
            best = sorted(words[code], key=lambda token: -words[code][token])[:4]
            found.append(Suggestion(category=category, score=round(scores[code], 2), words=tuple(best)))
        if len(found) == most:
            break
    # what scores far below the best is noise
    return [item for item in found if item.score >= found[0].score * 0.25]


def tokens(text: str) -> Iterator[str]:
    """The pieces that are compared."""
    for run in _HAN.findall(text):
        for start in range(len(run)):
            pair = run[start : start + 2]
            if len(pair) == 2 and pair not in _COMMON_HAN and not _FUNCTION.intersection(pair):
                yield pair
            if run[start] not in _COMMON_ALONE:
                yield run[start]
    for word in _WORD.findall(text.lower()):
        if word not in _COMMON and len(word) > 2:
            yield _stem(word)


def _stem(word: str) -> str:
    """Roughly: lamps and lamp, parking and park, flooded and flood."""
    for ending in ("ings", "ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _index(place: CityRuntime) -> _Index:
    with _lock:
        known = _indexes.get(place.info.id)
        if known is None or known[0] != place.digest:
            known = (place.digest, _build_index(place.pack))
            _indexes[place.info.id] = known
        return known[1]


def _build_index(pack: Pack) -> _Index:
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)

    states = _states(pack)

    def add(code: str, text: str, weight: float) -> None:
        for token in set(tokens(text)):
            share = (ALONE if len(token) == 1 else 1.0) * (STATE if token in states else 1.0)
            found[token][code] = found[token].get(code, 0.0) + weight * share

    for category in pack.categories.values():
        add(category.code, " ".join(category.major_name.values()), MAJOR_WEIGHT)
        for name in category.name.values():
            plain = _ASIDE.sub("", name)
            pieces = [piece for piece in tokens(plain) if len(piece) > 1]
            # a word that is half of a short name says more than one of many in a long one
            add(category.code, plain, NAME_WEIGHT * (0.6 + 1.2 / max(1, len(pieces))))
            # in Chinese the thing itself stands last: 暴露垃圾 is about rubbish, 垃圾间 about a room
            things = [piece for piece in pieces if len(piece) > 1 and piece not in states]
            if things and name == category.name.zh:
                add(category.code, things[-1], HEAD_WEIGHT)
    described: defaultdict[str, list[str]] = defaultdict(list)
    for (code, _), condition in pack.conditions.items():
        described[code] += condition.text.values()
    for code, texts in described.items():  # a word counts once, in however many conditions it stands
        add(code, " ".join(texts), CONDITION_WEIGHT)
    total = max(1, len(pack.categories))
    weights = {}
    for token, codes in found.items():
        rarity = math.log(1 + total / len(codes))
        weights[token] = [(code, weight * rarity) for code, weight in codes.items() if code in pack.categories]
    return _Index(weights)


def _states(pack: Pack) -> frozenset[str]:
    """Words for how a thing is and not what it is, as the catalogue itself shows them: they end the names of several
    kinds of events (broken, dirty, untidy) and stand in the name of no component."""
    ends: Counter[str] = Counter()
    things: set[str] = set()
    for category in pack.categories.values():
        pieces = [piece for piece in tokens(_ASIDE.sub("", category.name.zh)) if len(piece) == 2]
        if category.kind == "component":
            things.update(pieces)
        elif pieces:
            ends[pieces[-1]] += 1
    return frozenset(token for token, count in ends.items() if count >= STATE_NAMES and token not in things)
