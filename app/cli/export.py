"""``linepilot export``: trained weights to ONNX (fp32 and int8), proved against the network they come from."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.cli.options import count, parser, refuse_unwritable, write_json
from control.errors import ConfigError
from perception.checkpoint import read_model_file
from perception.look_ahead import ROWS
from perception.manifest import stem_of
from sim.synthetic import frames

_OPSETS = range(7, 21)


def run(arguments: list[str]) -> int:
    options = parser(
        "export",
        what="Write NAME.onnx, NAME.int8.onnx, golden frames and NAME.json, which every engine is checked against.\n"
        "Made-up pictures calibrate int8; others measure how far the files answer from the fp32 network. That is\n"
        "printed and kept in NAME.json.",
        example="linepilot export runs/first/model.safetensors --out models",
    )
    add = options.add_argument
    add("weights", type=Path, help=".safetensors, or a .pth of JetBot or JetRacer; with --tensorrt also an .onnx")
    add("--out", type=Path, default=Path("models"), metavar="FOLDER", help="default: models")
    add(
        "--opset",
        type=count,
        metavar="N",
        default=17,
        help="default: 17; 13 for the TensorRT of an original Jetson Nano",
    )
    add("--pictures", type=count, metavar="N", default=128,
        help="made-up pictures, half to calibrate and half to measure; default: 128")  # fmt: skip
    add("--tensorrt", action="store_true",
        help="also build an engine for this machine's GPU, for model=tensorrt:NAME.onnx; minutes")  # fmt: skip
    add("--json", type=Path, metavar="OUT", help="write the differences to this file")
    chosen = options.parse(arguments)
    if chosen.opset not in _OPSETS:
        raise ConfigError(f"--opset: from {_OPSETS[0]} to {_OPSETS[-1]}, which PyTorch writes, got {chosen.opset}")
    if chosen.weights.suffix == ".onnx" and chosen.tensorrt:
        return _build(chosen.weights)
    refuse_unwritable(chosen.json, chosen.out / f"{stem_of(chosen.weights)}.onnx", read=[chosen.weights])
    read_model_file(chosen.weights)  # a wrong name is said before pictures are painted
    from perception.export import export_model

    console = Console(stderr=True)
    with console.status("painting pictures, exporting and comparing") if console.is_terminal else nullcontext():
        source = frames(ROWS, seed=20_000, size=224)
        pictures = [next(source).image for _ in range(chosen.pictures)]
        report = export_model(chosen.weights, chosen.out, pictures=pictures, opset=chosen.opset)
    table = Table(title=f"difference from the fp32 network on {report[0].parity.pictures} pictures, px of 224")
    for title in ("file", "MB", "mean", "95 %", "max", "visibility, max"):
        table.add_column(title, justify="right")
    for entry in report:
        found = entry.parity
        far = (f"{px:.2f}" for px in (found.mean_px, found.p95_px, found.max_px))
        table.add_row(entry.file, f"{entry.bytes / 1e6:.1f}", *far, f"{found.visible_max:.2f}")
    Console().print(table)
    write_json(chosen.json, [{"file": e.file, "bytes": e.bytes, **e.parity.model_dump()} for e in report])
    return _build(chosen.out / f"{stem_of(chosen.weights)}.onnx") if chosen.tensorrt else 0


def _build(onnx: Path) -> int:
    from perception.engines.tensorrt import build_tensorrt

    console = Console(stderr=True)
    with console.status("building the engine: minutes on a small board") if console.is_terminal else nullcontext():
        engine = build_tensorrt(onnx)
    print(f"{engine}; drive with it: model=tensorrt:{onnx}")
    return 0
