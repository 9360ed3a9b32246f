// Walkers on a surface, played frame by frame. Python computes the paths; this draws them.
// Lines are the surface, and stay; colours are what the mini-batch walker sees, and shift.

const CELLS = 81, SIDE = 360, LINES = 14;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SHAPES = {
  o: (c, r) => c.arc(0, 0, r, 0, 7), s: (c, r) => c.rect(-r, -r, 2 * r, 2 * r),
  "^": (c, r) => polygon(c, 3, 1.25 * r, -Math.PI / 2), v: (c, r) => polygon(c, 3, 1.25 * r, Math.PI / 2),
  D: (c, r) => polygon(c, 4, 1.25 * r, 0), P: (c, r) => polygon(c, 6, 1.15 * r, 0),
};

function polygon(c, corners, r, turn) {
  for (let angle = turn; angle < turn + 6.2; angle += (2 * Math.PI) / corners) c.lineTo(r * Math.cos(angle), r * Math.sin(angle));
  c.closePath();
}

const number = (v) => (v > 1e4 ? "over 10\u2074" : v < 1e-5 ? "under 10\u207b\u2075" : String(Number(v.toPrecision(2))));

function render({ model, el }) {
  const presets = model.get("presets"), shows = [];
  let tick = 0, playing = false, frame = 0, last = 0, scene, data, known, lines = null, dark = isDark(), held = null;

  const set = (changes) => (model.set("state", { ...model.get("state"), ...changes }), model.save_changes());
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const button = (parent, text, run) => {
    const node = make("button", parent, { type: "button", ...KEYS }, text);
    node.onclick = run;
    return node;
  };
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const wanted = (preset) => ({ ...presets[0].state, ...preset.state });
  const chips = presets.map((preset) => button(row, preset.name, () => {
    ask.textContent = preset.ask;
    [tick, playing] = [0, true];
    set(wanted(preset));
    wake();
  }));

  const form = make("div", root, { class: "course-controls" });
  for (const control of model.get("controls")) {
    // A new surface has a start of its own, and a walk begins anew.
    const move = (change) => set("surface" in change ? { ...change, start: null } : change);
    shows.push(makeControl(form, control, control.kind === "choice" ? (change) => ((tick = 0), move(change)) : move)[1]);
  }
  const player = make("div", root, { class: "course-controls course-walkplayer" });
  const play = button(player, "play", () => {
    playing = !playing;
    if (playing && tick >= scene.ticks) tick = 0;
    wake();
  });
  const jump = (to) => ((playing = false), (tick = clamp(to, 0, scene.ticks)), wake());
  button(player, "step", () => jump(Math.floor(tick) + 1));
  button(player, "reset", () => jump(0));
  const scrub = make("input", player, { type: "range", min: 0, step: 1, "aria-label": "time", ...KEYS });
  scrub.oninput = () => jump(Number(scrub.value));

  const views = make("div", root, { class: "course-views" });
  const board = (attributes) => {
    const stage = make("div", views, { class: "course-stage" });
    const canvas = make("canvas", stage, attributes), ratio = clamp(devicePixelRatio || 1, 1, 2);
    canvas.width = canvas.height = SIDE * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return [canvas, context];
  };
  const [plane, ground] = board({ tabindex: 0, role: "img", style: "cursor: crosshair; touch-action: none", ...KEYS });
  const [chart, graph] = board({ role: "img", style: "cursor: ew-resize; touch-action: none" });
  const key = make("p", root, { class: "course-walkkey", "aria-hidden": "true" });
  const caption = make("p", root, { class: "course-caption" });

  // ---- what Python sent
  function receive() {
    scene = model.get("scene");
    const { ticks, names } = scene;
    if (model.get("ground") !== known) { // the lines stay until another ground is sent
      const sent = floats((known = model.get("ground")));
      [data, lines] = [{ core: sent.subarray(0, CELLS * CELLS) }, null];
      data.field = surface(sent.subarray(CELLS * CELLS));
      data.low = Math.min(...data.field);
      data.span = Math.max(1e-9, Math.max(...data.field) - data.low);
    }
    const all = floats(model.get("arrays")), many = names.length * (ticks + 1), rest = all.length - 3 * many;
    Object.assign(data, { shifts: all.subarray(0, rest), paths: all.subarray(rest, rest + 2 * many), heights: all.subarray(rest + 2 * many) });
    const tops = data.heights.filter((h) => h > 0 && h < 1e6);
    data.decades = [Math.max(-5, Math.floor(Math.log10(Math.min(...tops)))), Math.min(4, Math.ceil(Math.log10(Math.max(...tops))))];
    tick = Math.min(tick, ticks);
    scrub.max = ticks;
    showKey();
    anew();
  }
  let keyed = "";
  function showKey() {
    const now = JSON.stringify([scene.names, scene.yours, scene.looks, dark]);
    if (now === keyed) return;
    keyed = now;
    key.replaceChildren();
    scene.names.forEach((name, i) => {
      const swatch = make("canvas", key, { width: 40, height: 40, style: "width:20px;height:20px;vertical-align:-5px" });
      const c = swatch.getContext("2d");
      c.setTransform(2, 0, 0, 2, 20, 20);
      marker(c, i, 4.5);
      make("span", key, { style: "margin:0 14px 0 3px;white-space:nowrap" }, name);
    });
  }
  const at = (i, t, k) => data.paths[(i * (scene.ticks + 1) + t) * 2 + k];
  const height = (i, t) => data.heights[i * (scene.ticks + 1) + t];
  const colour = (i) => scene.looks[i][dark ? 1 : 0];
  const ink = () => (dark ? "#e4e4e4" : "#222222"), paper = () => (dark ? "#111111" : "#ffffff");

  function surface(c) {
    const [left, right, bottom, top] = scene.box, pace = CELLS - 1;
    return data.core.map((h, k) => {
      const a = left + ((right - left) * (k % CELLS)) / pace, b = top - ((top - bottom) * Math.floor(k / CELLS)) / pace;
      return h + c[0] + c[1] * a + c[2] * b + c[3] * a * a + c[4] * a * b + c[5] * b * b;
    });
  }
  const level = (h, low) => Math.log1p(60 * Math.max(0, (h - low) / data.span)) / Math.log1p(60);

  // ---- drawing
  function sheet(n) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = n;
    return [canvas, canvas.getContext("2d")];
  }
  // Colours; colours and lines; with the walkers: each drawn anew only where it has changed.
  const [colours, small] = sheet(CELLS), [floor, under] = sheet(plane.width), [walked, above] = sheet(plane.width);
  above.scale(plane.width / SIDE, plane.width / SIDE);
  let shift = null, drawn = -1; // the shift and the time that they show
  function paint(now) {
    if (shift === now && lines) return;
    const field = now ? surface(now.split(" ").map(Number)) : data.field;
    const image = small.createImageData(CELLS, CELLS), low = Math.min(...field), shade = dark ? [86, 180, 233] : [0, 114, 178];
    field.forEach((h, i) => {
      for (let k = 0; k < 3; k++) image.data[4 * i + k] = shade[k];
      image.data[4 * i + 3] = 170 * (1 - Math.min(1, level(h, low)));
    });
    small.putImageData(image, 0, 0);
    under.clearRect(0, 0, floor.width, floor.width);
    under.drawImage(colours, 0, 0, floor.width, floor.width);
    under.drawImage((lines ||= contours()), 0, 0);
    shift = now;
  }
  function contours() {
    const n = 2 * SIDE, [canvas, c] = sheet(n), [fitted, fit] = sheet(plane.width);
    const image = c.createImageData(n, n), bands = new Uint8Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
      const y = (i * (CELLS - 1)) / (n - 1), x = (j * (CELLS - 1)) / (n - 1);
      const r = Math.min(CELLS - 2, y | 0), s = Math.min(CELLS - 2, x | 0), v = y - r, u = x - s, f = data.field, k = r * CELLS + s;
      const h = (1 - v) * ((1 - u) * f[k] + u * f[k + 1]) + v * ((1 - u) * f[k + CELLS] + u * f[k + CELLS + 1]);
      bands[i * n + j] = LINES * level(h, data.low);
    }
    const tone = dark ? 228 : 34;
    for (let i = 0; i < n - 1; i++) for (let j = 0; j < n - 1; j++) {
      const k = i * n + j;
      if (bands[k] !== bands[k + 1] || bands[k] !== bands[k + n]) image.data.set([tone, tone, tone, 105], 4 * k);
    }
    c.putImageData(image, 0, 0);
    fit.drawImage(canvas, 0, 0, plane.width, plane.width);
    return fitted;
  }
  function marker(c, i, r) {
    const mine = scene.yours[i]; // a ring around torch's
    c.beginPath();
    mine ? c.arc(0, 0, r + 3, 0, 7) : SHAPES[scene.looks[i][2]](c, r);
    c.setLineDash([]);
    Object.assign(c, { fillStyle: mine ? "transparent" : colour(i), strokeStyle: mine ? colour(i) : paper(), lineWidth: mine ? 3 : 1.5 });
    c.fill();
    c.stroke();
  }
  function stroke(c, i, width, dashes, alpha) { // yours is thick and dotted
    c.setLineDash(scene.yours[i] ? [2, 6] : dashes);
    Object.assign(c, { strokeStyle: colour(i), lineWidth: scene.yours[i] ? 4 : width, globalAlpha: alpha });
    c.stroke();
    c.globalAlpha = 1;
  }
  const px = (a) => ((a - scene.box[0]) / (scene.box[1] - scene.box[0])) * SIDE;
  const py = (b) => ((scene.box[3] - b) / (scene.box[3] - scene.box[2])) * SIDE;

  function drawWalk(t) {
    const now = Math.min(t, scene.ticks - 1);
    paint(scene.shifting ? data.shifts.subarray(6 * now, 6 * now + 6).join(" ") : "");
    above.clearRect(0, 0, SIDE, SIDE);
    above.drawImage(floor, 0, 0, SIDE, SIDE);
    Object.assign(above, { font: "22px sans-serif", textAlign: "center", textBaseline: "middle", fillStyle: ink() });
    scene.goals.forEach(([a, b]) => above.fillText("\u2605", px(a), py(b)));
    // In the landscape only the last epoch is strong: a noisy path would cover everything.
    const fresh = scene.shifting ? Math.max(0, t - 40) : 0;
    scene.names.forEach((_, i) => {
      for (const [from, to, alpha] of [[0, fresh, 0.2], [fresh, t, 0.8]]) {
        above.beginPath();
        for (let s = from; s <= to; s++) above.lineTo(clamp(px(at(i, s, 0)), -2000, 2000), clamp(py(at(i, s, 1)), -2000, 2000));
        stroke(above, i, 1.6, [], alpha);
      }
      above.save();
      above.translate(clamp(px(at(i, t, 0)), 5, SIDE - 5), clamp(py(at(i, t, 1)), 5, SIDE - 5));
      marker(above, i, 6.5);
      above.restore();
    });
  }
  function drawGround() {
    ground.clearRect(0, 0, SIDE, SIDE);
    ground.drawImage(walked, 0, 0, SIDE, SIDE);
    if (held !== plane) return;
    const [a, b] = model.get("state").start; // the hand; the paths follow when Python has walked them
    ground.strokeStyle = ink();
    ground.strokeRect(px(a) - 8, py(b) - 8, 16, 16);
  }
  function drawChart(t) {
    const [low, high] = data.decades;
    const X = (s) => 46 + (s / scene.ticks) * (SIDE - 56), Y = (h) => 24 + ((high - Math.log10(clamp(h, 10 ** low, 10 ** high))) / (high - low)) * (SIDE - 64);
    const text = (words, x, y, align = "left") => ((graph.textAlign = align), graph.fillText(words, x, y));
    graph.clearRect(0, 0, SIDE, SIDE);
    graph.setLineDash([]);
    Object.assign(graph, { font: "12px system-ui, sans-serif", fillStyle: ink(), strokeStyle: dark ? "#333" : "#e3e3e3", lineWidth: 1 });
    text("how much too high (J \u2212 lowest J)", 46, 13);
    for (let k = low; k <= high; k++) {
      graph.strokeRect(46, Y(10 ** k), SIDE - 56, 0);
      text(k < -3 || k > 3 ? `1e${k}` : String(10 ** k).slice(0, 6), 40, Y(10 ** k) + 4, "right");
    }
    for (let k = 0; k <= 4; k++) text(String(Math.round((k * scene.ticks) / 4)), X((k * scene.ticks) / 4), SIDE - 24, ["left", "center", "center", "center", "right"][k]);
    text(scene.clock + (scene.epoch ? " seen" : ""), (46 + SIDE) / 2, SIDE - 6, "center");
    scene.names.forEach((_, i) => {
      for (const [to, alpha, dashes] of [[scene.ticks, 0.18, []], [t, 1, scene.looks[i][3]]]) {
        graph.beginPath();
        for (let s = 0; s <= to; s++) graph.lineTo(X(s), Y(height(i, s)));
        stroke(graph, i, 1.8, dashes, alpha);
      }
      graph.save();
      graph.translate(X(t), Y(height(i, t)));
      marker(graph, i, 5);
      graph.restore();
    });
  }
  const wake = () => (frame ||= requestAnimationFrame(show));
  const anew = () => ((drawn = -1), wake());
  function show(now) {
    frame = 0;
    // The whole walk takes some sixteen seconds; the first quarter, where most happens, half of it.
    if (playing) tick = Math.min(scene.ticks, tick + (Math.min(100, now - (last || now)) * scene.ticks * (tick < scene.ticks / 4 ? 1 : 3)) / 32000);
    last = playing ? now : 0;
    if (tick >= scene.ticks) playing = false;
    const t = Math.floor(tick), state = model.get("state");
    if (drawn !== t) tell(t);
    drawGround();
    play.textContent = playing ? "pause" : "play";
    shows.forEach((refresh) => refresh(state));
    const holds = ([k, v]) => JSON.stringify(state[k] ?? null) === JSON.stringify(v);
    presets.forEach((preset, i) => chips[i].setAttribute("aria-pressed", Object.entries(wanted(preset)).every(holds)));
    if (playing) wake();
  }
  function tell(t) {
    drawn = t;
    drawWalk(t);
    drawChart(t);
    scrub.value = t;
    scrub.setAttribute("aria-valuetext", `${t} ${scene.clock}`);
    const made = (steps) => (scene.epoch ? ` ${steps} step${steps === 1 ? "" : "s"},` : "");
    const parts = scene.names.map((name, i) => `${name}:${made(scene.steps[i][t])} ${number(height(i, t))} too high`);
    const when = `After ${t} ${scene.clock}` + (scene.epoch ? ` (${(t / scene.epoch).toFixed(1)} epochs)` : "");
    caption.textContent = [model.get("note"), `${when}: ${parts.join("; ")}.`].filter(Boolean).join(" ");
    plane.setAttribute("aria-label", `The surface from above; arrow keys move the start. ${caption.textContent}`);
    chart.setAttribute("aria-label", `Heights over time. ${caption.textContent}`);
  }

  // ---- the hand: the plane sets the start, the chart the time
  let around; // where what is held lies: to ask at each move would lay the whole page out
  const share = ({ clientX, clientY }) => [(clientX - around.left) / around.width, (clientY - around.top) / around.width];
  const place = (a, b) => set({ start: [Number(clamp(a, scene.box[0], scene.box[1]).toFixed(2)), Number(clamp(b, scene.box[2], scene.box[3]).toFixed(2))] });
  const hold = (node, move) => {
    node.onpointerdown = (event) => ((held = node), (around = node.getBoundingClientRect()), node.setPointerCapture(event.pointerId), move(event));
    node.onpointermove = (event) => held === node && move(event);
    node.onpointerup = node.onpointercancel = () => ((held = null), wake());
  };
  hold(plane, (event) => {
    const [u, v] = share(event), [left, right, bottom, top] = scene.box;
    place(left + u * (right - left), top - v * (top - bottom));
  });
  hold(chart, (event) => jump(Math.round(((share(event)[0] * SIDE - 46) / (SIDE - 56)) * scene.ticks)));
  plane.onkeydown = (event) => {
    const by = ARROWS[event.key], [a, b] = model.get("state").start ?? [at(0, 0, 0), at(0, 0, 1)];
    if (by) place(a + 0.1 * by[0], b + 0.1 * by[1], event.preventDefault());
  };

  const look = () => (root.classList.toggle("course-dark", (dark = isDark())), (known = null), receive());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const events = Object.entries({ "change:arrays": receive, "change:note": anew, "change:state": wake });
  for (const [event, run] of events) model.on(event, run);
  look();
  tick = Math.round(scene.ticks / (scene.epoch ? 10 : 5)); // to be seen at once: one epoch, or a fifth
  return () => {
    cancelAnimationFrame(frame);
    theme.disconnect((playing = false));
    for (const [event, run] of events) model.off(event, run);
  };
}

export default { render };
