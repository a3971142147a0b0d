// What the robot is set to and what was measured of it, asked for once.
const row = (table, cells) => {
  const line = table.insertRow();
  cells.forEach((cell, index) => {
    const place = document.createElement(index ? "td" : "th");
    if (!index) place.scope = "row";
    place.append(cell);
    line.append(place);
  });
};

const code = (text) => Object.assign(document.createElement("code"), { textContent: text });

export async function fillAbout(about, calibrate) {
  if (about.rows.length) return;
  const answer = await fetch("/about");
  if (!answer.ok) return;
  const { chosen, measured } = await answer.json();
  if (about.rows.length) return;
  for (const [name, value] of chosen) row(about, [name, value]);
  for (const { name, value, date, command } of measured) {
    const state = document.createElement("span");
    state.append(date ? `measured ${date}` : "assumed", code(command));
    row(calibrate, [name, value, state]);
  }
}
