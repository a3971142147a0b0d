"use strict";
// Labels by click, drag or keys. What the server has answered is on disk; undo and redo are labels like any other.
const $ = (id) => document.getElementById(id);
const canvas = $("picture"), pen = canvas.getContext("2d");
const STEP = 1 / 112, NEAR = 0.06;
let pictures = [], here = -1, image = null, points = [], guess = [], noLine = false, touched = false, dragged = -1;
let saved = { points: [], no_line: false };
const past = [], future = [];

async function ask(address, body) {
  const answer = await fetch(address, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}
function tell(error) { $("trouble").textContent = error ? `Not saved: ${error.message || error}` : ""; }

function mine() {
  const [part, of] = $("part").value.split("/").map(Number);
  const found = pictures.map((p, i) => i).filter((i) => i % of === part - 1);
  if ($("order").value === "unsure") found.sort((a, b) => (pictures[a].confidence ?? 2) - (pictures[b].confidence ?? 2) || a - b);
  return found;
}
function following(step) {
  const order = mine(), at = order.indexOf(here);
  if (step < 0) return order[Math.max(0, at - 1)];
  const rest = [...order.slice(at + 1), ...order.slice(0, Math.max(at, 0))];
  return rest.find((i) => !pictures[i].done) ?? order[(at + 1) % order.length];
}
async function show(index) {
  if (index === undefined || index < 0) return;
  here = index;
  try {
    const [label, shown] = await Promise.all([ask(`/labels/${index}`), load(`/pictures/${index}`)]);
    if (here !== index) return;
    image = shown; guess = label.guess; noLine = label.no_line; touched = false;
    saved = { points: label.points, no_line: label.no_line };
    points = label.points.length || noLine ? label.points : proposal();
    tell(null);
  } catch (error) { image = null; points = []; guess = []; tell(error); }
  draw(); mark();
}
function load(address) {
  return new Promise((done, failed) => {
    const picture = new Image();
    picture.onload = () => done(picture);
    picture.onerror = () => failed(new Error("the picture cannot be read"));
    picture.src = address;
  });
}
function proposal() {
  if (!guess.length) return [];
  return $("mode").value === "many" ? guess.map((p) => [...p]) : [[...guess[Math.floor(guess.length / 2)]]];
}
async function keep(label, index = here) {
  const before = index === here ? saved : label.before;
  await ask(`/labels/${index}`, label);
  past.push({ index, from: before, to: { points: label.points, no_line: label.no_line } });
  future.length = 0;
  note(index, label);
}
function note(index, label) {
  pictures[index].done = label.points.length > 0 || label.no_line;
  pictures[index].no_line = label.no_line;
  count(); mark();
}
async function act(label) {
  try { await keep(label); tell(null); await show(following(1)); } catch (error) { tell(error); }
}
async function travel(from, to, side) {
  const change = from.pop();
  if (!change) return;
  try {
    await ask(`/labels/${change.index}`, change[side]);
    to.push(change); note(change.index, change[side]); await show(change.index);
  } catch (error) { from.push(change); tell(error); }
}
const actions = {
  accept: () => act({ points, no_line: points.length === 0 && noLine }),
  none: () => act({ points: [], no_line: true }),
  clear: () => { points = []; noLine = false; touched = true; draw(); keep({ points: [], no_line: false }).catch(tell); },
  undo: () => travel(past, future, "from"),
  redo: () => travel(future, past, "to"),
  before: () => show(following(-1)),
  next: () => show(following(1)),
};
const keys = { Enter: "accept", n: "none", x: "clear", z: "undo", y: "redo", ArrowLeft: "before", ArrowRight: "next" };

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * 2 - 1, (event.clientY - box.top) / box.height * 2 - 1].map((v) => Math.max(-1, Math.min(1, v)));
}
canvas.addEventListener("pointerdown", (event) => {
  const at = place(event);
  dragged = points.findIndex((p) => Math.hypot(p[0] - at[0], p[1] - at[1]) < NEAR);
  if (dragged < 0 && $("mode").value === "one") { points = [at]; dragged = 0; }
  if (dragged < 0) { if (!touched && !saved.points.length) points = []; points.push(at); points.sort((a, b) => b[1] - a[1]); dragged = points.indexOf(at); }
  noLine = false; touched = true; canvas.setPointerCapture(event.pointerId); draw();
});
canvas.addEventListener("pointermove", (event) => { if (dragged >= 0) { points[dragged] = place(event); draw(); } });
canvas.addEventListener("pointerup", () => { dragged = -1; });
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "SELECT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const move = { a: [-1, 0], d: [1, 0], w: [0, -1], s: [0, 1] }[key];
  if (event.key === "Enter" && event.target.tagName === "BUTTON") return;
  if (move) {
    if (!points.length) points = [[0, 0.2]];
    const far = event.shiftKey ? 8 : 1;
    points = points.map((p) => p.map((v, k) => Math.max(-1, Math.min(1, v + move[k] * STEP * far))));
    noLine = false; touched = true; draw();
  } else if (keys[key]) actions[keys[key]](); else return;
  event.preventDefault();
});

