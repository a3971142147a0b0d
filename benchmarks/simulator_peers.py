"""One peer's steps per CPU-second with a rendered frame a step; imports nothing of ours, so any Python may run it.

    python benchmarks/simulator_peers.py car_racing|mujoco STEPS
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

# No shadows and no anti-aliasing: the fastest that this renderer offers.
ROBOT = """
<mujoco>
  <option timestep="0.005"/>
  <asset>
    <texture name="grid" type="2d" builtin="checker" rgb1=".3 .2 .15" rgb2=".2 .15 .1" width="512" height="512"/>
    <material name="grid" texture="grid" texrepeat="20 20"/>
  </asset>
  <visual><global offwidth="224" offheight="224"/><quality shadowsize="0" offsamples="0"/></visual>
  <worldbody>
    <light pos="0 0 3" dir="0 0 -1" castshadow="false"/>
    <geom type="plane" size="20 20 .1" material="grid"/>
    <geom type="box" size="10 .0125 .001" pos="0 0 .001" rgba="1 1 1 1" contype="0" conaffinity="0"/>
    <body pos="0 0 .04">
      <freejoint/>
      <geom type="box" size=".06 .05 .02" mass=".6" rgba=".5 .5 .5 1"/>
      <geom type="sphere" size=".012" pos="-.05 0 -.023" friction=".01 .001 .0001"/>
      <camera name="eye" pos=".06 0 .06" xyaxes="0 -1 0 .37 0 .93" fovy="110"/>
      <body pos=".02 .055 -.005"><joint name="left" axis="0 1 0"/>
        <geom type="cylinder" size=".033 .008" euler="90 0 0" mass=".05"/></body>
      <body pos=".02 -.055 -.005"><joint name="right" axis="0 1 0"/>
        <geom type="cylinder" size=".033 .008" euler="90 0 0" mass=".05"/></body>
    </body>
  </worldbody>
  <actuator>
    <velocity joint="left" kv=".02"/><velocity joint="right" kv=".02"/>
  </actuator>
</mujoco>
"""


def car_racing() -> Callable[[], object]:
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    import gymnasium
    import numpy as np

    env = gymnasium.make("CarRacing-v3")
    env.reset(seed=1)
    action = np.array([0.0, 0.1, 0.0], np.float32)

    def step() -> object:
        result = env.step(action)
        if result[2] or result[3]:
            env.reset()
        return result

    return step


def mujoco_drive() -> Callable[[], object]:
    os.environ.setdefault("MUJOCO_GL", "egl")
    import mujoco

    model = mujoco.MjModel.from_xml_string(ROBOT)
    data = mujoco.MjData(model)
    renderer = mujoco.Renderer(model, 224, 224)

    def step() -> object:
        data.ctrl[:] = (6.0, 7.0)
        mujoco.mj_step(model, data, nstep=7)
        renderer.update_scene(data, camera="eye")
        return renderer.render()

    return step


def main() -> None:
    peer, steps = sys.argv[1], int(sys.argv[2])
    step = {"car_racing": car_racing, "mujoco": mujoco_drive}[peer]()
    step()
    start = time.process_time()
    for _ in range(steps):
        step()
    print(steps / (time.process_time() - start))


if __name__ == "__main__":
    main()
