from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli import main as command_line
from app.cli.main import COMMANDS, main
from app.cli.options import config_from, parser, refuse_unwritable, write_json
from control.errors import ConfigError, InputError, MissingExtraError


def test_help_lists_every_command_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert "linepilot drive --track" in shown


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "commands:" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: linepilot {name}" in shown
    assert f"example:\n  linepilot {name}" in shown


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.startswith("linepilot ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drvie"], "did you mean 'drive'?"),
        (["xyz"], "linepilot --help"),
        (["drive", "--trak", "oval"], "--trak"),
        (["drive", "--laps", "many"], "--laps"),
        (["drive", "--laps", "0"], "--laps"),
        (["drive", "--seed", "-1"], "--seed"),
        (["drive", "--seed=-1"], "--seed"),
        (["train", "--minutes", "0"], "train.minutes"),
        (["train", "--minutes", "nan"], "train.minutes"),
        (["train", "--minutes", "inf"], "--minutes: a finite number"),
        (["train", "--reuse", "inf"], "--reuse: a finite number"),
        (["train", "--batch", "9999999999"], "--batch: at most"),
        (["train", "--seed", "9" * 30], "--seed: at most"),
        (["train", "--workers", "0"], "--workers"),
        (["export", "none.safetensors", "--opset", "999"], "--opset: from"),
        (["export", "none.safetensors"], "none.safetensors"),
        (["drive", "--track", ""], "the track has no name"),
        (["drive", "--json", "-"], "/dev/stdout"),
        (["drive", "--picture", "x.xyz"], "x.xyz"),
        (["tracks", "--picture", "x"], ".png"),
        (["teleop", "--picture", "x.bmp"], "x.bmp"),
        (["evaluate", "a", "--sheet", "x.gif"], "x.gif"),
        (["evaluate", "a/x", "b/x", "--sheet", "s.png"], "s-x.png: is given for two outputs"),
        (["drive", "--json", "x.png", "--picture", "x.png"], "two outputs"),
        (["drive", "--track", "ovl"], "did you mean 'oval'?"),
        (["drive", "--look", "white-tpe", "model=classical"], "did you mean 'white-tape'?"),
        (["drive", "a.yaml", "b.yaml"], "one settings file"),
        (["drive", "none.yaml"], "none.yaml"),
        (["drive", "fpss=3"], "did you mean 'fps'?"),
        (["drive", "--motors", "dry-run"], "--camera"),
        (["drive", "--camera", "file:none.mp4"], "--motors dry-run"),
        (["drive", "--camera", "file:x.mp4", "--motors", "dry-run", "--track", "oval"], "--track"),
        (["drive", "--camera", "film:x.mp4", "--motors", "dry-run", "model=classical"], "film:x.mp4"),
        (["drive", "model=none.onnx", "--track", "oval"], "none.onnx"),
        (["bench", "--looks", "99"], "--looks"),
        (["bench", "--looks", "street,strt"], "did you mean 'street'?"),
        (["drive", "--clutter", "x"], "--clutter"),
        (["drive", "--clutter", "101", "model=classical"], "clutter: from 0 to 100"),
        (["bench", "--tracks", "oval,ovl", "model=classical"], "did you mean 'oval'?"),
        (["bench", "--directions", "up"], "--directions"),
        (["bench", "--workers", "0"], "--workers"),
        (["evaluate", "/none", "--model", "classical"], "/none"),
        (["tracks", "ovl"], "did you mean 'oval'?"),
        (["config", "kq=3"], "kq"),
        (["synth", "--count", "0"], "--count"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert said in shown.err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("the key is wrong"), 2, "the key is wrong"),
        (MissingExtraError("torch", extra="train", purpose="training"), 2, "linepilot[train]"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "out.json"), 1, "out.json: No space left on device"),
        (OSError(36, "File name too long", "out.json"), 2, "out.json: File name too long"),
        (OSError(13, "Permission denied", "a\nb"), 2, r"a\nb: Permission denied; choose another place"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, "linepilot[train]"),
        (ModuleNotFoundError("No module named 'optuna'", name="optuna"), 2, "linepilot[tune]"),
        (ImportError("libGL.so.1: cannot open shared object file"), 2, "apt-get install libgl1"),
        (ImportError("undefined\nsymbol"), 2, "undefined symbol"),
    ],
)
def test_each_error_has_its_line_and_its_exit_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr(command_line, "import_module", fail)
    assert main(["drive"]) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert len(shown.splitlines()) == 1


