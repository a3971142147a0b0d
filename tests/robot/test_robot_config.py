from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from control.errors import ConfigError
from robot.config import RobotConfig, config_schema, load_config


def refused(path: Path | None, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def written(folder: Path, text: str) -> Path:
    path = folder / "robot.yaml"
    path.write_text(text)
    return path


def test_no_file_is_a_jetbot() -> None:
    config = load_config(None)
    assert config == RobotConfig()
    assert config.target == "line"
    assert config.camera.source == "sim"


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "target: lane\nfollower: {speed: {max_speed_mps: 0.5}}\n"))
    assert config.target == "lane"
    assert config.follower.speed.max_speed_mps == 0.5
    assert config.follower.steering == RobotConfig().follower.steering


def test_an_empty_file_is_fine(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "# nothing yet\n")) == RobotConfig()


def test_overrides_outrank_the_file_and_the_last_one_wins(tmp_path: Path) -> None:
    path = written(tmp_path, "fps: 20\nthreads: 1\n")
    config = load_config(path, ["fps=25", "fps=15"])
    assert (config.fps, config.threads) == (15, 1)


def test_numbers_may_be_written_as_people_do() -> None:
    assert load_config(None, ["follower.steering.kp=1e-1"]).follower.steering.kp == 0.1


def test_a_section_may_be_given_whole() -> None:
    config = load_config(None, ["follower.steering={kp: 1.5, ki: 0}"])
    assert (config.follower.steering.kp, config.follower.steering.ki) == (1.5, 0)


def test_it_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        load_config(None).fps = 10


def test_an_unknown_key_names_file_line_and_the_nearest_key(tmp_path: Path) -> None:
    message = refused(written(tmp_path, "fps: 20\nfollower:\n  speed:\n    max_sped_mps: 1\n"))
    assert "robot.yaml:4" in message
    assert "'follower.speed.max_sped_mps'" in message
    assert "did you mean 'follower.speed.max_speed_mps'?" in message


def test_a_key_without_its_section_is_found_elsewhere() -> None:
    assert "'follower.speed.max_speed_mps'" in refused(None, "max_speed_mps=1")


def test_an_unknown_key_in_the_calibration_is_no_less_unknown() -> None:
    assert "did you mean 'calibration.mount.pitch_rad'?" in refused(None, "calibration.mount.pich_rad=0.4")


@pytest.mark.parametrize(
    "override",
    [
        "fps=0", "fps=fast", "fps=.nan", "fps=.inf", "fps={a: 1}", "target=lines", "law=pid", "threads=0", "follower=3",
        "follower.steering.kp=x", "follower.steering.kp=-1", "follower.steering.kp=.nan", "follower.steering.kp=",
        "calibration.camera.distortion=[1,2]", "calibration.mount.height_m=0", "calibration.latency.camera_s=0.5",
        "supervisor.ramp_s=9", "fps.x=1", "nonsense", "=3", "a..b=1", "follower.steering=[", "camera.realtime=perhaps",
        "motors.vehicle=tank",
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_in_one_line(override: str) -> None:
    key = override.partition("=")[0].split(".")[-1]
    assert key in refused(None, override)


def test_a_wrong_value_names_its_line(tmp_path: Path) -> None:
    assert "robot.yaml:3: follower.recover_frames" in refused(
        written(tmp_path, "fps: 20\nfollower:\n  recover_frames: many\n")
    )


@pytest.mark.parametrize(
    "text",
    [
        "fps: [", "- 1\n- 2\n", "just words", "\tfps: 3", "fps: 1\nfps: 2\n", "&a\n<<: *a\n",
        "follower: &f\n  speed: *f\n", "model: " + "[" * 5000, "follower: " + "{a: " * 3000 + "1" + "}" * 3000,
        "fps: !!int x", "fps: !!float x", "model: !!timestamp x", "model: 2001-99-99", "fps: " + "9" * 5000,
        "calibration: ~no-such-person/x.yaml", "fps: yes", "follower: {steering: {kp: on}}",
    ],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_a_file_that_is_no_settings_is_refused_by_name(tmp_path: Path, text: str) -> None:
    assert "robot.yaml" in refused(written(tmp_path, text))


def test_a_value_that_anchors_blow_up_is_told_in_short(tmp_path: Path) -> None:
    lists = "".join(f"&{new} [{', '.join(['*' + old] * 9)}], " for old, new in zip("abcdef", "bcdefg", strict=True))
    assert len(refused(written(tmp_path, f"model: [&a [{'1, ' * 9}], {lists}]\n"))) < 2000


def test_sections_that_anchors_blow_up_are_refused_before_they_are_written_out(tmp_path: Path) -> None:
    keys = [f"a{new}: &a{new} {{{', '.join(f'k{k}: *a{new - 1}' for k in range(9))}}}\n" for new in range(1, 12)]
    assert "anchors" in refused(written(tmp_path, "a0: &a0 {x: 1}\n" + "".join(keys)))


def test_a_device_that_never_ends_is_refused() -> None:
    assert "/dev/zero" in refused(Path("/dev/zero"))


@pytest.mark.parametrize(
    "override", ["model=2001-99-99", "fps=!!int x", "fps=true", "fps=" + "9" * 5000, "model=" + "[" * 3000]
)
def test_an_override_that_is_no_value_is_refused_in_one_line(override: str) -> None:
    assert override in refused(None, override)


def test_a_missing_file_and_a_binary_one_are_refused_by_name(tmp_path: Path) -> None:
    assert "none.yaml" in refused(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(bytes(range(128, 256)))
    assert "binary.yaml" in refused(tmp_path / "binary.yaml")


def test_a_calibration_file_is_seen_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "measured.yaml").write_text("mount: {height_m: 0.2}\n")
    path = written(tmp_path, "calibration: measured.yaml\n")
    assert load_config(path).calibration.mount.height_m == 0.2
    assert load_config(path, ["calibration.mount.height_m=0.3"]).calibration.mount.height_m == 0.3
    assert load_config(None, [f"calibration={tmp_path / 'measured.yaml'}"]).calibration.mount.height_m == 0.2


def test_a_mistake_in_the_calibration_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "measured.yaml").write_text("version: 1\nmount: {hight_m: 0.2}\n")
    assert "measured.yaml:2" in refused(written(tmp_path, "calibration: measured.yaml\n"))


def test_what_is_dumped_loads_again(tmp_path: Path) -> None:
    config = load_config(None, ["fps=17", "follower.steering.kp=1.25"])
    assert load_config(written(tmp_path, json.dumps(config.model_dump()))) == config


def test_the_schema_knows_every_section_and_allows_nothing_else() -> None:
    schema = config_schema()
    assert set(schema["properties"]) == set(RobotConfig.model_fields)
    assert schema["additionalProperties"] is False
    json.dumps(schema)
