"""The engine of a province: Spark over the same Parquet files, on this machine or on a cluster (``spark://…``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from yiwang.core.indicators.scorecard import Question, Sums
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.engines import sql

MASTER = "local[*]"


@lru_cache(maxsize=1)
def session(master: str = "") -> Any:
    """The Spark session of this process.

    Args:
        master: Where to run; by default ``YIWANG_SPARK_MASTER``, else all cores of this machine.

    Raises:
        BadInput: When pyspark is not installed or there is no Java.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise BadInput(
            Problem(
                Text("没有安装 Spark。", "Spark is not installed."),
                Text(
                    "请执行 pip install 'yiwang[spark]'，并安装 Java 17 或更高版本。",
                    "pip install 'yiwang[spark]', and Java 17 or later.",
                ),
            )
        ) from error
    master = master or os.environ.get("YIWANG_SPARK_MASTER", "") or MASTER
    local = master.startswith("local")
    builder = SparkSession.builder.appName("yiwang").master(master)
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "8" if local else "200",
        "spark.log.level": "ERROR",
    }
    if local:
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        message = Text("Spark 无法启动：{why}", "Spark did not start: {why}", why=str(error))
        hint = Text("需要 Java 17 或更高版本（JAVA_HOME）。", "It needs Java 17 or later (JAVA_HOME).")
        raise BadInput(Problem(message, hint)) from error


def to_spark_sql(text: str) -> str:
    """DuckDB's SQL in Spark's words."""
    import sqlglot

    return sqlglot.transpile(text, read="duckdb", write="spark")[0]


class SparkEngine:
    """Sums over Parquet files that Spark reads.

    Args:
        base: Files or folders with one row a key.
        key: Column that names a row.
        delta: Files whose rows replace those of the base.
        master: Spark's address; see `session`.
    """

    name = "spark"

    _views = count(1)

    def __init__(
        self, *, base: Sequence[str | Path], key: str, delta: Sequence[str | Path] = (), master: str = ""
    ) -> None:
        self.session = session(master)
        facts = self._read(base or delta)
        if base and delta:
            newer = self._read(delta)
            facts = facts.join(newer.select(key), on=key, how="left_anti").unionByName(newer)
        self.facts = f"{sql.FACTS}_{next(self._views)}"  # the session is shared: each engine has a view of its own
        facts.createOrReplaceTempView(self.facts)

    def _read(self, paths: Sequence[str | Path]) -> Any:
        return self.session.read.parquet(*(str(path) for path in paths))

    def answer(self, question: Question) -> Iterable[Sums]:
        rows = self.session.sql(to_spark_sql(sql.query(question, facts=self.facts))).collect()
        return list(sql.sums_of(question, rows))
