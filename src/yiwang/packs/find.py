"""Where packs are: a folder that is named, or an id among the packs at hand."""

from __future__ import annotations

from pathlib import Path

import yiwang
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.packs.hints import did_you_mean

# In a wheel the packs lie inside the package; in a checkout src/yiwang/__init__.py → the repository's packs/.
_PACKAGE = Path(yiwang.__file__).resolve().parent
_SHIPPED = (_PACKAGE / "shipped_packs", _PACKAGE.parents[1] / "packs")


def pack_folders(*more: Path) -> dict[str, Path]:
    """Folders with a `pack.toml` by folder name: below ``more`` first, then `packs/` here, then the packs shipped."""
    found: dict[str, Path] = {}
    for base in (*more, Path("packs"), *_SHIPPED):
        if base.is_dir():
            for file in sorted(base.glob("*/pack.toml")):
                found.setdefault(file.parent.name, file.parent)
    return found


def find_pack(name: str, *more: Path) -> Path:
    """The folder of a pack.

    Args:
        name: A path, or an id.
        more: Folders of packs to look in before the usual ones.

    Raises:
        BadInput: there is none; the ids at hand are named.
    """
    path = Path(name)
    if (path / "pack.toml").is_file():
        return path
    folders = pack_folders(*more)
    if name in folders:
        return folders[name]
    hint = did_you_mean(name, folders) or Text(
        "现有的城市包：{known}。",
        "Packs at hand: {known}.",
        known=", ".join(sorted(folders)) or Text("无", "none"),
    )
    if path.is_dir():
        message = Text(
            "文件夹「{name}」中没有 pack.toml，不是城市包。",
            "The folder {name!r} holds no pack.toml, so it is no pack.",
            name=name,
        )
        raise BadInput(Problem(message, hint))
    message = Text(
        "没有「{name}」这个城市包：既不是文件夹，也不是已有的 id。",
        "There is no pack {name!r}, neither as a folder nor by id.",
        name=name,
    )
    raise BadInput(Problem(message, hint))
