// The stick: touch or mouse, held keys, gamepad; whichever is moved furthest counts.
const KEYS = {
  ArrowUp: [0, 1], KeyW: [0, 1], ArrowDown: [0, -1], KeyS: [0, -1],
  ArrowLeft: [1, 0], KeyA: [1, 0], ArrowRight: [-1, 0], KeyD: [-1, 0],
};
const KEY_STEERING = 0.6;
const KEY_THROTTLE = 0.6;
const DEAD = 0.12;
const REACH = 0.34;  // of the width: how far the knob moves
const START = 9;     // buttons of the standard gamepad
const STOPS = [0, 1, 2, 3];

const bounded = (value) => Math.max(-1, Math.min(1, value));

export class Stick {
  constructor(area, knob) {
    this.area = area;
    this.knob = knob;
    this.held = new Set();
    this.pointer = null;
    this.dragged = { steering: 0, throttle: 0 };
    this.pressed = new Set();
    area.addEventListener("pointerdown", (event) => this.#grab(event));
    area.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      area.addEventListener(end, (event) => { if (event.pointerId === this.pointer) this.#drop(); });
    }
    addEventListener("keydown", (event) => this.#key(event, true));
    addEventListener("keyup", (event) => this.#key(event, false));
  }

  release() {
    this.held.clear();
    this.#drop();
  }

  // {steering, throttle} in [-1, 1], left and forward positive; stop and arm are new presses on a gamepad.
  read() {
    const pad = this.#gamepad();
    const [x, y] = [...this.held].reduce(([a, b], key) => [a + KEYS[key][0], b + KEYS[key][1]], [0, 0]);
    const ways = [
      this.dragged,
      { steering: bounded(x) * KEY_STEERING, throttle: bounded(y) * KEY_THROTTLE },
      pad,
    ];
    const reach = (way) => Math.max(Math.abs(way.steering), Math.abs(way.throttle));
    const { steering, throttle } = ways.reduce((best, way) => (reach(way) > reach(best) ? way : best));
    this.#draw(steering, throttle);
    return { steering, throttle, stop: pad.stop, arm: pad.arm };
  }

  #grab(event) {
    if (this.pointer !== null) return;
    this.pointer = event.pointerId;
    this.area.setPointerCapture(event.pointerId);
    this.#drag(event);
  }

  #drag(event) {
    if (event.pointerId !== this.pointer) return;
    const box = this.area.getBoundingClientRect();
    const reach = box.width * REACH;
    const right = (event.clientX - box.left - box.width / 2) / reach;
    const up = -(event.clientY - box.top - box.height / 2) / reach;
    const length = Math.max(1, Math.hypot(right, up));
    this.dragged = { steering: soft(-right / length), throttle: soft(up / length) };
  }

  #drop() {
    this.pointer = null;
    this.dragged = { steering: 0, throttle: 0 };
    this.#draw(0, 0);
  }

  #key(event, down) {
    // Of keys that go up beside a modifier some systems tell nothing.
    if (event.ctrlKey || event.metaKey || event.altKey) this.held.clear();
    // Wherever the focus went meanwhile: a key that is let go drives no more.
    if (!down) this.held.delete(event.code);
    if (!down || !(event.code in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    // Arrow keys on a slider move the slider.
    if (event.target instanceof HTMLInputElement) return;
    if (event.code.startsWith("Arrow")) {
      const here = event.target === this.area;
      if (!here && !this.held.has(event.code)) return;
      event.preventDefault();
    }
    // What a stop let go must be pressed anew: a key that repeats was held before.
    if (!event.repeat) this.held.add(event.code);
  }

  #gamepad() {
    // A browser whose window is not the front one may keep a pad's last word.
    const pads = document.hasFocus() ? navigator.getGamepads?.() ?? [] : [];
    const pad = [...pads].find((one) => one?.connected && one.mapping === "standard");
    if (!pad) return { steering: 0, throttle: 0, stop: false, arm: false };
    const fresh = (number) => {
      const now = pad.buttons[number]?.pressed ?? false;
      const news = now && !this.pressed.has(number);
      if (now) this.pressed.add(number);
      else this.pressed.delete(number);
      return news;
    };
    const stop = STOPS.map(fresh).some(Boolean);
    return { steering: soft(-pad.axes[0]), throttle: soft(-pad.axes[1]), stop, arm: fresh(START) };
  }

  #draw(steering, throttle) {
    const reach = this.area.clientWidth * REACH;
    this.knob.style.transform = `translate(${-steering * reach}px, ${-throttle * reach}px)`;
  }
}

// Nothing near the centre, gentle around it, full at the end.
function soft(value) {
  const size = Math.min(1, Math.abs(value));
  if (size < DEAD) return 0;
  const beyond = (size - DEAD) / (1 - DEAD);
  return bounded(Math.sign(value) * (0.5 * beyond + 0.5 * beyond * beyond));
}
