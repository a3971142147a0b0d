"""Benchmarks as a person starts them: comparisons, pages, folders of results, and a cluster of which a worker dies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import main
from sim.benchmark.scenarios import IDENTITY

pytest.importorskip("pyarrow")
BENCH = ["bench", "--looks", "1", "--directions", "forward", "--workers", "1", "model=classical"]
SLOW = "follower.speed.max_speed_mps=0.3"


@pytest.fixture(autouse=True)
def _in_a_folder_with_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.linspace(0, 0.6, 30)
    for number in range(4):
        np.save(f"t{number}.npy", np.stack([x, 0.1 * number * x**2], axis=1))


def records(path: str = "out.json") -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(Path(path).read_text())
    return found


def test_delays_and_robots_are_scenarios_too_and_the_page_shows_all(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--tracks", "t1.npy", "--delays", "100,200", "--robots", "2", "--html", "out.html", "--json", "out.json"]
    assert main([*BENCH, *words, "--against", SLOW]) == 0
    found = records()
    given = [r for r in found if r["setting"] == "given"]
    assert [(r["delay_ms"], r["robot"]) for r in given] == [(100, 0), (100, 1), (200, 0), (200, 1)]
    assert len(found) == 8
    assert len({r["lateral_error_rms_m"] for r in given}) == 4
    assert all(r["camera_to_wheel_ms"] == pytest.approx(r["delay_ms"], abs=1) for r in given if r["robot"] == 0)
    told = capsys.readouterr().out
    assert "mean speed, m/s" in told
    assert "worse" in told
    page = Path("out.html").read_text()
    assert page.count('class=clip id="') == 4
    assert page.count('aria-label="map"') == 4
    # Nothing is fetched from anywhere.
    assert "http" not in page
    assert "<script" not in page


def test_worse_than_the_baseline_is_exit_code_1() -> None:
    tracks = ["--tracks", "t0.npy,t1.npy"]
    main([*BENCH, *tracks, "--json", "base.json"])
    assert main([*BENCH, *tracks, "--compare", "base.json"]) == 0
    assert main([*BENCH, *tracks, "--compare", "base.json", SLOW]) == 1
    # What an older benchmark did not know is taken as it was then.
    old = [{k: v for k, v in r.items() if k not in ("robot", "delay_ms", "setting")} for r in records("base.json")]
    Path("old.json").write_text(json.dumps(old))
    assert main([*BENCH, *tracks, "--compare", "old.json"]) == 0


def test_results_in_parts_merge_and_are_not_driven_again(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*BENCH, "--tracks", "t0.npy,t1.npy,t2.npy"]
    for part in ("1/2", "2/2"):
        assert main([*words, "--results", f"part{part[0]}", "--shard", part]) == 0
    shutil.copytree("part2", "part1", dirs_exist_ok=True)
    capsys.readouterr()
    assert main([*words, "--results", "part1", "--json", "out.json"]) == 0
    assert "3 of them were in part1 already" in capsys.readouterr().out
    main([*words, "--json", "fresh.json"])
    assert records() == records("fresh.json")
    assert main([*words, "--results", "part1", "--json", "out.json", SLOW]) == 0
    assert "already" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shard", "3/2"], "is not I/N"),
        (["--shard", "9/9"], "there are only"),
        (["--looks", "1" * 5000], "from 1 to"),
        (["--seeds", "9" * 20], "give fewer"),
        (["--delays", "fast"], "no list of milliseconds"),
        (["--robots", "0"], "from 1 up"),
        (["--compare", "none.json"], "cannot be read"),
        (["--compare", "junk.json"], "is no JSON"),
        (["--compare", "empty.json"], "holds no records"),
        (["--results", "junk.json"], "takes a folder"),
        (["--results", "damaged"], "remove it"),
        (["--cluster", "localhost"], "tcp://"),
        (["--against", "follower.sped=1"], "unknown key"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("junk.json").write_text("no json")
    Path("empty.json").write_text("[]")
    Path("damaged").mkdir()
    Path("damaged/a.parquet").write_bytes(b"no parquet")
    assert main([*BENCH, "--tracks", "t0.npy", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_cluster_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BENCH, "--tracks", "t0.npy", "--cluster", "tcp://127.0.0.1:9"]) == 1
    told = capsys.readouterr().err
    assert "no scheduler answers" in told
    assert len(told.splitlines()) == 1


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and three workers, as their users start them."""
    pytest.importorskip("distributed")
    root = Path(__file__).parents[2]
    # Nobody's home page, and no processes that outlive a worker.
    options = {"DASK_DISTRIBUTED__WORKER__DAEMON": "True", "PYTHONPATH": str(root), "DASK_SCHEDULER_JUPYTER": "False"}
    env = {**os.environ, **options}
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        started.append(
            subprocess.Popen([sys.executable, "-m", "dask", *words], env=env, cwd=tmp_path, stderr=subprocess.DEVNULL)
        )

    place = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place))
    for _ in range(3):
        start("worker", "--scheduler-file", str(place), "--nthreads", "1", "--no-nanny", "--no-dashboard")
    try:
        while not place.exists() or not place.read_text().strip():
            assert started[0].poll() is None
        yield json.loads(place.read_text())["address"], started[1:]
    finally:
        for process in reversed(started):
            process.kill()
        for process in started:
            process.wait()


def test_a_worker_that_is_killed_costs_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], capsys: pytest.CaptureFixture[str]
) -> None:
    from distributed import Client

    address, workers = cluster
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=300)
    words = ["bench", "--looks", "1", "model=classical", "--tracks", "t0.npy,t1.npy,t2.npy", "--robots", "2"]
    command = [sys.executable, "-m", "app.cli.main", *words, "--cluster", address]
    with subprocess.Popen([*command, "--results", "kept", "--json", "out.json"]) as bench:
        # One dies while it works: all three have something to do until the end is near.
        with Client(address, set_as_default=False) as client:
            while bench.poll() is None and not any(client.processing().values()):
                pass
        workers[0].kill()
        assert bench.wait(timeout=900) == 0
    assert workers[0].wait(timeout=5) == -9
    found = records()
    assert len(found) == len({tuple(r[key] for key in IDENTITY) for r in found}) == 12
    capsys.readouterr()
    # In one process, from nothing: the same numbers.
    assert main([*words, "--workers", "1", "--json", "alone.json", "--shard", "1/4"]) == 0
    assert records("alone.json") == found[::4]
    assert main([*words, "--results", "kept"]) == 0
    assert "12 of them were in kept already" in capsys.readouterr().out
