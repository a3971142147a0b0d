// The page: one socket for wishes and numbers, buttons, gauges. Stops must work whatever else fails.
import { startVideo } from "./video.js";
import { Stick } from "./stick.js";
import { Plots } from "./plots.js";
import { Tuning } from "./tuning.js";
import { CollectionView } from "./collection.js";
import { Sessions } from "./sessions.js";
import { fillAbout } from "./about.js";
import { startViews } from "./views.js";

const byId = (id) => document.getElementById(id);
const SAY_MS = 50;       // 20 commands a second; the robot stops after 300 ms without one
const SILENT_MS = 2000;  // no status for so long: say that we do not know
const AGAIN_MS = 1000;
const REFUSED_MS = 4000;

let socket = null;
let me = "";
let status = {};
let heardMs = 0;
let said = "";
let refused = "";
let refusedMs = 0;

function send(wish) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(wish));
  return true;
}

function text(id, value) {
  const element = byId(id);
  if (element.textContent !== value) element.textContent = value;
}

const mine = () => me !== "" && status.holder === me;
const stick = new Stick(byId("stick"), byId("knob"));
const plots = new Plots(byId("plot"), byId("legend"));
const tuning = new Tuning(byId("knobs"), byId("undo"), byId("copy"), byId("settings"), byId("save"), send);
const collection = new CollectionView(byId("collection"), byId("spread"), byId("collected"), byId("advice"));
const sessions = new Sessions(byId);

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/control`);
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  socket.onclose = (event) => {
    me = "";
    status = {};
    offline(event.reason ? `connection closed: ${event.reason}` : "no connection; the robot stops if this page drove it");
    setTimeout(connect, AGAIN_MS);
  };
}

function offline(why) {
  const state = byId("state");
  state.dataset.state = "offline";
  text("state", "not connected");
  text("why", why);
  showButtons();
}

function hear(message) {
  if (message.you) { me = message.you; return; }
  if (message.refused) { refused = message.refused; refusedMs = performance.now(); showWhy(); return; }
  heardMs = performance.now();
  // Only what changed was told.
  status = { ...status, ...message };
  said = status.notice ?? "";
  if (!status.state) return;
  const state = byId("state");
  state.dataset.state = status.state;
  text("state", status.state + (status.by_hand && status.state === "armed" ? ", by hand" : ""));
  showWhy();
  showButtons();
  showGauges();
  plots.add(status);
  collection.show(status.collected);
  tuning.show(status.knobs ?? [], mine());
}

function showWhy() {
  if (performance.now() - refusedMs > REFUSED_MS) refused = "";
  const causes = (status.causes ?? []).filter((cause) => cause !== "command limited").join(", ");
  text("why", [refused, said, causes].filter(Boolean).join(" · "));
}

function showButtons() {
  const connected = Boolean(status.state);
  const driving = status.state === "armed" || status.state === "ramping";
  byId("claim").disabled = !connected;
  byId("claim").setAttribute("aria-pressed", String(mine()));
  text("claim", mine() ? "Leave the stick" : "Take the stick");
  byId("arm").disabled = !mine() || driving;
  byId("record").disabled = !mine();
  byId("record").setAttribute("aria-pressed", String(Boolean(status.recording)));
  text("record", status.recording ? "Stop recording" : "Record");
  byId("stick").setAttribute("aria-disabled", String(!mine()));
  text("let-go", status.autopilot ? "Touching it takes over; letting go gives back to the autopilot." : "Let go and it stands.");
  const driver = status.driver || status.holder;
  const who = mine() && status.driver === me ? "you have the stick" : driver ? `${driver} has the stick` : "nobody has the stick";
  text("holder", !connected ? "" : status.autopilot && !status.by_hand ? `${who}; the autopilot ${driving ? "drives" : "drives once armed"}` : who);
}

function gauge(name, value, shown) {
  text(`g-${name}`, value == null ? "–" : shown(value));
  byId(`m-${name}`).value = value ?? 0;
}

function showGauges() {
  gauge("speed", status.speed_mps, (v) => v.toFixed(2));
  gauge("curvature", status.curvature_1pm, (v) => v.toFixed(1));
  gauge("error", status.error_m, (v) => `${Math.abs(v * 100).toFixed(1)} cm ${v > 0 ? "left" : "right"}`);
  gauge("confidence", status.confidence, (v) => (v * 100).toFixed(0));
  gauge("loop", status.loop_ms, (v) => v.toFixed(1));
  gauge("battery", status.cell_v, (v) => `${v.toFixed(2)} V a cell`);
}

// With what was seen: an old wish to arm is refused.
function arm() {
  send({ do: "arm", seen_ms: status.now_ms });
}

function stop() {
  stick.release();
  send({ do: "stop" });
}

byId("stop").addEventListener("pointerdown", stop);
byId("stop").addEventListener("click", stop);
byId("claim").addEventListener("click", () => { refused = ""; send({ do: mine() ? "leave" : "claim" }); });
byId("arm").addEventListener("click", () => { refused = ""; stick.release(); arm(); });
byId("record").addEventListener("click", () => send({ do: "record", on: !status.recording }));

// Space is STOP wherever the focus is, so that nobody has to look for a button.
addEventListener("keydown", (event) => {
  if (event.code === "Space") { event.preventDefault(); if (!event.repeat) stop(); }
  if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); tuning.undo(); }
});
addEventListener("keyup", (event) => { if (event.code === "Space") event.preventDefault(); });
// A tab that is not seen cannot be steered: say nothing, and the robot stops.
document.addEventListener("visibilitychange", () => { if (document.hidden) stick.release(); });
addEventListener("blur", () => stick.release());

setInterval(() => {
  if (mine() && !document.hidden) {
    const pad = stick.read();
    if (pad.stop) stop();
    if (pad.arm) arm();
    send({ do: "stick", steering: pad.steering, throttle: pad.throttle, seen_ms: status.now_ms });
  }
  if (heardMs && performance.now() - heardMs > SILENT_MS) offline("no news from the robot");
}, SAY_MS);

// The token is in a cookie now, and not for people who look over a shoulder.
if (location.search) history.replaceState(null, "", `/${location.hash}`);
startViews((view) => {
  // What is not seen is not steered.
  stick.release();
  if (view === "sessions") sessions.show();
  else sessions.leave();
  if (view === "about" || view === "calibrate") fillAbout(byId("chosen"), byId("measured"));
});
startVideo(byId("picture"), (facts) => text("picture-facts", facts));
connect();
