"""Training: it learns, resumes, keeps the best, and says so when the loss is lost."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torchvision.models import ResNet18_Weights, resnet18

from control.errors import ConfigError, LinepilotError, ModelError
from perception.checkpoint import load_network, load_state, read_metadata, save_weights
from perception.look_ahead import ROWS
from perception.metadata import ModelMetadata
from perception.network import BINS, TARGETS, LineNet
from perception.training import first_weights, pool, precision
from perception.training import train as training
from perception.training.first_weights import first_network
from perception.training.group import Group
from perception.training.loss import bin_centres, line_loss
from perception.training.metrics_log import MetricsLog, read_metrics
from perception.training.pool import Batch, SamplePool, WorkerDiedError, stack
from perception.training.train import Observer, Outcome, TrainSettings, train
from perception.training.training_state import Progress, first_state
from perception.training.validation import make_validation, validate
from tests.perception.toy_bar import SIDE, dying_stream, toy_stream

SHORT = TrainSettings(
    minutes=10, batch=8, size=SIDE, capacity=64, validate_every=4, validation_frames=64, warm_up_steps=2, threads=1
)


class Until:
    """Asks training to stop after so many steps, and hears what it says."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._step = 0
        self.said: list[str] = []

    def _report(self, progress: Progress) -> None:
        self._step = progress.step

    @property
    def observer(self) -> Observer:
        return Observer(report=self._report, say=self.said.append, stop=lambda: self._step >= self._steps)


