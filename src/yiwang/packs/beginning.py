"""`yiwang pack new`: a small pack that checks without a fault, for a city's staff to begin with."""

from __future__ import annotations

from pathlib import Path

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.info import ID_HINT, RESERVED_IDS, is_id

TEMPLATE = Path(__file__).parent / "template"
_LONGEST_PREFIX = 12  # of numbers, so that they stay short enough to be said on the telephone


def write_pack(id: str, path: Path) -> list[str]:
    """Write a pack's files into a new or empty folder.

    Args:
        id: Of the city: small letters, digits and single dashes.
        path: The folder.

    Returns:
        Names of the files written.

    Raises:
        BadInput: The id cannot be one, or something is in the folder already; then nothing is written.
    """
    if not is_id(id):
        raise BadInput(Problem(Text("「{id}」不能作 id。", "{id!r} is no id.", id=id), ID_HINT, column="id"))
    if id in RESERVED_IDS:
        message = Text("「{id}」是本站自身的网址。", "{id!r} is an address of the site itself.", id=id)
        raise BadInput(Problem(message, Text("请用城市的名称。", "Take the city's name."), column="id"))
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        message = Text(
            "{path} 已存在，且不是空文件夹。", "{path} exists already and is not an empty folder.", path=str(path)
        )
        raise BadInput(Problem(message, Text("请另写一个新文件夹。", "Name a new folder.")))
    names = sorted(file.relative_to(TEMPLATE).as_posix() for file in TEMPLATE.rglob("*") if file.is_file())
    prefix = id.replace("-", "").upper()[:_LONGEST_PREFIX]
    try:
        for name in names:
            text = (TEMPLATE / name).read_text(encoding="utf-8").replace("@ID@", id).replace("@PREFIX@", prefix)
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(text, encoding="utf-8")
    except OSError as error:
        message = Text(
            "{path} 无法写入：{why}。", "{path} cannot be written: {why}.", path=str(path), why=error.strerror
        )
        raise BadInput(Problem(message, Text("请写一个您有权写入的文件夹。", "Name a folder of yours."))) from error
    return names
