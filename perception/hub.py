"""Models and data sets on the Hugging Face hub, through its own library. Pickles go neither way."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from control.errors import InputError, LinepilotError, MissingExtraError
from perception.checkpoint import read_model_file

Kind = Literal["model", "dataset"]
_TEXTS = ("*.json", "*.jsonl", "*.csv", "*.md", "*.yaml")
_WEIGHTS = (".safetensors", ".onnx")
_ALLOWED: dict[Kind, tuple[str, ...]] = {
    "model": (*(f"*{suffix}" for suffix in _WEIGHTS), "*.png", *_TEXTS),
    "dataset": ("*.jpg", "*.jpeg", "*.png", *_TEXTS),
}


def push(folder: Path, name: str, *, kind: Kind, private: bool) -> str:
    """Its address. Makes the repository when there is none. Raises InputError, LinepilotError, MissingExtraError."""
    files = [path for pattern in _ALLOWED[kind] for path in folder.rglob(pattern)]
    if not files:
        raise InputError(f"{folder}: holds nothing of a {kind}; files are {', '.join(_ALLOWED[kind])}")
    for path in files:
        if path.suffix in _WEIGHTS:
            read_model_file(path)
    with _told(name) as hub:
        api = hub.HfApi()
        api.create_repo(name, repo_type=kind, private=private, exist_ok=True)
        # Not folders as .cache, nor the state of a training.
        api.upload_folder(
            repo_id=name, repo_type=kind, folder_path=folder, allow_patterns=list(_ALLOWED[kind]),
            ignore_patterns=[".*", "*/.*"], commit_message="linepilot push",
        )  # fmt: skip
        return f"{api.endpoint}/{'datasets/' if kind == 'dataset' else ''}{name}"


def pull(name: str, folder: Path, *, kind: Kind, revision: str | None = None) -> list[Path]:
    """The files, each network checked against the checksum beside it; ``folder`` appears whole or not at all.

    Raises InputError, ModelError, LinepilotError, MissingExtraError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there already; name another folder with --out")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
            whole = Path(place) / "whole"
            with _told(name) as hub:
                hub.snapshot_download(
                    name, repo_type=kind, revision=revision, local_dir=whole, allow_patterns=list(_ALLOWED[kind])
                )
            shutil.rmtree(whole / ".cache", ignore_errors=True)
            files = sorted(path for path in whole.rglob("*") if path.is_file())
            if not files:
                raise InputError(f"{name}: holds nothing of a {kind}")
            for path in files:
                if path.suffix in _WEIGHTS:
                    read_model_file(path)
            if folder.exists():
                folder.rmdir()
            whole.rename(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    return [folder / path.relative_to(whole) for path in files]


@contextmanager
def _told(name: str) -> Iterator[Any]:
    """The library; what it raises becomes a line of ours."""
    if not sys.stderr.isatty():
        # At a terminal its bars tell how long it still takes. It reads this when it is imported.
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise MissingExtraError("huggingface-hub", extra="hub", purpose=f"reaching {name}") from error
    known: Any = errors
    try:
        yield huggingface_hub
    except (known.HFValidationError, known.RevisionNotFoundError) as error:
        what = "has no such revision" if isinstance(error, known.RevisionNotFoundError) else "takes OWNER/NAME"
        raise InputError(f"{name}: the hub {what}") from error
    except (known.HTTPError, known.LocalEntryNotFoundError, known.LocalTokenNotFoundError) as error:
        raise LinepilotError(f"{name}: {_what_to_do(error, known)}") from error


def _what_to_do(error: Exception, known: Any) -> str:
    if isinstance(error, known.RepositoryNotFoundError):
        return "not found; check the name, and for a private one run: hf auth login"
    if isinstance(error, known.LocalTokenNotFoundError):
        return "the hub wants to know who you are; run: hf auth login"
    if not isinstance(error, known.HfHubHTTPError):
        return "the hub cannot be reached; check the network"
    status = error.response.status_code
    if status in (401, 403):
        return "the hub refuses; run hf auth login, with a token that may write"
    return f"the hub answered with an error ({status}); try again later"
