"""What is wrong with a request that does not fit its description, in the caller's language.

The English words are pydantic's, the Chinese ones leave out what it says in English only; a kind that is not here is said
in Chinese as a fault of any kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yiwang.core.kernel.text import Text

# by pydantic's type of error, https://docs.pydantic.dev/latest/errors/validation_errors/
WORDS = {
    "missing": Text("缺少这一项", "Field required"),
    "extra_forbidden": Text("不认识这一项", "Extra inputs are not permitted"),
    "json_invalid": Text("不是有效的 JSON", "Invalid JSON: {error}"),
    "json_type": Text("应为 JSON", "JSON input should be string, bytes or bytearray"),
    "model_attributes_type": Text(
        "应为 JSON 对象", "Input should be a valid dictionary or object to extract fields from"
    ),
    "model_type": Text("应为 JSON 对象", "Input should be a valid dictionary or instance of {class_name}"),
    "dict_type": Text("应为 JSON 对象", "Input should be a valid dictionary"),
    "list_type": Text("应为列表", "Input should be a valid list"),
    "string_type": Text("应为文字", "Input should be a valid string"),
    "string_too_short": Text("至少 {min_length} 个字符", "String should have at least {min_length} characters"),
    "string_too_long": Text("最多 {max_length} 个字符", "String should have at most {max_length} characters"),
    "string_pattern_mismatch": Text("应符合格式「{pattern}」", "String should match pattern '{pattern}'"),
    "too_long": Text(
        "最多 {max_length} 项，现有 {actual_length} 项", "At most {max_length} items, not {actual_length}"
    ),
    "int_type": Text("应为整数", "Input should be a valid integer"),
    "int_parsing": Text("应为整数", "Input should be a valid integer, unable to parse string as an integer"),
    "int_from_float": Text("应为整数", "Input should be a valid integer, got a number with a fractional part"),
    "float_type": Text("应为数字", "Input should be a valid number"),
    "float_parsing": Text("应为数字", "Input should be a valid number, unable to parse string as a number"),
    "finite_number": Text("应为有限的数字", "Input should be a finite number"),
    "bool_parsing": Text("应为 true 或 false", "Input should be a valid boolean, unable to interpret input"),
    "bool_type": Text("应为 true 或 false", "Input should be a valid boolean"),
    "greater_than": Text("应大于 {gt}", "Input should be greater than {gt}"),
    "greater_than_equal": Text("不能小于 {ge}", "Input should be greater than or equal to {ge}"),
    "less_than": Text("应小于 {lt}", "Input should be less than {lt}"),
    "less_than_equal": Text("不能大于 {le}", "Input should be less than or equal to {le}"),
    "literal_error": Text("应为 {expected}", "Input should be {expected}"),
    "enum": Text("应为 {expected}", "Input should be {expected}"),
    "datetime_parsing": Text("不是有效的时间", "Input should be a valid datetime, {error}"),
    "datetime_from_date_parsing": Text("不是有效的日期或时间", "Input should be a valid datetime or date, {error}"),
    "moment_out_of_range": Text("年份应在 {first} 到 {last} 之间", "The year should be {first} to {last}"),
    "timezone_aware": Text("时间须带时区", "Input should have timezone info"),
    "date_parsing": Text("不是有效的日期", "Input should be a valid date in the format YYYY-MM-DD, {error}"),
    "date_from_datetime_parsing": Text("不是有效的日期", "Input should be a valid date or datetime, {error}"),
}


def words(error: Mapping[str, Any]) -> Text:
    """One of pydantic's errors in words."""
    known = WORDS.get(str(error["type"]))
    if known is None:
        return Text("这一项不符合要求", str(error["msg"]))
    return known.with_values(**error.get("ctx", {}))