class Here(Executor):
    """Paints in this process, at once: starting others is most of the time of a short training."""

    def __init__(self, workers: int, **_: object) -> None: ...

    def submit(self, make: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(make(*args, **kwargs))
        return done


@pytest.fixture
def painted_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ProcessPoolExecutor", Here)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A folder in which twelve steps were made; not to be written to."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, train(toy_stream, folder, settings=SHORT, observer=Until(12).observer)


def a_copy(folder: Path, to: Path) -> Path:
    for file in folder.iterdir():
        # Every save replaces the file, so a second name for the same content is as good as a copy.
        (to / file.name).hardlink_to(file)
    return to


def batch(count: int = 8) -> Batch:
    source = toy_stream(5)
    return stack([next(source) for _ in range(count)])


def test_a_short_training_leaves_a_model_that_opens(trained: tuple[Path, Outcome]) -> None:
    folder, outcome = trained
    _, metadata = load_network(folder / "model.safetensors")
    assert (outcome.progress.step, outcome.progress.samples) == (12, 96)
    assert (metadata.rows, metadata.bins, metadata.size) == (ROWS, BINS, SIDE)
    assert metadata.training["at_step"] in (4, 8, 12)


def test_every_validation_is_a_line_of_the_metrics(trained: tuple[Path, Outcome]) -> None:
    records = [json.loads(line) for line in (trained[0] / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [4, 8, 12]
    for record in records:
        assert record["loss"] == pytest.approx(record["column"] + 2 * record["offset"] + record["seen"], rel=1e-5)
        assert record["samples_per_s"] > 0
        assert 0 < record["learning_rate"] <= SHORT.learning_rate + 1e-6
        assert {"line_px", "lane_px", "line_mean_px", "lane_mean_px", "visible_right"} <= set(record)
    assert records[-1]["best_px"] == min(record["line_mean_px"] for record in records)


def test_tensorboard_shows_the_same_numbers(trained: tuple[Path, Outcome]) -> None:
    events = EventAccumulator(str(trained[0]))
    events.Reload()
    last = read_metrics(trained[0])[-1]
    assert set(events.Tags()["scalars"]) >= {
        *(f"train/{name}" for name in ("loss", "column", "offset", "seen", "learning_rate", "samples_per_s")),
        *(f"validation/{name}" for name in ("line_px", "line_mean_px", "lane_px", "visible_right", "best_px")),
    }
    shown = events.Scalars("validation/line_mean_px")
    assert [point.step for point in shown] == [4, 8, 12]
    assert shown[-1].value == pytest.approx(last["line_mean_px"])
    assert [point.step for point in events.Scalars("train/loss")] == [10]


def test_what_a_killed_run_plotted_beyond_its_state_is_hidden(tmp_path: Path) -> None:
    for first, last in ((1, 30), (11, 20)):
        with MetricsLog(tmp_path, step=first - 1) as log:
            for step in range(first, last + 1):
                log.step(step, {"loss": float(last)}, samples=8, seconds=0.1)
                if step % 10 == 0:
                    log.validation(Progress(step=step, samples=8 * step), {"line_mean_px": float(last)})
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("train/loss")] == [(10, 30.0), (20, 20.0)]
    assert [(r["step"], r["line_mean_px"]) for r in read_metrics(tmp_path)] == [(10, 30.0), (20, 20.0)]
    assert read_metrics(tmp_path)[0]["samples_per_s"] == pytest.approx(80)


def test_a_line_that_was_cut_off_is_left_out_of_the_metrics(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 250, "samples": 16000}\n{"step": 500, "sam')
    assert read_metrics(tmp_path) == [{"step": 250, "samples": 16000}]


def test_without_tensorboard_the_metrics_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with MetricsLog(tmp_path, step=0) as log:
        assert not log.has_tensorboard
        log.step(10, {"loss": 1.0}, samples=1, seconds=1.0)
        log.validation(Progress(step=10), {"line_mean_px": 3.0})
    assert read_metrics(tmp_path)[0]["line_mean_px"] == 3.0


def test_the_report_tells_what_the_saved_model_can(trained: tuple[Path, Outcome]) -> None:
    folder, outcome = trained
    assert outcome.interrupted
    assert outcome.report is not None
    network, metadata = load_network(folder / "model.safetensors")
    assert isinstance(network, LineNet)
    checks = make_validation(toy_stream, seed=0, count=64, stop=lambda: False)
    line = validate(network, checks, metadata=metadata).targets["line"]
    text = (folder / "report.md").read_text()
    assert f"| line | {line.points} | {line.median_px:.1f} | {line.mean_px:.1f} | {line.visible_right:.1%} |" in text
    assert "| pictures seen | 96 |" in text
    assert "(report.png)" in text
    assert np.asarray(cv2.imread(str(folder / "report.png"))).shape == (4 * 224, 6 * 224, 3)
    assert np.asarray(cv2.imread(str(folder / "learning.png"))).ndim == 3


def test_the_answers_are_measured_as_a_robot_reads_them() -> None:
    class Shifted(LineNet):
        """Sees every line, three quarters of the way between the two bins right of the middle."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            output = torch.full((len(images), len(TARGETS), len(ROWS), BINS + 1), -20.0)
            output[..., BINS // 2] = float(np.log(0.25))
            output[..., BINS // 2 + 1] = float(np.log(0.75))
            output[..., BINS] = 9.0
            return output

    answered_x = 0.25 * (1 / BINS) + 0.75 * (3 / BINS)
    metadata = ModelMetadata(kind="rows", size=SIDE, targets=TARGETS, rows=ROWS, bins=BINS, x_range=1 - 1 / BINS)
    found = validate(Shifted(), [batch(32)], metadata=metadata)
    there = batch(32).visible[:, 0, 0] > 0
    wanted = np.abs(batch(32).x[there, 0] - answered_x) * 112
    assert found.targets["line"].points == 12 * there.sum()
    assert found.targets["line"].mean_px == pytest.approx(float(wanted.mean()), abs=1e-3)
    assert found.targets["line"].median_px == pytest.approx(float(np.median(wanted)), abs=1e-3)
    assert found.visible_right == pytest.approx(there.mean())
    worst = max(found.answers, key=lambda answer: answer.badness)
    assert worst.off_px[0] == pytest.approx(wanted.max(), abs=1e-3) or not worst.visible.any()


@pytest.mark.usefixtures("painted_here")
def test_resume_goes_on_from_the_last_step_also_of_a_state_of_before_there_was_a_report(
    trained: tuple[Path, Outcome], tmp_path: Path
) -> None:
    folder = a_copy(trained[0], tmp_path)
    state = torch.load(folder / "state.pt", weights_only=True)
    del state["progress"]["start"]
    (folder / "state.pt").unlink()
    torch.save(state, folder / "state.pt")
    (folder / "metrics.jsonl").unlink()
    (folder / "metrics.jsonl").write_text('{"step": 12, "samples": 96, "line_px": 6.5, "line_mean_px": 26.8}\n')
    done = train(toy_stream, folder, settings=SHORT, resume=True, observer=Until(17).observer)
    assert done.progress.step == 17
    assert done.progress.elapsed_s > trained[1].progress.elapsed_s
    assert [record["step"] for record in read_metrics(folder)] == [12, 16]
    assert done.report is not None
    assert ("weights began", "unknown") in done.report.facts


def test_a_spent_budget_makes_the_report_anew_and_no_step(trained: tuple[Path, Outcome], tmp_path: Path) -> None:
    folder = a_copy(trained[0], tmp_path)
    (folder / "report.md").unlink()
    done = train(toy_stream, folder, settings=replace(SHORT, minutes=1e-3), resume=True)
    assert (done.progress.step, done.interrupted) == (12, False)
    assert (folder / "report.md").exists()


@pytest.mark.usefixtures("painted_here")
def test_pictures_may_grow_on_resume_and_the_smaller_model_is_kept(
    trained: tuple[Path, Outcome], tmp_path: Path
) -> None:
    folder = a_copy(trained[0], tmp_path)
    before = (folder / "model.safetensors").read_bytes()
    hears = Until(16)
    larger = replace(SHORT, size=48)
    done = train(partial(toy_stream, side=48), folder, settings=larger, resume=True, observer=hears.observer)
    assert done.progress.step == 16
    assert read_metadata(folder / "model.safetensors").size == 48
    assert (folder / f"model-{SIDE}px.safetensors").read_bytes() == before
    assert any("48 px" in said for said in hears.said)


def test_a_model_newer_than_its_state_must_still_be_beaten(trained: tuple[Path, Outcome], tmp_path: Path) -> None:
    folder = a_copy(trained[0], tmp_path)
    progress = Progress(best_px=1e9)
    training._go_on_from_best(progress, folder, settings=SHORT, observer=Observer())
    assert progress.best_px == trained[1].progress.best_px


def test_a_training_is_not_overwritten_by_mistake(trained: tuple[Path, Outcome], tmp_path: Path) -> None:
    folder = a_copy(trained[0], tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    with pytest.raises(ConfigError, match="--resume"):
        train(toy_stream, folder, settings=SHORT)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_a_broken_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"not a state")
    with pytest.raises(ModelError, match="resume"):
        train(toy_stream, tmp_path, settings=SHORT, resume=True)


@pytest.mark.parametrize("content", [{}, {"network": {}}, [1, 2], {"network": {"a": torch.zeros(2)}}])
def test_a_state_of_something_else_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "state.pt")
    with pytest.raises(ModelError, match="cannot be resumed from"):
        first_state(LineNet(), learning_rate=1e-3, weight_decay=0.0, start="").load(tmp_path / "state.pt")


def test_resume_without_a_state_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no training to go on with"):
        train(toy_stream, tmp_path, settings=SHORT, resume=True)


def full_disk(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From now on no file whose name has ``name`` in it can be written; half of it is."""
    write = Path.write_bytes

    def refuse(path: Path, content: bytes) -> int:
        if name not in path.name:
            return write(path, content)
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)


@pytest.mark.parametrize("name", ["state.pt", "model.safetensors", "metrics.jsonl", "report.md"])
@pytest.mark.usefixtures("painted_here")
def test_a_full_disk_leaves_the_last_good_files(
    name: str, trained: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_copy(trained[0], tmp_path)
    before = (folder / name).read_bytes()
    # Every validation is a new best.
    monkeypatch.setattr(training, "_go_on_from_best", lambda progress, *_, **__: setattr(progress, "best_px", 1e9))
    full_disk(monkeypatch, name)
    with pytest.raises(LinepilotError, match="No space left on device") as caught:
        train(toy_stream, folder, settings=SHORT, resume=True, observer=Until(16).observer)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    assert (folder / name).read_bytes() == before
    assert not list(folder.glob("*.part")) + list(folder.glob(".*.part"))
    load_network(folder / "model.safetensors")
    torch.load(folder / "state.pt", weights_only=True)


def test_a_full_disk_under_tensorboard_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    def refuse(self: object, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def many_steps() -> None:
        with MetricsLog(tmp_path, step=0) as log:
            monkeypatch.setattr(RecordWriter, "write", refuse)
            for step in range(1, 10_000):
                log.step(step, {"loss": 1.0}, samples=1, seconds=1.0)

    with pytest.raises(LinepilotError, match="No space left on device"):
        many_steps()
    assert capfd.readouterr().err == ""


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LinepilotError, match="cannot be written"):
        train(toy_stream, tmp_path / "file" / "below", settings=SHORT)


@pytest.mark.usefixtures("painted_here")
def test_a_loss_that_is_not_finite_ends_it_and_the_last_good_stay(
    trained: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_copy(trained[0], tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}

    def lost(output: torch.Tensor, **labels: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        return output.sum() * float("nan"), {}

    monkeypatch.setattr(training, "line_loss", lost)
    with pytest.raises(LinepilotError, match="not finite") as caught:
        train(toy_stream, folder, settings=SHORT, resume=True)
    assert caught.value.exit_code == 1
    assert before.items() <= {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}.items()


def test_a_gradient_that_is_not_finite_reaches_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    """sqrt at 0: the loss is finite, its slope is not."""
    state = first_state(LineNet(), learning_rate=1e-3, weight_decay=0.0, start="")
    monkeypatch.setattr(training, "line_loss", lambda output, **_: (torch.sqrt((output * 0).sum()), {}))
    before = [value.clone() for value in state.network.parameters()]
    with pytest.raises(LinepilotError, match="not finite"):
        training._step(state, batch(), precision="fp32", group=Group())
    assert all(torch.equal(a, b) for a, b in zip(before, state.network.parameters(), strict=True))


def test_a_network_that_answers_nan_is_not_validated() -> None:
    network = LineNet()
    torch.nn.init.constant_(network.columns.weight, float("nan"))
    metadata = ModelMetadata(kind="rows", size=SIDE, targets=TARGETS, rows=ROWS, bins=BINS, x_range=1 - 1 / BINS)
    with pytest.raises(LinepilotError, match="not finite"):
        validate(network, [batch()], metadata=metadata)


def test_a_dead_worker_ends_it_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(LinepilotError, match="died") as caught:
        train(dying_stream, tmp_path, settings=SHORT)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "state.pt").exists()


@pytest.mark.usefixtures("painted_here")
def test_what_was_learnt_before_a_worker_died_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([batch(), batch(), batch()])

    def draw(_: SamplePool, size: int) -> Batch:
        for found in draws:
            return found
        raise WorkerDiedError("died")

    monkeypatch.setattr(SamplePool, "draw", draw)
    with pytest.raises(WorkerDiedError):
        train(toy_stream, tmp_path, settings=replace(SHORT, validate_every=100))
    assert torch.load(tmp_path / "state.pt", weights_only=True)["progress"]["step"] == 3


def test_interrupted_while_pictures_are_made_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(toy_stream, tmp_path / "new", settings=SHORT, observer=Observer(stop=lambda: True))
    assert not list((tmp_path / "new").iterdir())


def drawn(*, workers: int, seed: int = 3) -> list[Batch]:
    rng = np.random.default_rng(seed)
    with SamplePool(toy_stream, workers=workers, capacity=96, reuse=1.5, rng=rng) as pool:
        return [pool.draw(24) for _ in range(9)]


def test_one_seed_gives_the_same_pictures_however_many_paint_them() -> None:
    one, two, other = drawn(workers=1), drawn(workers=2), drawn(workers=1, seed=4)
    assert all(np.array_equal(a.images, b.images) and np.array_equal(a.x, b.x) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0].images, other[0].images)
    # 216 were drawn with a reuse of 1.5: at least 144 must have been painted, and the mirrored are mirrored with x.
    assert len({float(abs(x)) for b in one for x in b.x[:, 0, 0]}) > 96
    for b in one:
        bright = b.images[..., 0] > 100
        for row, x, seen in zip(bright[:, 0], b.x[:, 0, 0], b.visible[:, 0, 0], strict=True):
            assert not seen or abs(np.flatnonzero(row).mean() - ((x + 1) * SIDE / 2 - 0.5)) < 1


@pytest.mark.usefixtures("painted_here")
def test_two_trainings_of_one_seed_begin_alike(tmp_path: Path) -> None:
    """One step each: from then on the clock, by which the learning rate falls, tells them apart."""
    losses = [
        train(toy_stream, tmp_path / name, settings=SHORT, observer=Until(1).observer).progress.loss
        for name in ("a", "b")
    ]
    assert losses[0] == losses[1]


def test_weights_begin_with_those_of_a_file(trained: tuple[Path, Outcome]) -> None:
    path = trained[0] / "model.safetensors"
    state, _ = load_state(path)
    network = first_network(str(path))
    assert torch.equal(network.columns.weight, state["columns.weight"].float())
    assert network.columns.weight.dtype == torch.float32


def metadata_with(**changes: object) -> ModelMetadata:
    fields = {"kind": "rows", "size": SIDE, "targets": TARGETS, "rows": ROWS, "bins": BINS, "x_range": 1 - 1 / BINS}
    return ModelMetadata.model_validate({**fields, **changes})


@pytest.mark.parametrize("changes", [{"bins": 14}, {"rows": ROWS[:-1]}, {"targets": ("line",)}, {}])
def test_weights_of_another_network_are_one_line(changes: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_weights(path, state={"a": torch.zeros(2)}, metadata=metadata_with(**changes))
    with pytest.raises(ModelError, match=r"other\.safetensors: weights of another network") as caught:
        first_network(str(path))
    assert "\n" not in str(caught.value)


def test_a_jetbot_file_is_another_network(tmp_path: Path) -> None:
    torch.save(resnet18(num_classes=2).state_dict(), tmp_path / "jetbot.pth")
    with pytest.raises(ModelError, match="another network"):
        first_network(str(tmp_path / "jetbot.pth"))


def test_the_shipped_weights_are_used_when_there_are_any(
    trained: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_weights, "SHIPPED_WEIGHTS", trained[0] / "model.safetensors")
    assert torch.equal(
        first_network("shipped").columns.bias, load_state(trained[0] / "model.safetensors")[0]["columns.bias"].float()
    )
    monkeypatch.setattr(first_weights, "SHIPPED_WEIGHTS", tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="ships no weights"):
        first_network("shipped")


def test_imagenet_weights_come_from_the_cache_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cache = tmp_path / "hub" / "checkpoints" / Path(ResNet18_Weights.IMAGENET1K_V1.url).name
    cache.parent.mkdir(parents=True)
    torch.manual_seed(1)
    known = resnet18()
    torch.save(known.state_dict(), cache)
    network = first_network("imagenet")
    assert torch.equal(network.stage4[0].conv1.weight, known.layer4[0].conv1.weight)
    assert torch.equal(network.stem[0].weight, known.conv1.weight)


def test_without_a_network_imagenet_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(LinepilotError, match="refused") as caught:
        first_network("imagenet")
    assert caught.value.exit_code == 1
    assert f"copy resnet18-f37072fd.pth from a machine with a network to {tmp_path}/hub/checkpoints" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "fp32"),
        ({"avx512_bf16": True}, "bf16"),
        ({"amx_bf16": True}, "bf16"),
        ({"neon": True, "bf16": True}, "fp32"),
    ],
)
def test_auto_takes_bf16_only_where_the_processor_computes_in_it(
    capabilities: dict[str, bool], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert precision.resolve("auto") == wanted
    assert precision.resolve("fp32") == "fp32"
    assert precision.resolve("bf16") == "bf16"


def test_an_older_torch_is_asked_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert not precision.has_bf16()
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    assert precision.has_bf16()


@pytest.mark.parametrize(("wanted", "inside"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_a_step_in_either_precision_keeps_the_weights_in_fp32(wanted: precision.Precision, inside: torch.dtype) -> None:
    state = first_state(LineNet(), learning_rate=1e-3, weight_decay=0.0, start="")
    before = state.network.columns.weight.clone()
    seen: list[torch.dtype] = []
    state.network.columns.register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    parts = training._step(state, batch(4), precision=wanted, group=Group())
    assert seen == [inside]
    assert np.isfinite(list(parts.values())).all()
    assert state.network.columns.weight.dtype == torch.float32
    assert not torch.equal(before, state.network.columns.weight)


def test_a_negative_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        TrainSettings(learning_rate=-1)


def test_the_loss_is_smallest_where_the_label_is() -> None:
    x, ones = torch.zeros(1, 2, len(ROWS)), torch.ones(1, 2, len(ROWS))
    losses = []
    for column in (2, BINS // 2):
        output = torch.zeros(1, 2, len(ROWS), BINS + 1)
        output[..., column] = 8.0
        losses.append(float(line_loss(output, x=x, visible=ones, weight=ones)[0]))
    assert losses[1] < losses[0]


def test_what_is_not_defined_does_not_count() -> None:
    output = torch.randn(1, 2, len(ROWS), BINS + 1)
    x, ones, none = torch.zeros(1, 2, len(ROWS)), torch.ones(1, 2, len(ROWS)), torch.zeros(1, 2, len(ROWS))
    assert float(line_loss(output, x=x, visible=ones, weight=none)[0]) == 0.0
    assert float(line_loss(output, x=x, visible=ones, weight=ones)[0]) > 0.0


def test_bins_are_centred_and_inside() -> None:
    centres = bin_centres()
    assert float(centres.sum()) == pytest.approx(0.0, abs=1e-5)
    assert float(centres[-1]) == pytest.approx(1 - 1 / BINS)


@pytest.mark.parametrize("size", [64, 96, 112])
def test_the_answer_has_one_shape_for_every_picture_size(size: int) -> None:
    answer = LineNet().eval()(torch.zeros(1, 3, size, size))
    assert answer.shape == (1, 2, len(ROWS), BINS + 1)
