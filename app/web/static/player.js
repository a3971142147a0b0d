// Plays a session back: its pictures with what was seen drawn on them, its curves, and a part of it cut out.
import { draw } from "./video.js";

const CURVES = [
  { name: "speed_mps", colour: "--c1", low: 0, high: 0.5 },
  { name: "curvature_1pm", colour: "--c2", low: -5, high: 5 },
  { name: "confidence", colour: "--c3", low: 0, high: 1 },
];
const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;

export class Player {
  constructor(byId, refused) {
    Object.assign(this, { byId, refused, session: null, at: 0, playing: false, wanted: 0 });
    byId("play").addEventListener("click", () => this.#toggle());
    byId("seek").addEventListener("input", () => { this.#pause(); this.show(Number(byId("seek").value)); });
    for (const [id, field] of [["cut-from", "from"], ["cut-to", "to"]]) {
      byId(id).addEventListener("click", () => { this.cut[field] = this.#time(this.at); this.#showCut(); });
    }
    byId("trim").addEventListener("click", () => this.#trim());
  }

  async open(name) {
    this.close();
    const answer = await fetch(`/sessions/${encodeURIComponent(name)}`);
    if (!answer.ok) { this.refused(await answer.text()); return; }
    this.session = await answer.json();
    const { facts, pictures, events, curves } = this.session;
    this.cut = { from: 0, to: curves.t.at(-1) };
    this.byId("player").hidden = false;
    this.byId("player-name").textContent = name;
    this.byId("player-facts").textContent = ["track", "camera", "look", "target", "linepilot"].filter((key) => facts[key]).map((key) => `${key} ${facts[key]}`).join(", ");
    this.byId("seek").max = pictures - 1;
    this.byId("events").replaceChildren(...events.slice(0, 200).map(([t, text]) => this.#event(t, text)));
    this.#showCut();
    this.#drawCurves();
    await this.show(0);
    this.byId("player-name").focus();
  }

  close() {
    this.#pause();
    this.session = null;
    this.byId("player").hidden = true;
  }

  // The newest wish counts; one request at a time, so that a slow link skips pictures and never queues.
  async show(number) {
    if (!this.session) return;
    this.wanted = number;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.session) {
        const now = this.wanted;
        await this.#fetch(now);
        if (this.wanted === now) break;
      }
    } finally {
      this.busy = false;
    }
  }

  async #fetch(number) {
    const { name } = this.session;
    const answer = await fetch(`/sessions/${encodeURIComponent(name)}/pictures/${number}`);
    if (!this.session) return;
    if (!answer.ok) { this.#pause(); this.refused(await answer.text()); return; }
    const { head } = await draw(this.byId("replay"), await answer.arrayBuffer());
    this.at = number;
    this.byId("seek").value = number;
    const time = `${clock(this.#time(number))} of ${clock(this.#time(this.session.pictures - 1))}`;
    this.byId("seek").setAttribute("aria-valuetext", time);
    const speed = head.speed_mps == null ? "" : `${head.speed_mps.toFixed(2)} m/s`;
    this.byId("replay-facts").textContent = [time, head.now, speed, head.by_hand ? "by hand" : ""].filter(Boolean).join(" · ");
    this.#drawCurves();
  }

  #time(number) { return this.session.curves.t[number]; }

  #toggle() {
    if (this.playing) { this.#pause(); return; }
    if (!this.session) return;
    if (this.at >= this.session.pictures - 1) this.at = 0;
    this.playing = true;
    this.byId("play").textContent = "Pause";
    this.began = performance.now() - this.#time(this.at) * 1000;
    this.#step();
  }

  #pause() {
    this.playing = false;
    this.byId("play").textContent = "Play";
  }

  // In the time in which it was driven: a slow link leaves pictures out.
  async #step() {
    while (this.playing && this.session) {
      const now = (performance.now() - this.began) / 1000;
      const last = this.session.pictures - 1;
      let next = this.at;
      while (next < last && this.#time(next) < now) next += 1;
      if (next !== this.at) await this.show(next);
      if (this.at >= last) { this.#pause(); return; }
      await new Promise((drawn) => requestAnimationFrame(drawn));
    }
  }

  #event(t, text) {
    const item = document.createElement("li");
    const jump = Object.assign(document.createElement("button"), { type: "button", textContent: `${clock(t)} ${text}` });
    jump.addEventListener("click", () => {
      this.#pause();
      const number = this.session.curves.t.findIndex((time) => time >= t);
      this.show(number < 0 ? this.session.pictures - 1 : number);
    });
    item.append(jump);
    return item;
  }

  #showCut() {
    this.byId("cut").textContent = `${clock(this.cut.from)} to ${clock(this.cut.to)}`;
    this.byId("trim").disabled = !(this.cut.from < this.cut.to);
  }

  async #trim() {
    const answer = await fetch(`/sessions/${encodeURIComponent(this.session.name)}/trim`, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ from_s: this.cut.from, to_s: this.cut.to }),
    });
    const told = answer.ok ? `made ${(await answer.json()).name}` : await answer.text();
    this.refused(told);
    this.byId("view-sessions").dispatchEvent(new Event("changed"));
  }

  #drawCurves() {
    const canvas = this.byId("replay-plot");
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const { width, height } = canvas;
    const { t } = this.session.curves;
    const x = (time) => (time / (t.at(-1) || 1)) * width;
    const lane = height / CURVES.length;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = style.getPropertyValue("--edge");
    this.session.curves.by_hand.forEach((hand, index) => { if (hand) pen.fillRect(x(t[index]), 0, Math.max(1, width / t.length), height); });
    CURVES.forEach(({ name, colour, low, high }, index) => {
      const values = this.session.curves[name];
      const known = values.filter((value) => value != null);
      const [from, to] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [low, high]);
      pen.strokeStyle = style.getPropertyValue(colour);
      pen.lineWidth = 2;
      pen.beginPath();
      values.forEach((value, number) => {
        if (value != null) pen.lineTo(x(t[number]), lane * (index + 1) - 4 - ((value - from) / (to - from)) * (lane - 8));
      });
      pen.stroke();
    });
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.beginPath();
    pen.moveTo(x(t[this.at]), 0);
    pen.lineTo(x(t[this.at]), height);
    pen.stroke();
  }
}
