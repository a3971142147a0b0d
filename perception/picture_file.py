"""Reading a picture whole or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_JPEG, _SCAN, _END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"


def read_whole(path: Path) -> NDArray[np.uint8] | None:
    """(H, W, 3) BGR; None of what is missing, no picture, or cut off. Raises cv2.error of too many pixels."""
    if not path.is_file() or _is_cut_off(path.read_bytes()):
        return None
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, dtype=np.uint8)


def _is_cut_off(content: bytes) -> bool:
    """OpenCV fills the rest of a JPEG with grey and says nothing. Neither marker can stand in a scan's own data
    (ITU-T T.81, B.1.1.2 and F.1.2.3: a byte FF is followed by a zero there), and a thumbnail stands before the picture.
    """
    return content.startswith(_JPEG) and content.rfind(_END) < content.rfind(_SCAN)
