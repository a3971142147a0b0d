// Pictures, one at a time: the next is asked for when the last is drawn, so a slow link sees fewer and never old ones.
const AGAIN_MS = 1000;

export function startVideo(canvas, tell) {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/video`);
  socket.binaryType = "arraybuffer";
  const times = [];
  socket.onopen = () => socket.send("next");
  socket.onmessage = async (event) => {
    try {
      const { size } = await draw(canvas, event.data);
      times.push(performance.now());
      if (times.length > 30) times.shift();
      const fps = times.length > 1 ? ((times.length - 1) * 1000) / (times.at(-1) - times[0]) : 0;
      tell(`${size}, ${fps.toFixed(0)} pictures a second`);
    } catch (trouble) {
      // One that cannot be drawn must not be the last one asked for.
      tell(`a picture that cannot be shown: ${trouble.message}`);
    }
    // A hidden tab needs none.
    if (document.hidden) await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
    if (socket.readyState === WebSocket.OPEN) socket.send("next");
  };
  socket.onclose = () => {
    tell("no picture");
    setTimeout(() => startVideo(canvas, tell), AGAIN_MS);
  };
}

export async function draw(canvas, data) {
  const length = new DataView(data).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
  // Drawn larger than it is, so that the line on it is fine.
  const scale = Math.max(1, Math.round(448 / picture.width));
  const [width, height] = [picture.width * scale, picture.height * scale];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, width, height);
  picture.close();
  const place = ([x, y]) => [((x + 1) / 2) * width, ((y + 1) / 2) * height];
  pen.lineWidth = width / 150;
  pen.strokeStyle = pen.fillStyle = "#22c55e";
  pen.beginPath();
  for (const point of head.line) pen.lineTo(...place(point));
  pen.stroke();
  for (const point of head.line) {
    pen.beginPath();
    pen.arc(...place(point), width / 110, 0, 7);
    pen.fill();
  }
  if (head.target?.every(Number.isFinite)) {
    pen.strokeStyle = "#f97316";
    pen.beginPath();
    pen.arc(...place(head.target), width / 40, 0, 7);
    pen.stroke();
  }
  return { size: `${head.width} × ${head.height}`, head };
}
