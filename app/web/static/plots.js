// Curves of the last 20 seconds, each in its own lane with its own scale.
const SPAN_S = 20;
const EVERY_MS = 100;
const CURVES = [
  { name: "speed, m/s", of: (s) => s.speed_mps, colour: "--c1", low: 0, high: 0.5 },
  { name: "steering, 1/m", of: (s) => s.curvature_1pm, colour: "--c2", low: -5, high: 5 },
  { name: "line left of the robot, cm", of: (s) => (s.error_m == null ? null : s.error_m * 100), colour: "--c3", low: -5, high: 5 },
  { name: "loop, ms", of: (s) => s.loop_ms, colour: "--c4", low: 0, high: 20 },
];

export class Plots {
  constructor(canvas, legend) {
    this.canvas = canvas;
    this.rows = [];
    this.drawnMs = 0;
    for (const { name, colour } of CURVES) {
      const item = document.createElement("li");
      item.textContent = name;
      item.style.setProperty("--line", `var(${colour})`);
      legend.append(item);
    }
  }

  add(status) {
    const last = this.rows.at(-1);
    // Another drive began, with a clock of its own.
    if (last && status.time_s < last.time_s) this.rows = [];
    if (!last || status.time_s > last.time_s) this.rows.push({ time_s: status.time_s, values: CURVES.map(({ of }) => of(status)) });
    while (this.rows.length && this.rows[0].time_s < status.time_s - SPAN_S) this.rows.shift();
    const nowMs = performance.now();
    if (nowMs - this.drawnMs >= EVERY_MS && !document.hidden) {
      this.drawnMs = nowMs;
      requestAnimationFrame(() => this.#draw());
    }
  }

  #draw() {
    const { canvas, rows } = this;
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const { width, height } = canvas;
    const lane = height / CURVES.length;
    pen.clearRect(0, 0, width, height);
    if (!rows.length) return;
    const end_s = rows.at(-1).time_s;
    pen.font = "12px system-ui, sans-serif";
    CURVES.forEach(({ low, high, colour }, index) => {
      const values = rows.map((row) => row.values[index]).filter((value) => value != null);
      const [from, to] = [Math.min(low, ...values), Math.max(high, ...values)];
      const y = (value) => lane * index + 4 + (1 - (value - from) / (to - from)) * (lane - 8);
      pen.strokeStyle = style.getPropertyValue("--edge");
      pen.lineWidth = 1;
      pen.strokeRect(0.5, Math.round(lane * index) + 0.5, width - 1, lane - 1);
      pen.strokeStyle = style.getPropertyValue(colour);
      pen.lineWidth = 2;
      pen.beginPath();
      let down = false;
      for (const row of rows) {
        const value = row.values[index];
        if (value == null) { down = false; continue; }
        const x = width * (1 - (end_s - row.time_s) / SPAN_S);
        if (down) pen.lineTo(x, y(value));
        else pen.moveTo(x, y(value));
        down = true;
      }
      pen.stroke();
      pen.fillStyle = style.getPropertyValue("--soft");
      pen.fillText(to.toFixed(1), 4, lane * index + 14);
      pen.fillText(from.toFixed(1), 4, lane * (index + 1) - 5);
    });
  }
}
