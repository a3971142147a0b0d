"""Which extra of linepilot brings a module: what to install when an import fails."""

from __future__ import annotations

_EXTRAS = {
    "train": ("torch", "torchvision", "safetensors", "tensorboard", "onnx"),
    "openvino": ("openvino",),
    "gym": ("gymnasium",),
    "jetson": ("Jetson", "smbus2"),
    "serial": ("serial",),
    "tune": ("optuna", "cmaes", "ruamel"),
    "web": ("starlette", "uvicorn", "websockets", "segno"),
    "foxglove": ("foxglove",),
    "parquet": ("pyarrow",),
    "hub": ("huggingface_hub",),
    "cluster": ("distributed", "dask"),
}
"""By the name that is imported, which is not always the name that is installed."""

_AGAIN = "its installation is not whole: in linepilot's folder run pip install -e . again"


def extra_of(module: str) -> str | None:
    """For a module as ``torch.nn``; None when no extra brings it."""
    top = module.partition(".")[0]
    return next((extra for extra, modules in _EXTRAS.items() if top in modules), None)


def remedy_for(module: str) -> str:
    """What to do when this module cannot be found."""
    extra = extra_of(module)
    if extra is not None:
        return f"pip install 'linepilot[{extra}]'"
    if module.partition(".")[0] == "cv2":
        # A wheel would hide JetPack's own OpenCV, which has GStreamer.
        return "pip install opencv-python, on a Jetson take JetPack's own: docs/jetson.md"
    return _AGAIN
