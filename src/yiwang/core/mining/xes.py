"""The case log as XES (IEEE 1849-2016, revised as 1849-2023), one trace after the other, so that memory stays bounded.

The extensions used are concept, time, lifecycle and organizational. Attributes of ours carry no prefix, since they belong
to no registered extension.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from xml.sax.saxutils import quoteattr

from yiwang.core.cases.definitions import Workflow
from yiwang.core.cases.fields import DECIDING
from yiwang.core.mining.log import LogCase, LogEvent, stamp

EXTENSIONS = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
)
NOBODY = "-"  # an organizational attribute that is global must be there
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # not allowed in XML 1.0
_TRACE = (*DECIDING.values(), "step", "level", "merged_into", "part_of")


def xes(cases: Iterable[LogCase], *, city: str, name: str, workflow: Workflow) -> Iterator[str]:
    """A log in pieces, to be written one after the other as UTF-8.

    Args:
        cases: Traces, in any order; only one is held at a time.
        city, name: Id and name of the city.
        workflow: Whose verbs the events are; their names go into the log once, so that events can carry ids.
    """
    yield from _head(city=city, name=name, workflow=workflow)
    for case in cases:
        yield _trace(case)
    yield "</log>\n"


def _head(*, city: str, name: str, workflow: Workflow) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<log xes.version="1849-2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">\n'
    for title, prefix, uri in EXTENSIONS:
        yield f'<extension name="{title}" prefix="{prefix}" uri="{uri}"/>\n'
    yield f'<global scope="trace">\n{_text("concept:name", "case")}</global>\n'
    yield '<global scope="event">\n'
    yield _text("concept:name", "verb") + '<date key="time:timestamp" value="1970-01-01T00:00:00+00:00"/>\n'
    yield _text("lifecycle:transition", "complete") + _text("org:resource", NOBODY) + _text("org:role", NOBODY)
    yield "</global>\n"
    yield '<classifier name="Verb" keys="concept:name"/>\n'
    yield '<classifier name="Verb and role" keys="concept:name org:role"/>\n'
    yield _text("concept:name", name) + _text("lifecycle:model", "standard") + _text("city", city)
    yield _text("workflow", f"{workflow.id} {workflow.version}")
    for verb in workflow.verbs.values():
        yield (
            f"<string key={_quote(f'verb.{verb.id}')} value={_quote(verb.name.zh)}>"
            f'<string key="en" value={_quote(verb.name.en)}/></string>\n'
        )


def _trace(case: LogCase) -> str:
    parts = ["<trace>\n", _text("concept:name", case.number)]
    parts += [_text(key, value) for key in _TRACE if (value := getattr(case, key))]
    parts.append(_date("opened_at", case.opened_at))
    if case.closed_at is not None:
        parts.append(_date("closed_at", case.closed_at))
    parts.append(f'<boolean key="overdue" value="{"true" if case.overdue else "false"}"/>\n')
    if case.reports:
        parts.append(f'<int key="reports" value="{len(case.reports)}"/>\n')
    parts += [_event(event) for event in case.events]
    parts.append("</trace>\n")
    return "".join(parts)


def _event(event: LogEvent) -> str:
    before, after = _around(
        event.verb, event.actor, event.role, event.unit, event.from_step, event.to_step, event.holder
    )
    return f'{before}{stamp(event.at)}{after}<int key="seq" value="{event.seq}"/>\n</event>\n'


@lru_cache(maxsize=100_000)
def _around(verb: str, actor: str, role: str, unit: str, from_step: str, to_step: str, holder: str) -> tuple[str, str]:
    """What stands before and after an event's time. The same few people do the same few things, so most are known."""
    after = (
        '"/>\n<string key="lifecycle:transition" value="complete"/>\n',
        _text("org:resource", actor or NOBODY),
        _text("org:role", role or NOBODY),
        _text("org:group", unit) if unit else "",
        _text("from_step", from_step) if from_step else "",
        _text("to_step", to_step),
        _text("holder", holder) if holder else "",
    )
    return f'<event>\n{_text("concept:name", verb)}<date key="time:timestamp" value="', "".join(after)


def _text(key: str, value: str) -> str:
    return f'<string key="{key}" value={_quote(value)}/>\n'


def _date(key: str, value: datetime) -> str:
    return f'<date key="{key}" value="{stamp(value)}"/>\n'


def _quote(value: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", value), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
