"""The card beside a fine-tuned model: data, recipe, results and limits, for whoever finds the file later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from perception.dataset import LabelledPhoto
from perception.dataset.card import DataSetCard
from perception.files import replace_file
from perception.metadata import ModelMetadata
from perception.training.fine_tune_report import Comparison, reliability_text, results
from perception.training.markdown import markdown_table

CARD = "model-card.md"
_TEXT = """# {name}

A network that says where the {target} is in a camera's picture; fine-tuned from {start} by linepilot.

{facts}

## Data

{data}

## Recipe

{recipe}

## Results, {on}

Lateral error at the label's row, in pixels of a 224 px wide picture.

{results}

## Does it know how sure it is?

{reliability}

## Limits

{limits}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A folder as it was given, and what it says of itself."""

    folder: Path
    card: DataSetCard | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntFrom:
    train: Sequence[LabelledPhoto]
    validation: Sequence[LabelledPhoto]
    origins: Sequence[Origin]


def write_model_card(
    model: Path, *, metadata: ModelMetadata, start: str, target: str, recipe: Mapping[str, object],
    comparison: Comparison, learnt: LearntFrom,
) -> Path:  # fmt: skip
    """Beside ``model``. Raises InputError when the disk refuses."""
    known = (
        ("file", f"{model.name}, sha256 {sha256(model.read_bytes()).hexdigest()}"),
        ("sees", f"{metadata.size} px square pictures, {metadata.channel_order.upper()}, {metadata.resize} resizing"),
        ("answers", f"{len(metadata.rows)} rows" if metadata.kind == "rows" else "one point, x and y"),
    )
    settings = [(name, str(value)) for name, value in recipe.items()]
    text = _TEXT.format(
        name=model.absolute().parent.name, target=target, start=start, on=comparison.on,
        facts="\n".join(f"- {name}: {value}" for name, value in known), data=_data(learnt),
        recipe=markdown_table(("setting", "value"), settings), results=results(comparison),
        reliability=reliability_text(comparison.after),
        limits="\n".join(f"- {limit}" for limit in _limits(learnt, recipe=recipe, target=target)),
    )  # fmt: skip
    path = model.with_name(CARD)
    replace_file(path, text.encode())
    return path


def _data(learnt: LearntFrom) -> str:
    train, held = (Counter(p.session for p in photos) for photos in (learnt.train, learnt.validation))
    rows = [(s, str(train[s]), str(held[s])) for s in sorted({*train, *held})]
    return f"{_origins(learnt.origins)}\n\n{markdown_table(('session', 'learnt from', 'validated on'), rows)}"


def _origins(origins: Sequence[Origin]) -> str:
    lines = []
    for origin in origins:
        lines.append(f"- {origin.folder.absolute().name}")
        for source in origin.card.sources if origin.card else ():
            license_ = source.license or "license not said"
            lines.append(f"  - {source.pictures} pictures as {source.format} ({license_}) {source.note}".rstrip())
    return "\n".join(lines)


def _limits(learnt: LearntFrom, *, recipe: Mapping[str, object], target: str) -> list[str]:
    """What these numbers do not say, as far as it follows from the data."""
    held, both = learnt.validation, {p.session for p in learnt.train} & {p.session for p in learnt.validation}
    limits = [f"It was shown the {target} only; what it says of another target was not looked at."]
    if not held:
        limits.append("No picture was kept for validation: the results are of those it learnt from, and flatter.")
    else:
        limits.append("The best weights were chosen on the validation pictures: on others it will be somewhat worse.")
    if both:
        limits.append("Validation pictures are of a drive it learnt from: floor and light were known to it.")
    sessions = len({p.session for p in held})
    if held and sessions == 1:
        limits.append("All validation pictures are of one drive: other light and other floors were not tried.")
    if not any(p.visible is False for p in held):
        limits.append("No validation picture is without a line: whether it notices that was not tried.")
    if recipe["best at step"] == 0:
        limits.append("Nothing was better than the start model on validation: these are its weights.")
    limits.append("Scored on pictures, not driven; int8 and other files made of it answer slightly differently.")
    return limits
