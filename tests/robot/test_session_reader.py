from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import session_ticks as made
from mcap.writer import CompressionType, Writer

from control.errors import InputError, LinepilotError, SessionError
from robot.sessions.reader import SessionReader
from robot.sessions.session_copy import copy_session
from robot.sessions.summary import outline, summarise
from robot.sessions.writer import Limits

SMALL_CHUNKS = Limits(flush_every_s=0.0)
"""One chunk a tick."""


def numbers(path: Path) -> list[int]:
    return [frame.number for frame in made.frames(path)]


def refusal(use: Callable[[Path], object], path: Path) -> str:
    """What is said of a file that is no session; empty when it is one."""
    try:
        use(path)
    except LinepilotError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return made.write_session(tmp_path_factory.mktemp("session") / "a.mcap", 40, limits=SMALL_CHUNKS).read_bytes()


def test_a_file_cut_anywhere_gives_what_was_written_before_or_one_line(session: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.mcap"
    last = 0
    for size in range(0, len(session), 997):
        path.write_bytes(session[:size])
        said = refusal(numbers, path)
        assert "\n" not in said
        if said:
            assert str(path) in said
            assert not last
            continue
        read = numbers(path)
        assert read == list(range(len(read)))
        assert last <= len(read) <= 40
        last = len(read)
    # The index weighs a tenth: the last cut lies in it.
    assert last == 40


def test_flipped_bits_cost_their_chunk_and_are_told(session: bytes, tmp_path: Path) -> None:
    path = tmp_path / "flipped.mcap"
    rng = random.Random(1)
    kept = []
    for _ in range(100):
        damaged = bytearray(session)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        reader = SessionReader(path)
        if refusal(numbers, path):
            assert "no MCAP file" in refusal(numbers, path)
            continue
        read = [frame.number for frame in reader.frames()]
        assert set(read) <= set(range(40))
        assert len(read) == 40 or reader.damage
        kept.append(len(read))
    assert len(kept) >= 95
    assert min(kept) >= 38


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused_in_one_line(seed: int, tmp_path: Path, session: bytes) -> None:
    path = tmp_path / "x.mcap"
    rng = random.Random(seed)
    head = rng.choice((b"", session[:8], session[:200]))
    path.write_bytes(head + rng.randbytes(rng.randrange(5000)))
    for use in (numbers, outline, summarise):
        said = refusal(use, path)
        assert "\n" not in said
        assert not said or str(path) in said


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"\x89PNG", "is no MCAP file"), (None, "cannot be read (No such file or directory)")],
)
def test_what_is_no_session_is_named(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.mcap"
    if content is not None:
        path.write_bytes(content)
    for use in (numbers, outline, summarise):
        with pytest.raises(SessionError, match=r"x\.mcap") as caught:
            use(path)
        assert said in str(caught.value)


def test_an_mcap_of_another_program_is_listed_but_holds_no_ticks(tmp_path: Path) -> None:
    path = tmp_path / "other.mcap"
    writer = Writer(str(path), compression=CompressionType.ZSTD)
    writer.start()
    schema = writer.register_schema("other.Thing", "jsonschema", b"{}")
    channel = writer.register_channel("/tick", "json", schema)
    writer.add_message(channel, 5_000_000_000, b"{}", 5_000_000_000)
    writer.finish()
    assert (outline(path).ticks, outline(path).is_closed) == (1, True)
    with pytest.raises(SessionError, match="holds no ticks"):
        numbers(path)


def test_a_file_without_its_first_chunk_is_read_by_what_stands_at_its_end(session: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    damaged = bytearray(session)
    # The descriptor of our own message stands in the first chunk, and once more at the end.
    damaged[session.index(b"linepilot/tick.proto")] ^= 1
    path.write_bytes(damaged)
    assert numbers(path) == list(range(1, 40))


def test_an_unknown_cause_is_told_and_not_passed_over(tmp_path: Path, session: bytes) -> None:
    path = tmp_path / "a.mcap"
    path.write_bytes(session)
    frame = next(made.frames(path))
    frame.message.verdict.causes.append("TOO_FAST")
    with pytest.raises(SessionError, match=r"'TOO_FAST'.*newer"):
        frame.tick()


def test_repair_makes_a_whole_file_of_a_cut_one(session: bytes, tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut.mcap", tmp_path / "whole.mcap"
    cut.write_bytes(session[: len(session) // 2])
    copied = copy_session(cut, whole)
    reader = SessionReader(whole)
    assert [frame.number for frame in reader.frames()] == numbers(cut)
    assert (reader.is_closed, reader.damage) == (True, [])
    assert reader.attachments["robot.yaml"] == b"fps: 30\n"
    assert reader.facts["track"] == "oval"
    assert outline(whole).ticks == copied.ticks == outline(cut).ticks > 10
    # The pictures are the same bytes.
    assert [f.jpeg for f in made.frames(whole)] == [f.jpeg for f in made.frames(cut)]


def test_trim_keeps_a_part_of_the_time_with_its_calibration(session: bytes, tmp_path: Path) -> None:
    path, part = tmp_path / "a.mcap", tmp_path / "part.mcap"
    path.write_bytes(session)
    copy_session(path, part, from_s=0.499, to_s=0.801)
    reader = SessionReader(part)
    assert [frame.number for frame in reader.frames()] == list(range(15, 25))
    assert reader.topics["/camera/calibration"] == 1
    assert reader.is_closed
    assert reader.end == {"ticks": "10", "dropped": "0", "ended": "with the drive"}


def test_a_copy_overwrites_nothing_and_leaves_nothing_half(session: bytes, tmp_path: Path) -> None:
    path, there = tmp_path / "a.mcap", tmp_path / "there.mcap"
    path.write_bytes(session)
    there.write_bytes(b"precious")
    with pytest.raises(InputError, match="is there already"):
        copy_session(path, there)
    with pytest.raises(SessionError, match="nothing to copy"):
        copy_session(path, tmp_path / "b.mcap", from_s=1000.0)
    with pytest.raises(InputError, match="cannot be written"):
        copy_session(path, tmp_path / "no" / "folder.mcap")
    assert there.read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mcap", "there.mcap"]


def test_the_index_says_what_reading_it_all_says(session: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    path.write_bytes(session)
    assert outline(path) == outline(path, thorough=True)
    assert outline(path).length_s == pytest.approx(39 / 30)


def test_a_summary_counts_what_was_driven(tmp_path: Path) -> None:
    path = made.write_session(tmp_path / "a.mcap", 20, truth=made.TRUTH)  # type: ignore[arg-type]
    summary = summarise(path)
    assert (summary.outline.ticks, summary.outline.pictures, summary.dropped) == (20, 20, 0)
    assert dict(summary.states) == {"armed": 20}
    assert summary.speed_mps == pytest.approx(0.4)
    assert summary.lateral_rms_m == pytest.approx(0.01)
    assert summary.seen == 1.0
    assert summary.ended == "with the drive"
