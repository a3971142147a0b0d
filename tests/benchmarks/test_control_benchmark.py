"""The lines that are printed, from tiny real runs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.closed_loop import report_laps
from benchmarks.control import report_pair
from benchmarks.results import emit, markdown
from benchmarks.stretches import DrivePool
from benchmarks.tuned_laws import JETBOT, OURS_ON_JETBOT
from benchmarks.tuning import Plan, tune_and_test
from sim.benchmark.scenarios import Record

ROOT = Path(__file__).resolve().parents[2]
KEYS = ["name", "value", "unit", "target", "better", "context"]
TINY = Plan(
    training=("straight",), tests=("oval", "s-bend"), metres=1.0, by_truth=4, by_engine=3, rungs=2
)  # fmt: skip


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "control.py"), *options]
    return subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False)


def checked(output: str) -> dict[str, dict[str, Any]]:
    records = [json.loads(line) for line in output.splitlines()]
    for record in records:
        assert list(record) == KEYS
        assert isinstance(record["value"], float)
        assert record["target"] is None or isinstance(record["target"], float)
        assert record["better"] in {"higher", "lower"}
        assert record["unit"]
        assert record["context"]
    assert len({record["name"] for record in records}) == len(records)
    return {record["name"]: record for record in records}


def test_laps_are_printed_as_json_lines() -> None:
    done = run("--only", "laps", "--tracks", "s-bend", "--engine", "truth", "--workers", "1")
    assert done.returncode == 0, done.stderr
    lines = checked(done.stdout)
    assert set(lines) == {
        "control_laps_completed", "control_lap_rms_median", "control_lap_rms_worst", "control_lap_p95_median",
        "control_lap_p95_worst", "control_lap_speed_median", "control_lap_speed_lowest",
    }  # fmt: skip
    assert lines["control_laps_completed"]["value"] == 1.0
    assert lines["control_laps_completed"]["context"].startswith("6 laps, simulator's labels")
    assert 0 < lines["control_lap_rms_median"]["value"] <= lines["control_lap_rms_worst"]["value"] < 0.01
    assert lines["control_lap_speed_median"]["value"] >= lines["control_lap_speed_lowest"]["value"] > 0.4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--only", "laps", "--tracks", "Monacoo", "--engine", "truth"), "did you mean 'Monaco'"),
        (("--model", "nothing.onnx"), "nothing.onnx: no such model"),
    ],
)
def test_a_wrong_name_is_told_in_one_line(options: tuple[str, ...], said: str) -> None:
    done = run(*options)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_laws_are_tuned_tested_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with DrivePool(workers=1, engine="truth") as pool:
        ours, theirs = (
            tune_and_test(law, TINY, truth=pool, eyes=pool, told=lambda _: None) for law in (OURS_ON_JETBOT, JETBOT)
        )
    for tested in (ours, theirs):
        assert len(tested.tried) == TINY.by_engine
        assert 1 <= len(tested.rungs) <= TINY.rungs
        assert [len(drives) for drives in tested.driven] == [len(tested.rungs)] * 2
    assert all(speed > 0.3 for speed in ours.speeds_at(0.02))
    report_pair("jetbot", ours, theirs, plan=TINY, context="tiny")
    lines = checked(capsys.readouterr().out)
    assert max(ours.errors_at(0.4)) < 0.01
    for at in ("0.3cm", "0.5cm", "1cm", "2cm", "3cm"):
        assert lines[f"control_linepilot_beside_jetbot_speed_at_{at}"]["unit"] == "m/s"
        assert f"control_jetbot_speed_at_{at}" in lines
    ratios = [line for name, line in lines.items() if "ratio" in name]
    for line in ratios:
        assert line["target"] == 2.0
        assert "95 % interval" in line["context"]


def test_a_plan_drives_every_track_both_ways_in_looks_that_take_turns() -> None:
    pairs = replace(TINY, tests=("oval", "s-bend", "corners", "straight")).both_ways(("oval", "s-bend", "a", "b"))
    assert [[s.direction for s in both] for both in pairs] == [["forward", "reverse"]] * 4
    looks = [both[0].look for both in pairs]
    assert looks[0] == looks[3]
    assert len(set(looks)) == 3


def test_no_test_track_was_trained_on() -> None:
    assert not set(Plan().training) & set(Plan().tests)


def test_a_lap_that_failed_is_counted_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    good: Record = {
        "track": "oval", "look": "white-tape", "direction": "forward", "completed": True,
        "lateral_error_rms_m": 0.01, "lateral_error_p95_m": 0.02, "mean_speed_m_s": 0.6,
    }  # fmt: skip
    lost: Record = {**good, "track": "corners", "completed": False, "lateral_error_rms_m": 0.05, "mean_speed_m_s": 0.3}
    never_began: Record = {**good, "completed": False, "lateral_error_rms_m": float("nan"), "mean_speed_m_s": 0.0}
    report_laps([good, good, lost, never_began], context="test")
    lines = checked(capsys.readouterr().out)
    assert lines["control_laps_completed"]["value"] == 0.5
    assert "corners white-tape forward" in lines["control_laps_completed"]["context"]
    assert lines["control_lap_rms_median"]["value"] == 0.01
    assert lines["control_lap_rms_worst"]["value"] == 0.05
    assert "corners" in lines["control_lap_rms_worst"]["context"]
    assert lines["control_lap_speed_lowest"]["value"] == 0.0


def test_lines_become_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    emit("a", 1.23456, unit="m", target=2.0, better="lower", context="x | y")
    emit("b", 1.0, unit="x", target=2.0, better="higher", context="z")
    emit("c", 3.0, unit="s", target=None, better="higher", context="")
    rows = markdown(["progress, not JSON", *capsys.readouterr().out.splitlines()]).splitlines()
    assert rows[2:] == [
        "| a | 1.2346 | m | <= 2 | yes | x / y |",
        "| b | 1 | x | >= 2 | **no** | z |",
        "| c | 3 | s |  |  |  |",
    ]


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        emit("a", float("nan"), unit="m", target=None, better="lower", context="")