function draw() {
  const side = canvas.width, at = (v) => (v + 1) * side / 2;
  pen.clearRect(0, 0, side, side);
  if (image) pen.drawImage(image, 0, 0, side, side);
  pen.fillStyle = "#f33";
  for (const [x, y] of guess) { pen.beginPath(); pen.arc(at(x), at(y), 4, 0, 7); pen.fill(); }
  pen.strokeStyle = "#3f3"; pen.lineWidth = 3;
  if (points.length > 1) { pen.beginPath(); points.forEach(([x, y]) => pen.lineTo(at(x), at(y))); pen.stroke(); }
  for (const [x, y] of points) { pen.beginPath(); pen.arc(at(x), at(y), 11, 0, 7); pen.stroke(); }
  if (noLine) { pen.font = "bold 40px sans-serif"; pen.fillStyle = "#fff"; pen.fillText("no line", 20, 50); }
  $("name").textContent = here < 0 ? "" : `${pictures[here].file}, session ${pictures[here].session}`;
}
function mark() {
  for (const button of $("grid").children) {
    const index = Number(button.dataset.index);
    button.className = `${pictures[index].done ? "done" : ""} ${index === here ? "here" : ""}`;
  }
}
function count() {
  const done = pictures.filter((p) => p.done).length;
  $("progress").value = done / Math.max(pictures.length, 1);
  $("count").textContent = `${done} of ${pictures.length}`;
}
function lay() {
  $("grid").replaceChildren(...mine().map((index) => {
    const button = document.createElement("button"), thumb = document.createElement("img");
    thumb.loading = "lazy"; thumb.src = `/pictures/${index}`; thumb.alt = pictures[index].file;
    button.dataset.index = index; button.append(thumb);
    button.addEventListener("click", () => show(index));
    return button;
  }));
  mark();
}
async function start() {
  history.replaceState(null, "", "/");
  for (let of = 1; of <= 4; of++) for (let part = 1; part <= of; part++) $("part").add(new Option(of === 1 ? "all" : `${part} of ${of}`, `${part}/${of}`));
  for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);
  for (const id of ["part", "order"]) $(id).addEventListener("change", () => { lay(); show(following(1)); });
  $("mode").addEventListener("change", () => { if (!saved.points.length) points = proposal(); draw(); });
  try { pictures = await ask("/pictures"); count(); lay(); await show(following(1)); } catch (error) { tell(error); }
  setInterval(async () => {
    try {
      const now = await ask("/pictures");
      now.forEach((p, i) => { pictures[i].confidence = p.confidence; pictures[i].done = p.done; });
      count(); mark(); tell(null);
    } catch (error) { tell("the server is gone; labels up to now are on disk"); }
  }, 3000);
}
start();
