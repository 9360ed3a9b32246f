// The GAN lab. The kernel plays; this draws a frame and only then asks for the next one, so that
// frames never queue up. What the kernel sends: see course/widgets/gan/laboratory.py.

const SIDE = 360;
const LINES = [{ dashes: [], width: 2.4 }, { dashes: [6, 4], width: 1.8 }];

function render({ model, el }) {
  const presets = model.get("presets"), shows = [];
  let playing = false, waiting = false, due = 0, dark = isDark();
  const colour = () => (dark
    ? { paper: "#111111", ink: "#e4e4e4", muted: "#9a9a9a", grid: "#333333", made: "#e69f00", line: "#56b4e9", field: [86, 180, 233] }
    : { paper: "#ffffff", ink: "#222222", muted: "#6a6a6a", grid: "#e3e3e3", made: "#d55e00", line: "#0072b2", field: [0, 114, 178] });

  // One question at a time: the next is asked when the answer to the last has been drawn.
  const ask = (what) => {
    if (waiting) return false;
    waiting = true;
    model.send({ do: what });
    return true;
  };
  const set = (changes) => (model.set("state", { ...model.get("state"), ...changes }), model.save_changes());

  // ---- controls
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const button = (parent, text, run) => {
    const node = make("button", parent, { type: "button", ...KEYS }, text);
    node.onclick = run;
    return node;
  };
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const question = make("p", root, { class: "course-ask" }, presets[0].ask);
  const chips = presets.map((preset) => button(row, preset.name, () => {
    question.textContent = preset.ask;
    playing = false;
    set(preset.state);
    restart();
  }));
  const form = make("div", root, { class: "course-controls" });
  for (const control of model.get("controls")) shows.push(makeControl(form, control, set)[1]);
  const player = make("div", root, { class: "course-controls" });
  const play = button(player, "play", () => {
    playing = !playing;
    if (playing) ask("play");
    wake();
  });
  let wanted = ""; // a step that was pressed while the kernel was at work
  const step = (what) => {
    playing = false;
    if (!ask(what)) wanted = what;
    wake();
  };
  const restart = () => step("restart");
  button(player, "step D", () => step("D"));
  button(player, "step G", () => step("G"));
  button(player, "one round", () => step("round"));
  button(player, "restart", restart);

  // ---- two linked views
  const views = make("div", root, { class: "course-views" });
  const board = () => {
    const canvas = make("canvas", make("div", views, { class: "course-stage" }), { role: "img" });
    const ratio = clamp(devicePixelRatio || 1, 1, 2), context = canvas.getContext("2d");
    canvas.width = canvas.height = SIDE * ratio;
    context.scale(ratio, ratio);
    return [canvas, context];
  };
  const [plane, ground] = board(), [chart, graph] = board();
  const key = make("p", root, { "aria-hidden": "true" });
  const caption = make("p", root, { class: "course-caption" });
  const small = document.createElement("canvas"), brush = small.getContext("2d");

  function shade(values, columns, rows, pixel) {
    [small.width, small.height] = [columns, rows];
    const image = brush.createImageData(columns, rows);
    values.forEach((v, i) => image.data.set(pixel(v), 4 * i));
    brush.putImageData(image, 0, 0);
  }
  function text(c, words, x, y, align = "left") {
    Object.assign(c, { fillStyle: colour().ink, font: "12px system-ui, sans-serif", textAlign: align });
    c.fillText(words, x, y);
  }

  function drawPlane(field, points, arrows) {
    const { box, across, up } = model.get("scene"), { muted, made, ink, field: rgb } = colour();
    const X = (a) => ((a - box[0]) / (box[1] - box[0])) * SIDE, Y = (b) => ((box[3] - b) / (box[3] - box[2])) * SIDE;
    const cells = Math.round(Math.sqrt(field.length)), real = floats(model.get("real"));
    shade(field, cells, cells, (s) => [...rgb, 170 * s]);
    ground.imageSmoothingEnabled = true;
    ground.drawImage(small, 0, 0, SIDE, SIDE);
    ground.fillStyle = muted;
    for (let i = 0; i < real.length; i += 2) ground.fillRect(X(real[i]) - 1.2, Y(real[i + 1]) - 1.2, 2.4, 2.4);
    // An arrow of length 1 is a slope of 2; longer ones are cut.
    Object.assign(ground, { strokeStyle: ink, lineWidth: 1.1 });
    ground.beginPath();
    for (let i = 0; i < arrows.length; i += 2) {
      const x = X(points[i]), y = Y(points[i + 1]), unit = SIDE / (box[1] - box[0]) / 2;
      let u = arrows[i] * unit, v = -arrows[i + 1] * unit;
      const long = Math.hypot(u, v), cut = Math.min(1, 46 / (long || 1));
      [u, v] = [u * cut, v * cut];
      ground.moveTo(x, y);
      ground.lineTo(x + u, y + v);
      if (long > 6) {
        const a = Math.atan2(v, u);
        for (const turn of [2.6, -2.6]) {
          ground.moveTo(x + u, y + v);
          ground.lineTo(x + u + 5 * Math.cos(a + turn), y + v + 5 * Math.sin(a + turn));
        }
      }
    }
    ground.stroke();
    ground.fillStyle = made;
    ground.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      const x = X(points[i]), y = Y(points[i + 1]);
      ground.moveTo(x, y - 3.4);
      ground.lineTo(x + 3, y + 2.2);
      ground.lineTo(x - 3, y + 2.2);
      ground.closePath();
    }
    ground.fill();
    text(ground, across, SIDE - 6, SIDE - 6, "right");
    text(ground, up, 6, 14);
  }

  function drawDigits(images) {
    const { columns } = model.get("scene"), side = 33, light = dark ? 17 : 255, ink = dark ? 228 : 34;
    const paint = (values, y) => {
      const rows = values.length / 64 / columns, flat = new Float32Array(values.length);
      for (let i = 0; i < values.length; i++) {
        const tile = Math.floor(i / 64), r = 8 * Math.floor(tile / columns) + Math.floor((i % 64) / 8);
        flat[r * 8 * columns + 8 * (tile % columns) + (i % 8)] = values[i];
      }
      shade(flat, 8 * columns, 8 * rows, (v) => {
        const grey = light + (ink - light) * clamp((v + 1) / 2, 0, 1);
        return [grey, grey, grey, 255];
      });
      ground.imageSmoothingEnabled = false;
      ground.drawImage(small, 15, y, columns * side, rows * side);
      return y + rows * side;
    };
    for (let k = 0; k < columns; k++) text(ground, String(k), 15 + (k + 0.5) * side, 26, "center");
    text(ground, "ordered:", 15, 11);
    const below = paint(images, 32);
    text(ground, "real:", 15, below + 16);
    paint(floats(model.get("real")), below + 22);
  }

  function drawChart(history, rounds) {
    const { lines, top, wanted: goal } = model.get("scene"), { grid, ink, line, made } = colour();
    const n = history.length / lines.length, X = (i) => 36 + (n > 1 ? i / (n - 1) : 0) * (SIDE - 50), Y = (v) => 40 + (1 - v / top) * (SIDE - 80);
    graph.clearRect(0, 0, SIDE, SIDE);
    graph.setLineDash([]);
    Object.assign(graph, { strokeStyle: grid, lineWidth: 1 });
    for (let k = 0; k <= 4; k++) {
      graph.strokeRect(36, Y((k * top) / 4), SIDE - 50, 0);
      text(graph, String((k * top) / 4), 30, Y((k * top) / 4) + 4, "right");
    }
    text(graph, "0", 36, SIDE - 22);
    text(graph, String(rounds), SIDE - 14, SIDE - 22, "right");
    text(graph, "rounds", SIDE / 2, SIDE - 6, "center");
    if (goal !== null) {
      graph.setLineDash([2, 3]);
      graph.strokeStyle = ink;
      graph.strokeRect(36, Y(goal), SIDE - 50, 0);
      text(graph, "real", SIDE - 14, Y(goal) - 4, "right");
    }
    lines.forEach((name, k) => {
      const { dashes, width } = LINES[k];
      Object.assign(graph, { strokeStyle: k ? made : line, lineWidth: width });
      graph.setLineDash(dashes);
      graph.beginPath();
      for (let i = 0; i < n; i++) graph.lineTo(X(i), Y(history[k * n + i]));
      graph.stroke();
      graph.strokeRect(36 + 168 * k, 16, 18, 0);
      text(graph, name, 60 + 168 * k, 20);
    });
    graph.setLineDash([]);
  }

  // ---- frames
  const wake = () => (due ||= requestAnimationFrame(show));
  function show() {
    due = 0;
    const { sizes, rounds, caption: said } = model.get("frame"), all = floats(model.get("arrays"));
    let from = 0;
    const [field, points, arrows, history] = sizes.map((size) => all.subarray(from, (from += size)));
    const plain = model.get("scene").kind === "plane", state = model.get("state");
    ground.clearRect(0, 0, SIDE, SIDE);
    plain ? drawPlane(field, points, arrows) : drawDigits(points);
    drawChart(history, rounds);
    caption.textContent = said;
    plane.setAttribute("aria-label", `${plain ? "Real and made points, and what D says of each place" : "Digits that G makes, one column a class"}. ${said}`);
    chart.setAttribute("aria-label", `${model.get("scene").lines.join(" and ")}, round by round. ${said}`);
    key.textContent = plain ? "\u25AA real \u00B7 \u25B2 made by G \u00B7 \u2192 where G\u2019s loss falls \u00B7 shading: D says real" : "Each row is one noise, each column a class; below, real ones.";
    play.textContent = playing ? "pause" : "play";
    shows.forEach((refresh) => refresh(state));
    presets.forEach((preset, i) => chips[i].setAttribute("aria-pressed", Object.entries(preset.state).every(([k, v]) => state[k] === v)));
  }
  function answered() {
    waiting = false;
    cancelAnimationFrame(due);
    // Shown first; what comes next is asked for in the same frame, after the drawing.
    due = requestAnimationFrame(() => {
      show();
      if (wanted) [wanted] = ["", ask(wanted)];
      else if (playing) ask("play");
    });
  }

  const look = () => (root.classList.toggle("course-dark", (dark = isDark())), wake());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const events = { "change:frame": answered, "change:scene": wake, "change:state": wake };
  for (const [event, run] of Object.entries(events)) model.on(event, run);
  look();
  return () => {
    playing = false;
    cancelAnimationFrame(due);
    theme.disconnect();
    for (const [event, run] of Object.entries(events)) model.off(event, run);
  };
}

export default { render };
