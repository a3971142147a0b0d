// The recorded sessions as cards: thumbnail, facts, play, repair, download.
import { Player } from "./player.js";

const size = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

export class Sessions {
  constructor(byId) {
    this.byId = byId;
    this.player = new Player(byId, (text) => this.#say(text));
    byId("view-sessions").addEventListener("changed", () => this.show());
    byId("reload").addEventListener("click", () => this.show());
  }

  async show() {
    const answer = await fetch("/sessions").catch(() => null);
    if (!answer?.ok) { this.#say("no answer from the robot"); return; }
    const rows = await answer.json();
    this.byId("no-sessions").hidden = rows.length > 0;
    this.byId("session-list").replaceChildren(...rows.map((row) => this.#card(row)));
  }

  leave() { this.player.close(); }

  #say(text) { this.byId("sessions-said").textContent = text.trim(); }

  #card(row) {
    const at = `/sessions/${encodeURIComponent(row.name)}`;
    const card = document.createElement("li");
    card.className = "card";
    if (row.pictures) card.append(Object.assign(document.createElement("img"), { src: `${at}/thumbnail`, alt: "", loading: "lazy", width: 112, height: 112 }));
    const text = document.createElement("div");
    const started = row.started_s ? new Date(row.started_s * 1000).toLocaleString() : "";
    const facts = [started, row.length_s == null ? "" : `${row.length_s.toFixed(1)} s`, `${row.pictures} pictures`, size(row.size), row.state];
    text.append(
      Object.assign(document.createElement("h3"), { textContent: row.name }),
      Object.assign(document.createElement("p"), { className: "facts", textContent: facts.filter(Boolean).join(" · ") }),
    );
    const buttons = document.createElement("div");
    buttons.className = "row";
    const whole = row.state === "whole" || row.state === "damaged";
    if (whole && row.pictures) buttons.append(this.#button("Open", row.name, () => { this.#say(""); this.player.open(row.name); }));
    if (row.state === "cut off" || row.state === "damaged") buttons.append(this.#button("Repair", row.name, () => this.#repair(at)));
    buttons.append(Object.assign(document.createElement("a"), { className: "button", href: `${at}/file`, download: row.name, textContent: "Download", ariaLabel: `Download ${row.name}` }));
    text.append(buttons);
    card.append(text);
    return card;
  }

  #button(text, name, press) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, ariaLabel: `${text} ${name}` });
    button.addEventListener("click", press);
    return button;
  }

  async #repair(at) {
    const answer = await fetch(`${at}/repair`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    this.#say(answer.ok ? `made ${(await answer.json()).name}` : await answer.text());
    await this.show();
  }
}
