from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torchvision.models import resnet18  # noqa: E402

from control.errors import ConfigError, DatasetError, LinepilotError  # noqa: E402
from control.messages import LineEstimate, LinePoint  # noqa: E402
from perception.checkpoint import load_network  # noqa: E402
from perception.dataset import LabelledPhoto  # noqa: E402
from perception.dataset.split import hold_out_end  # noqa: E402
from perception.look_ahead import ROWS  # noqa: E402
from perception.metadata import ModelMetadata, xy_metadata  # noqa: E402
from perception.network import BINS, TARGETS, LineNet  # noqa: E402
from perception.training.augment import STILL, Augmentation, PhotoStream, sample, view  # noqa: E402
from perception.training.fine_tune import FineTuned, FineTuneSettings, Watcher, fine_tune, save_fine_tuned  # noqa: E402
from perception.training.fine_tune_state import read_fine_tune_state  # noqa: E402
from perception.training.photo_labels import prepare  # noqa: E402
from perception.training.pool import Batch, WorkerDiedError  # noqa: E402

SIZE = 32
ROWS_MODEL = ModelMetadata(kind="rows", size=SIZE, targets=TARGETS, rows=ROWS, bins=BINS, x_range=1 - 1 / BINS)
UNCHANGED = Augmentation(
    aside=0, yaw=0, pitch=0, roll_deg=0, zoom=0, mirror=False, light=0, cast=0, blur=0, noise=0, erase=0
)
SHORT = FineTuneSettings(
    steps=2, batch=2, check_every=2, warm_up_steps=1, synthetic=0, threads=1, frozen_stem=False, learning_rate=2e-3
)


