"""Long work on the inventory as background jobs: a dry run, taking a census up, deciding on many findings.

What is small is done while the person waits, in the same way and with the same row that says how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem, YiwangError
from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import (
    Options,
    Taken,
    census_of,
    decide,
    save_columns,
    take_census,
)
from yiwang.server.common import operations as common
from yiwang.server.common.app import Progress
from yiwang.server.common.models import Job
from yiwang.server.inventory import uploads

CHECK, TAKE, DECIDE = "census-check", "census-take", "census-decide"
AT_ONCE_BYTES = 2_000_000
AT_ONCE_FINDINGS = 4_000


def options_of(parameters: Mapping[str, Any]) -> Options:
    """How a file is read, as a job's parameters say it."""
    return Options(
        columns=parameters["columns"],
        crs=parameters["crs"],
        within=parameters["within"],
        tolerance=parameters["tolerance"],
    )


def ask_check(survey: uploads.SurveyFile, parameters: Mapping[str, Any]) -> None:
    """Try a file: at once where it is small, else in the background."""
    small = survey.path.stat().st_size <= AT_ONCE_BYTES
    _ask(CHECK, survey.city, survey.token, dict(parameters), at_once=check_job if small else None)


def check_job(job: Job, progress: Progress) -> dict[str, Any]:
    """A dry run; its result is kept with the job."""
    survey = _survey(job)
    taken = take_census(
        city=job.city,
        kind=survey.kind,
        path=survey.path,
        options=options_of(job.parameters),
        dry_run=True,
        name=survey.name,
        progress=progress,
    )
    return _result(taken)


def was_checked(survey: uploads.SurveyFile, parameters: Mapping[str, Any]) -> bool:
    """Whether the last dry run read the file in the same way and has ended."""
    last = Job.objects.filter(kind=CHECK, city=survey.city, key=survey.token, state=Job.State.DONE).first()
    return last is not None and _reading(last.parameters) == _reading(parameters)


def _reading(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameters.get(name) for name in ("columns", "crs", "within", "tolerance")}


def ask_take(survey: uploads.SurveyFile, parameters: Mapping[str, Any], *, by: str) -> None:
    """Have a file taken up in the background."""
    common.ask_job(kind=TAKE, city=survey.city, key=survey.token, parameters={**parameters, "by": by}, again=True)


def take_job(job: Job, progress: Progress) -> dict[str, Any]:
    """Take a file up; begun again, it goes on where it was stopped."""
    survey, said = _survey(job), job.parameters
    if said.get("save_as"):
        save_columns(city=job.city, name=said["save_as"], columns=said["columns"], by=said["by"])
    taken = take_census(
        city=job.city,
        kind=survey.kind,
        path=survey.path,
        options=options_of(said),
        by=said["by"],
        name=survey.name,
        progress=progress,
    )
    uploads.forget_survey(job.key)
    return {**_result(taken), "census": taken.census}


def ask_decide(*, city: str, census: int, accept: bool, outcome: str, by: str, number: int) -> int | None:
    """Decide on all open findings of an outcome: how many, or None when that is done in the background."""
    parameters = {"census": census, "yes": accept, "outcome": outcome, "by": by}
    key = f"{census}-{outcome}-{'yes' if accept else 'no'}"
    result = _ask(DECIDE, city, key, parameters, at_once=decide_job if number <= AT_ONCE_FINDINGS else None)
    return None if result is None else int(result["decided"])


def decide_job(job: Job, progress: Progress) -> dict[str, Any]:
    """Decide on all open findings of an outcome; what is decided already is left as it is."""
    said = job.parameters
    census = census_of(city=job.city, key=said["census"])
    if census is None:
        raise BadInput(Text("没有这次普查。", "There is no such census."))
    decided = decide(census=census, accept=said["yes"], by=said["by"], outcomes=[said["outcome"]])
    progress(decided, decided)
    return {"decided": decided}


def _ask(
    kind: str,
    city: str,
    key: str,
    parameters: dict[str, Any],
    *,
    at_once: Callable[[Job, Progress], dict[str, Any]] | None,
) -> dict[str, Any] | None:
    """A job: done here and now where that is asked for (its result), else queued."""
    if at_once is None:
        common.ask_job(kind=kind, city=city, key=key, parameters=parameters, again=True)
        return None
    begun = common.begin_job(kind=kind, city=city, key=key, parameters=parameters)
    if begun is None:  # somebody is at work on the same
        return None
    job = Job.objects.get(pk=begun)
    try:
        result = at_once(job, lambda done, total: None)
    except YiwangError as error:
        common.fail(job=begun, why=error.text)
        raise
    common.finish(job=begun, result=result)
    return result


def _survey(job: Job) -> uploads.SurveyFile:
    survey = uploads.survey_file(job.key, city=job.city)
    if survey is None:
        raise BadInput(
            Problem(
                Text("文件已不在服务器上。", "The file is no longer on the server."),
                Text("请重新上传。", "Bring it again."),
            )
        )
    return survey


def _result(taken: Taken) -> dict[str, Any]:
    return {
        "rows": taken.rows,
        "counts": dict(taken.counts),
        "problems": [
            {"row": one.row, "column": one.column, "message": _said(one.message), "hint": _said(one.hint)}
            for one in taken.problems
        ],
    }


def _said(text: Text) -> dict[str, str]:
    """A text with its values in it, as JSON keeps it."""
    return {tag: text.into(tag) for tag in text}
