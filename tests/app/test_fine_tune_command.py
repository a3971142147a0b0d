from __future__ import annotations

import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torchvision.models import resnet18  # noqa: E402

import perception.training.learner as learner  # noqa: E402
from app.cli.main import main  # noqa: E402

pytestmark = pytest.mark.usefixtures("data")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small network as jetbot_ros keeps it, and two recordings of a bright dot."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    torch.save({"state_dict": resnet18(num_classes=2).state_dict(), "resolution": 32}, "start.pth")
    rng = np.random.default_rng(0)
    lines = ["file,x_px,y_px,session"]
    Path("d/images").mkdir(parents=True)
    for number in range(10):
        x, y = (int(v) for v in rng.integers(8, 24, 2))
        picture = np.full((32, 32, 3), 30, np.uint8)
        cv2.circle(picture, (x, y), 3, (250, 250, 250), -1)
        cv2.imwrite(f"d/images/{number}.png", picture)
        lines.append(f"images/{number}.png,{x},{y},{number % 2}")
    Path("d/labels.csv").write_text("\n".join(lines) + "\n")


def train(*more: str, out: str = "r") -> int:
    fixed = ("--steps", "4", "--batch", "2", "--validation", "1", "--start", "start.pth", "--no-export")
    return main(["train", "--data", "d", "--out", out, *fixed, *more])


def test_it_leaves_model_report_and_card_and_tells_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert train() == 0
    shown = capsys.readouterr()
    assert {p.name for p in Path("r").iterdir()} == {
        "model.safetensors", "report.md", "report.jpg", "learning.png", "model-card.md",
    }  # fmt: skip
    assert "step 4 of 4" in shown.err
    assert "to go" in shown.err
    assert "model card: r/model-card.md" in shown.out
    assert "| seed | 0 |" in Path("r/model-card.md").read_text()


def test_asked_to_end_it_goes_on_later_and_then_has_nothing_to_resume(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = learner.Learner.step

    def asked(self: learner.Learner, *given: object, **named: object) -> float:
        os.kill(os.getpid(), signal.SIGTERM)
        return step(self, *given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(learner.Learner, "step", asked)
        assert train() == 143
    assert "with --resume goes on" in capsys.readouterr().err
    assert train() == 2
    assert "add --resume" in capsys.readouterr().err
    assert train("--resume", "--seed", "1") == 2
    assert "--resume: --seed: 0 when it began, 1 now" in capsys.readouterr().err
    assert train("--resume") == 0
    assert "going on after step 1" in capsys.readouterr().err
    assert not Path("r/state.pt").exists()
    assert train("--resume") == 2
    assert "nothing to resume" in capsys.readouterr().err


def test_resume_without_a_training_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--resume", out="none") == 2
    shown = capsys.readouterr().err
    assert "no training to go on with" in shown
    assert shown.count("\n") == 1


def test_training_without_photographs_does_not_write_over_a_fine_tuned_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("r").mkdir()
    Path("r/model.safetensors").write_bytes(b"mine")
    assert main(["train", "--out", "r"]) == 2
    assert "holds a model already" in capsys.readouterr().err
    assert Path("r/model.safetensors").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "d", "--size", "64"], "--size counts without --data only"),
        (["--data", "d", "--minutes", "5"], "--minutes counts without"),
        (["--steps", "10"], "--steps counts with --data only"),
        (["--all-layers"], "--all-layers counts with"),
    ],
)
def test_options_that_would_not_be_heard_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--out", "r", *arguments]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1
    assert not Path("r").exists()
