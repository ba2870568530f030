"""The toy city with simulated sensors, and the hours for which they are simulated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
CITY = "pretended"  # not the toy city, whose installation other tests keep
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
SINCE = NOW - timedelta(hours=20)
TOML = """
seed = 11
[faults]
stuck = 0.2
gap = 0.2
[[group]]
id = "underpass"
name = "模拟下穿通道"
name_en = "Simulated underpass"
regions = ["9001"]
count = 3
streams = [
    { kind = "water_level", observed = "water level", every = 30 },
    { kind = "rain", observed = "rain", every = 60 },
]
[[group]]
id = "bin"
name = "模拟垃圾桶"
name_en = "Simulated bin"
points = [[120.003, 31.003], [120.004, 31.003]]
streams = [{ kind = "bin_fill", observed = "fill level", every = 600 }]
"""


def simulated_pack(folder: Path) -> Path:
    """The toy pack with simulated sensors, which its rules are for."""
    pack = Path(copytree(MINI, folder))
    (pack / "simulated.toml").write_text(TOML, encoding="utf-8")
    about = pack / "pack.toml"
    about.write_text(about.read_text(encoding="utf-8").replace('id = "mini"', f'id = "{CITY}"', 1), encoding="utf-8")
    rules = pack / "sensing.toml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("underpass-*", "*underpass-*"), encoding="utf-8")
    return pack
