from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.cli.extras import extra_of, remedy_for

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_FOR_OUR_OWN_WORK = {"docs", "dev", "browser"}
_IMPORTED_AS = {
    "Jetson.GPIO": "Jetson", "foxglove-sdk": "foxglove", "huggingface-hub": "huggingface_hub", "pyserial": "serial",
    "ruamel.yaml": "ruamel",
}  # fmt: skip


def _extras() -> dict[str, list[str]]:
    """Names of packages by extra. Python 3.10 has no reader of TOML."""
    section = _PROJECT.read_text().partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    lists = re.findall(r"^(\w+) = \[(.*?)\]$", section, re.MULTILINE | re.DOTALL)
    return {name: re.findall(r'"([\w.-]+)', packages) for name, packages in lists if name not in _FOR_OUR_OWN_WORK}


def test_every_package_of_every_extra_is_advised_with_its_extra() -> None:
    extras = _extras()
    assert len(extras) > 5
    for extra, packages in extras.items():
        for package in packages:
            assert extra_of(_IMPORTED_AS.get(package, package)) == extra, package


def test_no_package_is_in_two_extras() -> None:
    packages = [package for packages in _extras().values() for package in packages]
    assert len(packages) == len(set(packages))


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("torch", "linepilot[train]"),
        ("pyarrow.parquet", "linepilot[parquet]"),
        ("ruamel.yaml", "linepilot[tune]"),
        ("Jetson.GPIO", "linepilot[jetson]"),
        ("cv2", "docs/jetson.md"),
        ("rich", "pip install -e . again"),
        ("app.cli.nothing", "pip install -e . again"),
    ],
)
def test_a_missing_module_has_its_remedy(module: str, said: str) -> None:
    assert said in remedy_for(module)
