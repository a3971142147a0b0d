// Sliders for a few gains, with undo of each change that this page made.
export class Tuning {
  constructor(place, undo, copy, settings, save, send) {
    Object.assign(this, { place, undoButton: undo, saveButton: save, copy, settings, send });
    this.sliders = new Map();
    this.changes = [];
    undo.addEventListener("click", () => this.undo());
    save.addEventListener("click", () => this.send({ do: "save" }));
    copy.addEventListener("click", () => this.#write());
  }

  show(knobs, may) {
    for (const knob of knobs) {
      const slider = this.sliders.get(knob.key) ?? this.#make(knob);
      slider.input.disabled = !may;
      // Not while it is being turned.
      if (!slider.turning) this.#set(slider, knob.value);
      slider.value = knob.value;
    }
    this.#fill();
    this.may = may;
    this.saveButton.disabled = !may || !knobs.length;
    this.undoButton.disabled = !may || !this.changes.length;
  }

  undo() {
    const last = this.may ? this.changes.pop() : undefined;
    if (last) this.send({ do: "tune", name: last.key, value: last.before });
  }

  #make(knob) {
    const row = document.createElement("div");
    row.className = "knob";
    const input = Object.assign(document.createElement("input"), {
      type: "range", id: knob.key, min: knob.low, max: knob.high, step: knob.step,
    });
    const label = Object.assign(document.createElement("label"), { htmlFor: knob.key, textContent: knob.label });
    const output = document.createElement("span");
    row.append(label, output, input);
    this.place.append(row);
    const slider = { key: knob.key, input, output, value: knob.value, turning: false };
    input.addEventListener("input", () => { slider.turning = true; output.textContent = input.value; });
    input.addEventListener("change", () => {
      slider.turning = false;
      this.changes.push({ key: knob.key, before: slider.value });
      this.send({ do: "tune", name: knob.key, value: Number(input.value) });
    });
    this.sliders.set(knob.key, slider);
    return slider;
  }

  #set(slider, value) {
    slider.input.value = value;
    const shown = String(value);
    if (slider.output.textContent !== shown) slider.output.textContent = shown;
  }

  #write() {
    this.settings.hidden = !this.settings.hidden;
    this.copy.setAttribute("aria-expanded", String(!this.settings.hidden));
    this.#fill();
  }

  // As the robot has them, which takes a moment after a slider was let go.
  #fill() {
    const text = [...this.sliders.values()].map(({ key, value }) => `${key}=${value}`).join("\n");
    if (!this.settings.hidden && this.settings.textContent !== text) this.settings.textContent = text;
  }
}
