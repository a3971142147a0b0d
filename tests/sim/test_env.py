from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from control.errors import ConfigError, TrackError

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.utils.env_checker import check_env  # noqa: E402

from sim.env import ENV_ID, EnvSettings, LineFollowingEnv  # noqa: E402

STILL = np.zeros(2, np.float32)
AHEAD = np.full(2, 0.4, np.float32)
STRAIGHT = EnvSettings(track="straight", randomise=False, effects=False)


def test_gymnasiums_own_checker_has_no_complaint() -> None:
    made = gymnasium.make(f"sim.env:{ENV_ID}", settings=EnvSettings(track="oval"), render_mode="rgb_array")
    check_env(made.unwrapped)


def test_an_ackermann_vehicle_is_an_environment_too() -> None:
    env = LineFollowingEnv(EnvSettings(track="oval", vehicle="jetracer"))
    env.reset(seed=1)
    assert env.step(np.array([0.2, 0.3], np.float32))[0].dtype == np.uint8


def test_clutter_is_seen_and_a_crossing_file_driven(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 80)
    np.save(tmp_path / "mine.npy", np.stack([np.sin(angle + 0.03), np.sin(2 * angle + 0.06) / 2], axis=1))
    views = [
        LineFollowingEnv(EnvSettings(track=str(tmp_path / "mine.npy"), crossing=True, clutter=number)).reset(seed=3)[0]
        for number in (0, 40)
    ]
    assert (views[0] != views[1]).any()


def test_progress_is_rewarded_and_a_large_error_costs() -> None:
    env = LineFollowingEnv(STRAIGHT)
    env.reset(seed=0)
    rewards = [env.step(AHEAD)[1] for _ in range(30)]
    assert sum(rewards) == pytest.approx(env.world.truth.distance_m, abs=1e-6)
    env.reset(seed=0, options={"lateral_m": 0.05})
    assert env.step(STILL)[1] == pytest.approx(-0.05 / 30)


def test_leaving_the_line_ends_the_episode_with_a_penalty() -> None:
    env = LineFollowingEnv(STRAIGHT)
    env.reset(seed=0, options={"start_m": 1.0, "turn_rad": 1.5})
    done, reward = False, 0.0
    for _ in range(60):
        _, reward, done, truncated, info = env.step(AHEAD)
        assert not truncated
        if done:
            break
    assert done
    assert info["off_line"]
    assert reward < -0.9


def test_the_end_of_the_track_ends_the_episode_without_one() -> None:
    env = LineFollowingEnv(STRAIGHT)
    env.reset(seed=0, options={"start_m": 4.8})
    steps = [env.step(AHEAD) for _ in range(40)]
    finished = next(step for step in steps if step[2])
    assert finished[4]["laps"] == 1
    assert not finished[4]["off_line"]
    assert finished[1] > -0.1


def test_a_seed_repeats_an_episode_and_the_next_one_differs() -> None:
    env = LineFollowingEnv(EnvSettings(track="oval"))
    first, told = env.reset(seed=5)
    again, told_again = env.reset(seed=5)
    other, _ = env.reset()
    np.testing.assert_array_equal(first, again)
    assert told == told_again
    assert (first != other).any()


def test_render_gives_the_newest_frame_in_rgb() -> None:
    env = LineFollowingEnv(STRAIGHT, render_mode="rgb_array")
    seen, _ = env.reset(seed=0)
    shown = env.render()
    assert shown is not None
    np.testing.assert_array_equal(shown[..., ::-1], seen)


def test_bad_settings_are_told_in_one_line() -> None:
    with pytest.raises(ConfigError, match="start_m"):
        LineFollowingEnv(STRAIGHT).reset(options={"begin": 1})
    with pytest.raises(ConfigError, match="fps"):
        EnvSettings(fps=0)
    with pytest.raises(ConfigError, match="jetbot"):
        EnvSettings(vehicle="tank")  # type: ignore[arg-type]
    with pytest.raises(TrackError, match="did you mean"):
        LineFollowingEnv(EnvSettings(track="ovel"))


EPISODE = """
import hashlib
import numpy as np
from sim.env import EnvSettings, LineFollowingEnv
env = LineFollowingEnv(EnvSettings(track="figure-eight"))
rng, digest = np.random.default_rng(3), hashlib.sha256()
seen, _ = env.reset(seed=11)
digest.update(seen.tobytes())
for _ in range(40):
    seen, reward, done, _, info = env.step(rng.uniform(0, 0.6, 2).astype(np.float32))
    digest.update(seen.tobytes() + np.float64([reward, info["lateral_error_m"]]).tobytes())
    if done:
        env.reset()
print(digest.hexdigest())
"""


def test_two_processes_with_one_seed_see_the_same_to_the_bit() -> None:
    root = Path(__file__).parents[2]
    runs = [
        subprocess.run([sys.executable, "-c", EPISODE], cwd=root, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.strip()) == 64
