from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "sim", "robot", "perception", "calibration", "control")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "stuff", "tools"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 50


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_is_named_after_what_it_holds(path: Path) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*|__init__", path.stem)
    assert not {path.stem, *path.relative_to(ROOT).parts[:-1]} & FORBIDDEN_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_says_what_it_is_for_and_stays_small(path: Path) -> None:
    text = path.read_text()
    if not text.strip():
        return
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_broad_except(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
            assert not caught & {"Exception", "BaseException"}, f"{named(path)}:{node.lineno}"


def test_the_median_file_is_small() -> None:
    lengths = sorted(len(text.splitlines()) for path in SOURCES if (text := path.read_text()).strip())
    assert lengths[len(lengths) // 2] <= 130


def test_tests_have_names_of_their_own() -> None:
    # Without packages pytest tells test files apart by their name alone.
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
