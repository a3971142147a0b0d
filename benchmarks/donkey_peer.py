"""Donkeycar's loop and tub writer; imports nothing of ours, so any Python may run it.

python benchmarks/donkey_peer.py loop|tub
"""

from __future__ import annotations

import sys
import tempfile
import time

import numpy as np


def loop_us() -> float:
    """Processor time of an empty pass with one part that does nothing, microseconds."""
    import donkeycar as dk

    class Part:
        left = 20_000

        def run(self) -> None:
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    car = dk.Vehicle()
    car.add(Part())
    began_s = time.process_time()
    car.start(rate_hz=1e9, max_loop_count=20_000)
    return (time.process_time() - began_s) / 20_000 * 1e6


def tub_records() -> float:
    """Records of 224x224 a second of processor time."""
    from donkeycar.parts.tub_v2 import Tub

    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, 224)[None, :, None]
    images = [np.clip(ramp + rng.normal(0, 3, (224, 224, 3)), 0, 255).astype(np.uint8) for _ in range(16)]
    with tempfile.TemporaryDirectory() as folder:
        tub = Tub(folder, inputs=["cam/image_array", "user/angle"], types=["image_array", "float"])
        began_s = time.process_time()
        for number in range(400):
            tub.write_record({"cam/image_array": images[number % 16], "user/angle": 0.1})
        took_s = time.process_time() - began_s
        tub.close()
    return 400 / took_s


if __name__ == "__main__":
    print({"loop": loop_us, "tub": tub_records}[sys.argv[1]]())
