"""Long jobs as background tasks: who does which kind, and its progress in the job's row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django_tasks import task

from yiwang.core.kernel.errors import YiwangError
from yiwang.core.kernel.text import Text
from yiwang.server.common import app
from yiwang.server.common import operations as common
from yiwang.server.common.app import Progress
from yiwang.server.common.models import Job

log = logging.getLogger("yiwang.jobs")


@task()
def run_job(job_id: int) -> None:
    """Do one job. Every kind is resumable, so a job that was killed is simply begun again."""
    job = Job.objects.get(pk=job_id)
    with suppress(YiwangError):  # the job's row says it
        carry_out(job=job_id, work=lambda progress: app.jobs()[job.kind](job, progress))


def carry_out(*, job: int, work: Callable[[Progress], dict[str, Any]]) -> dict[str, Any]:
    """Do the work of a job that is said to be running: with signs of life, its progress, and its end in the job's row.

    Args:
        job: Its id.
        work: Called with what takes (done, total).

    Returns:
        What the work returned. What it raised is raised again.
    """

    def progress(done: int, total: int) -> None:
        common.progress(job=job, done=done, total=total)

    try:
        with common.keep_alive(job=job):
            result = work(progress)
    except YiwangError as error:
        common.fail(job=job, why=error.text)
        raise
    except KeyboardInterrupt:
        common.fail(job=job, why=Text("被人中断，再次运行会接着做", "It was interrupted; run again, it goes on"))
        raise
    except Exception as error:
        common.fail(
            job=job,
            why=Text("出错了，日志里有详情：{error}", "It failed; the log has the details: {error}", error=error),
        )
        raise
    else:
        if "version" in result:
            said = Text(
                "{city} 第 {version} 版", "{city}, version {version}", city=result["city"], version=result["version"]
            )
        else:
            said = Text("{cases:,} 件案卷", "{cases:,} cases", cases=result.get("cases", 0))
        if result.get("left_out"):
            said = Text(
                "{said}，{rows:,} 行未采用", "{said}, {rows:,} rows left out", said=said, rows=result["left_out"]
            )
        common.finish(job=job, result=result, said=said)
        return result