def dot(folder: Path, number: int, *, side: int = 96) -> LabelledPhoto:
    """A bright dot on a dark floor, labelled in its middle."""
    rng = np.random.default_rng(number)
    x, y = (int(v) for v in rng.integers(side // 4, 3 * side // 4, 2))
    picture = np.full((side, side, 3), 30, np.uint8)
    cv2.circle(picture, (x, y), 4, (250, 250, 250), -1)
    path = folder / f"{number}.png"
    cv2.imwrite(str(path), picture)
    return LabelledPhoto(path=path, raws=((x + 0.5, y + 0.5),))


def dots(folder: Path, count: int) -> list[LabelledPhoto]:
    return [dot(folder, i) for i in range(count)]


def straight(x: float) -> LineEstimate:
    return LineEstimate(points=tuple(LinePoint(x=x, y=y, visible=1.0) for y in ROWS), confidence=1.0)


def test_the_label_stays_on_the_dot_however_the_picture_is_turned(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    (photo,) = prepare([dot(tmp_path, 5)], size=SIZE, guess=None)
    inside = 0
    for _ in range(60):
        matrix = view(Augmentation(), rng)
        found = sample(photo, size=SIZE, target="line", matrix=matrix)
        assert found.point is not None
        if max(map(abs, found.point)) > 0.8:
            continue
        inside += 1
        grey = found.image[:, :, 1].astype(float) - 30
        grey[grey < 60] = 0
        x = (grey.sum(axis=0) * (np.arange(SIZE) + 0.5)).sum() / grey.sum() / SIZE * 2 - 1
        y = (grey.sum(axis=1) * (np.arange(SIZE) + 0.5)).sum() / grey.sum() / SIZE * 2 - 1
        assert found.point == pytest.approx((x, y), abs=0.05)
    assert inside > 30


def test_without_mirror_no_picture_is_mirrored() -> None:
    rng = np.random.default_rng(0)
    plain = [view(Augmentation(mirror=False), rng)[0, 0] for _ in range(50)]
    both = [view(Augmentation(), rng)[0, 0] for _ in range(50)]
    assert min(plain) > 0
    assert min(both) < 0 < max(both)


def test_rows_beside_a_lonely_point_are_all_that_is_learnt_when_the_model_was_far_off(tmp_path: Path) -> None:
    photo = dot(tmp_path, 5)
    label = photo.read()[1]
    assert label is not None
    (far,) = prepare([photo], size=SIZE, guess=lambda _: straight(label.x + 0.9))
    still = sample(far, size=SIZE, target="line", matrix=STILL)
    known = still.weight[0] > 0.01
    assert 2 <= known.sum() <= 4
    assert still.x[0][known] == pytest.approx(label.x, abs=0.01)
    assert not still.weight[1].any()


def test_the_model_s_shape_is_moved_to_the_point(tmp_path: Path) -> None:
    photo = dot(tmp_path, 5)
    label = photo.read()[1]
    assert label is not None
    (near,) = prepare([photo], size=SIZE, guess=lambda _: straight(label.x + 0.1))
    still = sample(near, size=SIZE, target="line", matrix=STILL)
    off = still.x[0] - label.x
    distance = np.abs(np.array(ROWS) - label.y)
    assert off[distance.argmin()] == pytest.approx(0, abs=0.02)
    assert off[distance.argmax()] > off[distance.argmin()] + 0.02
    assert (still.weight[0] > 0.1).all()


def test_a_drawn_line_speaks_between_its_ends_only(tmp_path: Path) -> None:
    photo = replace(dot(tmp_path, 1), raws=((48.0, 80.0), (60.0, 40.0)))
    (drawn,) = prepare([photo], size=SIZE, guess=None)
    still = sample(drawn, size=SIZE, target="lane", matrix=STILL)
    rows = np.array(ROWS)
    between = (rows < 80 / 48 - 1) & (rows > 40 / 48 - 1)
    assert (still.weight[1][between] > 0.99).all()
    assert still.weight[1][rows < 40 / 48 - 1 - 0.2].sum() == 0


def test_a_picture_without_a_line_teaches_that_there_is_none(tmp_path: Path) -> None:
    (none,) = prepare([replace(dot(tmp_path, 1), raws=(), visible=False)], size=SIZE, guess=None)
    still = sample(none, size=SIZE, target="line", matrix=STILL)
    assert not still.visible.any()
    assert (still.weight[0] == 1).all()


def test_pictures_that_say_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no photograph is labelled"):
        prepare([replace(dot(tmp_path, 1), raws=())], size=SIZE, guess=None)


def test_every_picture_is_seen_before_one_is_seen_again(tmp_path: Path) -> None:
    photos = prepare(dots(tmp_path, 5), size=SIZE, guess=None)
    stream = PhotoStream(photos, size=SIZE, target="line", rng=np.random.default_rng(0), change=UNCHANGED)
    seen = [next(stream).image.tobytes() for _ in range(10)]
    assert len(set(seen[:5])) == 5
    assert set(seen[5:]) == set(seen[:5])


def network(seed: int = 0) -> LineNet:
    torch.manual_seed(seed)
    return LineNet()


def test_two_runs_of_one_seed_give_identical_weights(tmp_path: Path) -> None:
    photos = dots(tmp_path, 6)
    runs = [
        fine_tune(network(), ROWS_MODEL, train=photos, validation=photos[:2], target="line", settings=SHORT)
        for _ in range(2)
    ]
    one, other = (run.network.state_dict() for run in runs)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_frozen_stem_does_not_move(tmp_path: Path) -> None:
    start = network().state_dict()
    start = {name: value.clone() for name, value in start.items()}
    settings = replace(SHORT, frozen_stem=True)
    done = fine_tune(network(), ROWS_MODEL, train=dots(tmp_path, 4), validation=[], target="line", settings=settings)
    moved = {name for name, value in done.network.state_dict().items() if not torch.equal(value, start[name])}
    assert moved
    assert not any(name.startswith("stem") or "running" in name for name in moved)


def test_weights_are_never_worse_on_validation_than_those_it_began_with(tmp_path: Path) -> None:
    photos = dots(tmp_path, 6)
    wild = replace(SHORT, learning_rate=0.03)
    done = fine_tune(network(), ROWS_MODEL, train=photos, validation=photos, target="line", settings=wild)
    assert done.best.mean_px == min(check.mean_px for check in done.checks)


def test_it_ends_early_when_validation_no_longer_improves(tmp_path: Path) -> None:
    photos = dots(tmp_path, 4)
    settings = replace(SHORT, steps=50, check_every=1, patience=2, learning_rate=1e-12)
    done = fine_tune(network(), ROWS_MODEL, train=photos, validation=photos, target="line", settings=settings)
    assert done.ended_early
    assert done.checks[-1].step < 10


def test_a_loss_that_is_not_finite_ends_it_with_a_way_on(tmp_path: Path) -> None:
    broken = network()
    with torch.no_grad():
        broken.columns.bias.fill_(float("nan"))
    with pytest.raises(LinepilotError, match="not finite"):
        fine_tune(broken, ROWS_MODEL, train=dots(tmp_path, 4), validation=[], target="line", settings=SHORT)


def test_asked_to_stop_it_keeps_what_it_learnt(tmp_path: Path) -> None:
    settings = replace(SHORT, steps=1000)
    done = fine_tune(
        network(), ROWS_MODEL, train=dots(tmp_path, 4), validation=[], target="line", settings=settings,
        watcher=Watcher(stop=lambda: True),
    )  # fmt: skip
    assert done.interrupted
    assert done.best.step == 1


def test_a_network_of_jetbot_s_is_fine_tuned_and_drives_on(tmp_path: Path) -> None:
    torch.manual_seed(0)
    jetbot = resnet18(num_classes=2)
    torch.save(jetbot.state_dict(), tmp_path / "best_steering_model_xy.pth")
    loaded, metadata = load_network(tmp_path / "best_steering_model_xy.pth")
    small = metadata.model_copy(update={"size": SIZE})
    photos = dots(tmp_path, 4)
    settings = replace(SHORT, frozen_stem=True, decay=0.01)
    done = fine_tune(loaded, small, train=photos, validation=photos, target="line", settings=settings)
    assert done.checks[-1].mean_px != done.checks[0].mean_px
    again, found = load_network(save_fine_tuned(tmp_path / "out", done))
    assert (found.kind, found.channel_order) == ("xy", "bgr")
    assert found.training["fine_tuned_on"] == 4
    assert again(torch.zeros(1, 3, SIZE, SIZE)).shape == (1, 2)


def test_the_other_categories_of_a_jetracer_network_are_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    done = fine_tune(
        resnet18(num_classes=4), xy_metadata(categories=2, channel_order="bgr", size=SIZE), train=dots(tmp_path, 4),
        validation=[], target="1", settings=replace(SHORT, weight_decay=0.0),  # type: ignore[arg-type]
    )  # fmt: skip
    torch.manual_seed(0)
    before = resnet18(num_classes=4).fc.weight
    after = done.network.get_parameter("fc.weight")
    assert torch.equal(after[:2], before[:2])
    assert not torch.equal(after[2:], before[2:])


def test_the_end_of_a_lone_session_is_held_out_when_there_is_enough() -> None:
    photos = [LabelledPhoto(path=Path(str(i)), raws=()) for i in range(100)]
    train, held = hold_out_end(photos)
    assert (len(train), len(held)) == (80, 20)
    assert hold_out_end(photos[:30]) == (photos[:30], [])


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"synthetic": 1.0}, {"learning_rate": -1.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        replace(SHORT, **wrong)  # type: ignore[arg-type]


def stopping_after(steps: int) -> Watcher:
    seen: list[int] = []
    return Watcher(step=lambda step, _: seen.append(step), stop=lambda: len(seen) >= steps)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_going_on_ends_with_the_weights_of_a_run_that_was_never_interrupted(at: int, tmp_path: Path) -> None:
    photos, state = dots(tmp_path, 6), tmp_path / "state.pt"
    settings = replace(SHORT, steps=4, learning_rate=4e-4)
    held = photos[:2]

    def run(**given: Any) -> FineTuned:
        return fine_tune(
            network(), ROWS_MODEL, train=photos, validation=held, target="line", settings=settings, state=state, **given
        )

    whole = run()
    assert run(watcher=stopping_after(at)).interrupted
    rest = run(earlier=read_fine_tune_state(state))
    one, other = whole.network.state_dict(), rest.network.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert [c.step for c in rest.checks] == [c.step for c in whole.checks] == [0, 2, 4]


def test_going_on_with_other_settings_or_photographs_is_refused_by_name(tmp_path: Path) -> None:
    photos, state = dots(tmp_path, 4), tmp_path / "state.pt"
    fine_tune(network(), ROWS_MODEL, train=photos, validation=[], target="line", settings=SHORT, state=state)
    earlier = read_fine_tune_state(state)
    for train, settings, said in (
        (photos[:3], SHORT, "photographs to learn"),
        (photos, replace(SHORT, seed=1), "seed"),
    ):
        with pytest.raises(ConfigError, match=said):
            fine_tune(
                network(), ROWS_MODEL, train=train, validation=[], target="line", settings=settings, earlier=earlier
            )


@pytest.mark.parametrize("error", [KeyboardInterrupt, WorkerDiedError])
def test_what_was_learnt_is_kept_when_the_painters_end(error: type[BaseException], tmp_path: Path) -> None:
    state, asked = tmp_path / "state.pt", iter(range(99))

    def painter(count: int) -> Batch:
        if next(asked) >= 1:
            raise error
        rows = np.zeros((count, len(TARGETS), len(ROWS)), np.float32)
        return Batch(images=np.zeros((count, SIZE, SIZE, 3), np.uint8), x=rows, visible=rows, defined=rows[:, :, 0] + 1)

    with pytest.raises(WorkerDiedError) if error is WorkerDiedError else nullcontext():
        fine_tune(
            network(), ROWS_MODEL, train=dots(tmp_path, 4), validation=[], target="line",
            settings=replace(SHORT, steps=9, synthetic=0.5), synthetic=painter, state=state,
        )  # fmt: skip
    assert read_fine_tune_state(state).step == 1
