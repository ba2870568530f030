"""A simulation for the toy city: what the tests of the simulator share. Small, sloppy, and the same at every run."""

from __future__ import annotations

import tomllib

from yiwang.core.planning.simulation import Parameters, read_parameters

PER_DAY = 240.0
RETURNED, TAKEN = 0.2, 0.8  # shares at the step "dispatched"
REWORKED, PASSED = 0.25, 0.75  # shares at the step "checking"
TOML = f"""
seed = 7
names = ["甲", "乙", "丙", "丁"]

[arrivals]
per_day = {PER_DAY}
hours = [1, 1, 1, 1, 1, 1, 2, 4, 8, 8, 8, 6, 4, 4, 6, 8, 8, 6, 4, 2, 2, 2, 1, 1]
weekdays = [1.2, 1.1, 1.0, 1.0, 1.0, 0.9, 0.8]
sources = {{ public = 0.5, inspector = 0.3, hotline = 0.2 }}

[places]
"9001" = 3
"9002" = 1

[[trouble]]
category = "02001"
weight = 3
months = [1, 1, 1, 1, 1, 1, 4, 4, 1, 1, 1, 1]
texts = ["路口有一堆垃圾", "垃圾没有清"]
[[trouble]]
category = "01002"
weight = 1
texts = ["路灯不亮"]

[[behaviour]]
step = "accepted"
verb = "file"
role = "leader"
minutes = [1, 5, 20]
working = false
[[behaviour]]
step = "filed"
verb = "dispatch"
role = "dispatcher"
minutes = [1, 5, 20]
working = false
[[behaviour]]
step = "dispatched"
verb = "take"
role = "handler"
share = {TAKEN}
minutes = [5, 20, 60]
working = false
crew = true
[[behaviour]]
step = "dispatched"
verb = "return"
role = "handler"
share = {RETURNED}
minutes = [5, 20, 60]
working = false
payload = {{ reason = ["不归我们管", "位置不对"] }}
[[behaviour]]
step = "handling"
verb = "finish"
role = "handler"
share = 0.9
minutes = [20, 60, 240]
working = false
payload = {{ note = ["清了", "修好了"] }}
[[behaviour]]
step = "handling"
verb = "ask_extension"
role = "handler"
share = 0.1
minutes = [10, 20, 30]
working = false
payload = {{ reason = "等配件" }}
[[behaviour]]
step = "handling"
verb = "refuse"
role = "dispatcher"
minutes = [5, 10, 20]
working = false
pending = "extend"
payload = {{ reason = "不必" }}
[[behaviour]]
step = "feedback"
verb = "ask_check"
role = "intake"
minutes = [2, 5, 20]
working = false
[[behaviour]]
step = "checking"
verb = "check"
role = "inspector"
share = {PASSED}
minutes = [10, 30, 90]
working = false
[[behaviour]]
step = "checking"
verb = "rework"
role = "inspector"
share = {REWORKED}
minutes = [10, 30, 90]
working = false
payload = {{ reason = "没有清干净" }}
[[behaviour]]
step = "checked"
verb = "close"
role = "leader"
minutes = [1, 5, 20]
working = false
"""


def parameters(**changes: object) -> Parameters:
    """The people of the toy city; ``changes`` replace top-level keys of the file, ``arrivals__per_day`` one below."""
    data = tomllib.loads(TOML)
    for name, value in changes.items():
        table, _, key = name.rpartition("__")
        (data[table] if table else data)[key] = value
    return read_parameters(data)
