"""Tables of benchmark results."""

from __future__ import annotations

from benchmarks.table import markdown


def test_a_target_is_judged_by_its_direction_and_its_absence_is_not() -> None:
    record = {"name": "n", "value": 2.0, "unit": "x", "target": 3.0, "better": "higher", "context": "a | b"}
    rows = markdown([record, {**record, "better": "lower"}, {**record, "target": None}]).splitlines()[2:]
    assert rows == [
        "| n | 2 | x | ≥ 3 | **no** | a / b |",
        "| n | 2 | x | ≤ 3 | yes | a / b |",
        "| n | 2 | x |  |  | a / b |",
    ]
