"""Parts of expressions that SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from typing import Any

from django.db.models import DateTimeField, FloatField, Func, TextField


class MomentOf(Func):
    """Microseconds as a moment in UTC."""

    arity = 1
    output_field = DateTimeField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        # whole milliseconds: what strftime knows; finer parts are asked by `fractionalseconds`
        template = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', (%(expressions)s) / 1000000.0, 'unixepoch')"
        return self.as_sql(compiler, connection, template=template, **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="to_timestamp((%(expressions)s) / 1000000.0)", **more)


class DateOf(Func):
    """The date of a moment in UTC, as ``2026-03-02``."""

    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="strftime('%%Y-%%m-%%d', %(expressions)s)", **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = "to_char((%(expressions)s) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
        return self.as_sql(compiler, connection, template=template, **more)


class ClockOf(Func):
    """The time of day of a moment in UTC, as ``04:30:00.000000``."""

    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="strftime('%%H:%%M:%%f', %(expressions)s) || '000'", **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = "to_char((%(expressions)s) AT TIME ZONE 'UTC', 'HH24:MI:SS.US')"
        return self.as_sql(compiler, connection, template=template, **more)


class JsonText(Func):
    """A JSON column as text: a string without its quotes, ``true``, a number as it is written."""

    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = (
            "CASE JSON_TYPE(%(expressions)s) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
            " ELSE CAST(JSON_EXTRACT(%(expressions)s, '$') AS TEXT) END"
        )
        return self._twice(compiler, connection, template, 2, **more)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="((%(expressions)s) #>> '{}')", **more)

    def _twice(self, compiler: Any, connection: Any, template: str, times: int, **more: Any) -> Any:
        text, params = self.as_sql(compiler, connection, template=template, **more)
        return text, [*params] * times


class AsFloat(Func):
    """A JSON value as a number; none where it is no number."""

    arity = 1
    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = "CASE WHEN TYPEOF(%(expressions)s) IN ('integer', 'real') THEN CAST(%(expressions)s AS REAL) END"
        text, params = self.as_sql(compiler, connection, template=template, **more)
        return text, [*params] * 2

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = (
            "CASE WHEN jsonb_typeof(%(expressions)s) = 'number' THEN (%(expressions)s)::text::double precision END"
        )
        text, params = self.as_sql(compiler, connection, template=template, **more)
        return text, [*params] * 2
