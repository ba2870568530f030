"""JSON Patch (RFC 6902): an entity as its owner would write it, and operations on it."""

from __future__ import annotations

from typing import Any

import jsonpatch
import orjson

from yiwang.core.kernel.refusals import Conflict
from yiwang.core.kernel.text import Text
from yiwang.server.sensorthings.entities import EntityType, Row
from yiwang.server.sensorthings.taking import wrong

MOST = 200  # operations of a request
LARGEST = 1_000_000  # bytes of an entity at any time: operations that copy may double it each time


def as_written(kind: EntityType, row: Row) -> dict[str, Any]:
    """The entity with its properties and the ends of its links, as a client would write the whole of it."""
    ends = {name: {"@iot.id": row[at]} for name, at in kind.ends.items() if row[at] is not None}
    return {**kind.show(row), **ends}


def patched(entity: dict[str, Any], patch: Any) -> Any:
    """The entity after the operations of a patch.

    Raises:
        BadInput: The patch cannot be read or does not fit the entity; says which operation.
        Conflict: A ``test`` does not hold.
    """
    if not isinstance(patch, list) or not 0 < len(patch) <= MOST:
        raise wrong(
            "",
            "JSON Patch 应为 1 到 {most} 个操作的列表。",
            "A JSON Patch is a list of 1 to {most} operations.",
            most=MOST,
        )
    found: Any = entity
    for number, operation in enumerate(patch):
        at = f"[{number}]"
        try:
            found = jsonpatch.JsonPatch([operation]).apply(found)
            size = len(orjson.dumps(found))  # refuses what is nested too deeply
        except jsonpatch.JsonPatchTestFailed:
            raise Conflict(
                Text(
                    "第 {number} 个操作的 test 不成立，未作任何修改。",
                    "The test of operation {number} does not hold; nothing was changed.",
                    number=number + 1,
                ),
                field=at,
            ) from None
        except (
            jsonpatch.JsonPatchException,
            jsonpatch.JsonPointerException,
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
        ) as error:
            raise wrong(
                at,
                "第 {number} 个操作无法执行：{why}",
                "Operation {number} cannot be done: {why}",
                number=number + 1,
                why=str(error)[:200],
            ) from None
        if size > LARGEST:
            raise wrong(at, "实体超过 {most} 字节。", "The entity gets larger than {most} bytes.", most=LARGEST)
    return found