def test_settings_may_stand_anywhere_on_the_line() -> None:
    options = parser("x", what="", example="")
    options.add_argument("settings", nargs="*")
    options.add_argument("--track")
    chosen = options.parse(["robot.yaml", "--track", "oval", "fps=3", "law=jetbot"])
    assert chosen.settings == ["robot.yaml", "fps=3", "law=jetbot"]
    assert chosen.track == "oval"


def test_the_first_word_without_an_equals_sign_is_the_file(tmp_path: Path) -> None:
    path = tmp_path / "robot.yaml"
    path.write_text("fps: 12\nthreads: 1\n")
    config = config_from([str(path), "threads=3"])
    assert (config.fps, config.threads) == (12, 3)
    with pytest.raises(ConfigError):
        config_from([str(path), str(path)])


def test_json_is_written_whole_and_without_numbers_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.json"
    write_json(path, {"a": float("nan"), "b": [1.5, float("inf")], "c": ("x", True)})
    assert json.loads(path.read_text()) == {"a": None, "b": [1.5, None], "c": ["x", True]}
    assert [p.name for p in path.parent.iterdir()] == ["out.json"]
    write_json(None, {})


def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refuse_unwritable(None, tmp_path / "a" / "b.json")
    with pytest.raises(InputError, match="is a folder"):
        refuse_unwritable(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        refuse_unwritable(tmp_path / "file" / "out.json")


def test_two_outputs_or_an_output_and_an_input_may_not_be_one_file(tmp_path: Path) -> None:
    out, link = tmp_path / "out.json", tmp_path / "link.json"
    with pytest.raises(InputError, match="two outputs"):
        refuse_unwritable(out, tmp_path / "a" / ".." / "out.json")
    out.write_text("")
    link.symlink_to(out)
    with pytest.raises(InputError, match="two outputs"):
        refuse_unwritable(out, link)
    with pytest.raises(InputError, match="is read, too"):
        refuse_unwritable(link, read=["random:7", None, str(out)])
    refuse_unwritable(Path("/dev/null"), Path("/dev/null"), read=["/dev/null"])


def test_a_pipe_or_device_is_written_into_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_json(pipe, {"a": 1})
        assert json.loads(os.read(reader, 100)) == {"a": 1}
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_json(tmp_path / "link", {})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "{}\n"


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred"])
def test_what_was_given_is_told_without_line_ends_and_terminal_codes(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", f"{name}=1"]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert said[:-1].isprintable()


def test_memory_that_runs_out_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Greedy:
        @staticmethod
        def run(_: list[str]) -> int:
            raise MemoryError

    monkeypatch.setattr(command_line, "import_module", lambda _: Greedy)
    assert main(["tracks"]) == 1
    assert capsys.readouterr().err == (
        "linepilot tracks: out of memory; close other programs, or ask for less at once\n"
    )


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"out\.json.*No space left on device"):
        write_json(tmp_path / "out.json", {})
    assert not any(tmp_path.iterdir())


def test_config_prints_settings_that_load_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "fps=17", "follower.steering.kp=1.25"]) == 0
    path = tmp_path / "robot.yaml"
    path.write_text(capsys.readouterr().out)
    config = config_from([str(path)])
    assert (config.fps, config.follower.steering.kp) == (17, 1.25)


def test_config_prints_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--schema"]) == 0
    assert "follower" in json.loads(capsys.readouterr().out)["properties"]


def test_a_reader_that_goes_away_costs_no_file(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    made = subprocess.run(
        [sys.executable, "-m", "app.cli.main", "tracks", "oval", "--json", str(tmp_path / "a.json"),
         "--picture", str(tmp_path / "a.jpg")],
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert "Traceback" not in made.stderr
    assert json.loads((tmp_path / "a.json").read_text())[0]["name"] == "oval"
    assert (tmp_path / "a.jpg").read_bytes().startswith(b"\xff\xd8")


def test_a_name_that_the_terminal_has_no_letters_for_is_shown_escaped(tmp_path: Path) -> None:
    np.save(tmp_path / "grün.npy", np.stack([np.linspace(0, 2, 40), np.zeros(40)], axis=1))
    ascii_only = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    made = subprocess.run(
        [sys.executable, "-m", "app.cli.main", "tracks", "grün.npy"], cwd=tmp_path, capture_output=True, check=False,
        env={**os.environ, **ascii_only, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert rb"gr\xfcn" in made.stdout
