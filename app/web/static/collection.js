// How the pictures that are collected are spread: bars, and what is missing.
const GROUPS = { x: "line in the picture", bend: "bends", light: "brightness" };

export class CollectionView {
  constructor(section, place, facts, advice) {
    Object.assign(this, { section, place, facts, advice });
    this.bars = new Map();
  }

  show(collected) {
    this.section.hidden = !collected;
    if (!collected) return;
    const { kept, same, blurred, corrections } = collected;
    this.#text(this.facts, `${kept} kept, ${corrections} of them corrections; left out: ${same} like the one before, ${blurred} blurred`);
    this.#text(this.advice, collected.advice);
    for (const [group, title] of Object.entries(GROUPS)) {
      const counts = Object.entries(collected[group]);
      const most = Math.max(1, ...counts.map(([, count]) => count));
      for (const [name, count] of counts) this.#bar(group, title, name, count, most);
    }
  }

  #bar(group, title, name, count, most) {
    const key = `${group} ${name}`;
    let bar = this.bars.get(key);
    if (!bar) {
      let box = this.place.querySelector(`[data-group="${group}"]`);
      if (!box) {
        box = document.createElement("div");
        box.dataset.group = group;
        box.append(Object.assign(document.createElement("h3"), { textContent: title }));
        this.place.append(box);
      }
      const line = document.createElement("div");
      line.className = "count";
      bar = { meter: document.createElement("meter"), number: document.createElement("span") };
      bar.meter.setAttribute("aria-label", `${title}: ${name}`);
      line.append(Object.assign(document.createElement("span"), { textContent: name }), bar.meter, bar.number);
      box.append(line);
      this.bars.set(key, bar);
    }
    bar.meter.max = most;
    bar.meter.value = count;
    this.#text(bar.number, String(count));
  }

  #text(element, value) {
    if (element.textContent !== value) element.textContent = value;
  }
}
