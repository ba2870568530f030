"""The wheel as somebody would use it who has no checkout: installed by pip, run in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import psutil
import pytest

from .test_serving import free_port, wait_for_answer

ROOT = Path(__file__).resolve().parents[2]


def done(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


@pytest.mark.slow
def test_an_installed_wheel_serves_both_cities(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    done(uv, "build", "-q", "--wheel", "--out-dir", tmp_path / "dist", cwd=ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {"yiwang/server/static/build/manifest.json", "yiwang/shipped_packs/wuxi/pack.toml"} <= inside
    done(uv, "venv", "-q", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    python, empty = tmp_path / "venv" / "bin" / "python", tmp_path / "empty"
    empty.mkdir()
    locked = ("--require-hashes", "-r", ROOT / "requirements.txt")
    done(uv, "pip", "install", "-q", "--python", python, *locked, cwd=empty)
    done(uv, "pip", "install", "-q", "--python", python, "--no-deps", wheel, cwd=empty)
    assert str(tmp_path / "venv") in done(python, "-c", "import yiwang; print(yiwang.__file__)", cwd=empty)

    port = free_port()
    environment = {**os.environ, "YIWANG_HOME": str(empty / "home")}
    for name in ("YIWANG_DATABASE_URL", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [tmp_path / "venv" / "bin" / "yiwang", "demo", "--port", str(port), "--workers", "1"],
        cwd=empty,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        for path in ("/wuxi/", "/boston/", "/static/build/icons/field-192.png"):
            assert wait_for_answer(base + path, process) == 200
        with urllib.request.urlopen(f"{base}/wuxi/map") as page:
            assert b"/static/build/assets/city-map-" in page.read()
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.communicate()
