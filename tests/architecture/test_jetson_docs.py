"""What the page for robots tells a reader to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "jetson.md", *sorted((ROOT / "docker").glob("*.Dockerfile"))]
EXTRAS = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text().split("optional-dependencies]")[1], re.M))


def named(path: Path) -> str:
    return path.name


def _typed(text: str) -> list[str]:
    """What stands in code, not in prose."""
    return [block or word for block, word in re.findall(r"```(.*?)```|`([^`]+)`", text, re.DOTALL)]


def test_there_is_a_container_for_each_jetpack() -> None:
    assert [page.name for page in PAGES[1:]] == ["jetpack6.Dockerfile", "jetpack7.Dockerfile"]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_its_extras_and_commands_exist(page: Path) -> None:
    text = page.read_text()
    extras = {name for found in re.findall(r"(?:linepilot|'\.)\[([\w,]+)\]", text) for name in found.split(",")}
    assert extras
    assert extras <= EXTRAS
    typed = "\n".join(_typed(text))
    assert set(re.findall(r"(?:^|which )linepilot\)? ([a-z]+)", typed, re.M)) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES[1:], ids=named)
def test_no_wheel_hides_the_system_s_opencv(page: Path) -> None:
    text = page.read_text()
    assert "--system-site-packages" in text
    assert "opencv-python" not in text.replace("python3-opencv", "")


def test_the_page_s_files_exist() -> None:
    for name in re.findall(r"docker/\w+\.Dockerfile", PAGES[0].read_text()):
        assert (ROOT / name).is_file()
