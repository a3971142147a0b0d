"""``linepilot export``: trained weights to ONNX (fp32 and int8), proved against the network they come from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.cli.options import count, parser, refuse_unwritable, write_json
from perception.look_ahead import ROWS
from sim.synthetic import frames


def run(arguments: list[str]) -> int:
    options = parser(
        "export",
        what="Write NAME.onnx, NAME.int8.onnx, golden frames and NAME.json, which every engine is checked against.",
        example="linepilot export runs/first/model.safetensors --out models",
    )
    add = options.add_argument
    add("weights", type=Path, help=".safetensors, or a .pth of JetBot or JetRacer")
    add("--out", type=Path, default=Path("models"), metavar="FOLDER", help="default: models")
    add("--opset", type=count, metavar="N", default=17, help="13 for the TensorRT of an original Jetson Nano")
    add("--pictures", type=count, metavar="N", default=128, help="made-up pictures that calibrate int8")
    add("--json", type=Path, metavar="OUT", help="write the differences to this file")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json)
    from perception.export import export_model

    source = frames(ROWS, seed=20_000, size=224)
    pictures = [next(source).image for _ in range(chosen.pictures)]
    report = export_model(chosen.weights, chosen.out, pictures=pictures, opset=chosen.opset)
    table = Table(title="difference from the network, px of 224")
    for title in ("file", "MB", "mean", "max"):
        table.add_column(title, justify="right")
    for parity in report:
        table.add_row(parity.file, f"{parity.bytes / 1e6:.1f}", f"{parity.mean_px:.2f}", f"{parity.max_px:.2f}")
    Console().print(table)
    write_json(chosen.json, [asdict(parity) for parity in report])
    return 0
