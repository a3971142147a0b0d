"""Two real processes that train one network over gloo, as torchrun starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from control.errors import ConfigError
from perception.checkpoint import load_network
from perception.training.group import Group, joined_group
from perception.training.metrics_log import read_metrics

ROOT = Path(__file__).resolve().parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
_WORK = '''
import json, os, sys
from dataclasses import replace
from pathlib import Path
from perception.training.group import joined_group
from perception.training.train import train
from tests.perception.test_training import SHORT, Until
from tests.perception.toy_bar import toy_stream
import perception.training.train as module

weights = []
check = module._set_rate

def seen(state, *rest, **named):
    weights.append(sum(float(p.detach().double().sum()) for p in state.network.parameters()))
    return check(state, *rest, **named)

# The processes that paint import this file, too.
if __name__ == "__main__":
    module._set_rate = seen
    out = Path(sys.argv[1])
    until = Until(int(sys.argv[2]))
    outcome = train(toy_stream, out, settings=SHORT, observer=until.observer, resume=len(sys.argv) > 3)
    told = {"weights": weights, "samples": outcome.progress.samples, "first": outcome.is_first,
            "interrupted": outcome.interrupted, "report": outcome.report is not None}
    (out.parent / f"rank{os.environ['RANK']}.json").write_text(json.dumps(told))
'''


def in_two(tmp_path: Path, *arguments: str) -> list[dict[str, object]]:
    (tmp_path / "work.py").write_text(_WORK)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [*TORCHRUN, str(tmp_path / "work.py"), str(tmp_path / "out"), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2)]


def test_two_processes_learn_one_network_and_one_of_them_writes_it(tmp_path: Path) -> None:
    first, other = in_two(tmp_path, "4")
    assert first["weights"] == other["weights"], "after every step both have the same network"
    assert len(set(first["weights"])) == 4  # type: ignore[call-overload]
    assert (first["first"], other["first"]) == (True, False)
    assert (first["report"], other["report"]) == (True, False)
    assert first["samples"] == 2 * 8 * 4
    assert [record["step"] for record in read_metrics(tmp_path / "out")] == [4]
    load_network(tmp_path / "out" / "model.safetensors")


@pytest.mark.slow
def test_two_processes_go_on_where_two_ended(tmp_path: Path) -> None:
    in_two(tmp_path, "4")
    first, other = in_two(tmp_path, "6", "again")
    assert first["samples"] == 2 * 8 * 6
    assert first["weights"] == other["weights"]


def test_fine_tuning_says_that_it_needs_no_torchrun(tmp_path: Path) -> None:
    environment = {**os.environ, "WORLD_SIZE": "2", "RANK": "0", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "app.cli.main", "train", "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "without torchrun" in done.stderr


def test_processes_that_do_not_find_each_other_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="do not find each other"), joined_group():
        pass


def test_one_process_alone_changes_nothing() -> None:
    layer = nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    before = [p.grad.clone() for p in layer.parameters() if p.grad is not None]
    group = Group()
    group.average_gradients(layer.parameters())
    assert all(torch.equal(a, p.grad) for a, p in zip(before, layer.parameters(), strict=True) if p.grad is not None)
    assert group.first_says(2.5) == 2.5
    assert group.any_says(True)
    assert not group.any_says(False)
