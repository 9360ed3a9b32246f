// Walkers on a surface, played frame by frame. Python computes the paths; this draws them.
// Lines are the surface, and stay; colours are what the mini-batch walker sees, and shift.

const CELLS = 81, SIDE = 360, LINES = 14;
const KEYS = { "data-lm-suppress-shortcuts": "true" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SHAPES = {
  o: (c, r) => c.arc(0, 0, r, 0, 7), s: (c, r) => c.rect(-r, -r, 2 * r, 2 * r),
  "^": (c, r) => polygon(c, 3, 1.25 * r, -Math.PI / 2), v: (c, r) => polygon(c, 3, 1.25 * r, Math.PI / 2),
  D: (c, r) => polygon(c, 4, 1.25 * r, 0), P: (c, r) => polygon(c, 6, 1.15 * r, 0),
};

function polygon(c, corners, r, turn) {
  for (let i = 0; i < corners; i++) {
    const angle = turn + (2 * Math.PI * i) / corners;
    c[i ? "lineTo" : "moveTo"](r * Math.cos(angle), r * Math.sin(angle));
  }
  c.closePath();
}

function make(tag, parent, attributes = {}, text = "") {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  parent.append(node);
  return node;
}

function isDark() {
  const light = document.body.dataset.jpThemeLight;
  return light ? light === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

const written = (value, step) => value.toFixed((String(step).split(".")[1] || "").length);
function number(v) {
  if (v >= 1000) return v.toExponential(0).replace("e+", " × 10^");
  return v === 0 || v >= 1e-3 ? String(Number(v.toPrecision(2))) : v.toExponential(1).replace("e-", " × 10^−");
}
const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

function render({ model, el }) {
  const presets = model.get("presets"), shows = [];
  let tick = 0, playing = false, frame = 0, last = 0, scene, data, lines = null, dark = isDark(), held = null;

  const set = (changes) => {
    model.set("state", { ...model.get("state"), ...changes });
    model.save_changes();
  };
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const wanted = (preset) => ({ ...presets[0].state, ...preset.state });
  const chips = presets.map((preset) => {
    const chip = make("button", row, { type: "button", ...KEYS }, preset.name);
    chip.onclick = () => {
      ask.textContent = preset.ask;
      tick = 0;
      playing = true;
      set(wanted(preset));
      wake();
    };
    return chip;
  });

  const form = make("div", root, { class: "course-controls" });
  for (const control of model.get("controls")) {
    const { name, kind, low: min, high: max, step } = control;
    const label = make("label", form, { "data-control": name });
    make("span", label, {}, control.label);
    if (kind === "choice") {
      const select = make("select", label, KEYS);
      for (const [value, text] of control.options) make("option", select, { value }, text);
      // A new surface has a start of its own, and a walk begins anew.
      select.onchange = () => ((tick = 0), set(name === "surface" ? { surface: select.value, start: null } : { [name]: select.value }));
      shows.push((state) => (select.value = state[name]));
    } else if (kind === "seed") {
      const input = make("input", label, { type: "number", min: 0, max, ...KEYS });
      input.onchange = () => set({ [name]: Number(input.value) || 0 });
      make("button", label, { type: "button", ...KEYS }, "draw anew").onclick = () => set({ [name]: Math.floor(Math.random() * 1000) });
      shows.push((state) => (input.value = state[name]));
    } else {
      const range = make("input", label, { type: "range", min, max, step, ...KEYS });
      const output = make("output", label);
      range.oninput = () => set({ [name]: Number(range.value) });
      shows.push((state) => {
        range.value = state[name];
        output.textContent = written(state[name], step);
      });
    }
  }
  const player = make("div", root, { class: "course-controls course-walkplayer" });
  const play = make("button", player, { type: "button", ...KEYS }, "play");
  play.onclick = () => {
    playing = !playing;
    if (playing && tick >= scene.ticks) tick = 0;
    wake();
  };
  const jump = (to) => {
    playing = false;
    tick = clamp(to, 0, scene.ticks);
    wake();
  };
  make("button", player, { type: "button", ...KEYS }, "step").onclick = () => jump(Math.floor(tick) + 1);
  make("button", player, { type: "button", ...KEYS }, "reset").onclick = () => jump(0);
  const scrub = make("input", player, { type: "range", min: 0, step: 1, "aria-label": "time", ...KEYS });
  scrub.oninput = () => jump(Number(scrub.value));

  const views = make("div", root, { class: "course-views" });
  const board = (attributes) => {
    const stage = make("div", views, { class: "course-stage" });
    const canvas = make("canvas", stage, attributes);
    const ratio = Math.max(1, Math.min(2, devicePixelRatio || 1));
    canvas.width = canvas.height = SIDE * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return [canvas, context];
  };
  const [plane, ground] = board({ tabindex: 0, role: "img", ...KEYS });
  const [chart, graph] = board({ role: "img" });
  chart.style.cursor = "ew-resize";
  plane.style.cursor = "crosshair";
  const key = make("p", root, { class: "course-walkkey", "aria-hidden": "true" });
  const caption = make("p", root, { class: "course-caption" });

  // ---- what Python sent
  function receive() {
    scene = model.get("scene");
    const bytes = model.get("arrays");
    const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    let from = 0;
    const take = (count) => all.subarray(from, (from += count));
    const { ticks, names } = scene, walkers = names.length;
    data = { core: take(CELLS * CELLS), whole: take(6), shifts: take(scene.shifting ? 6 * ticks : 0),
             paths: take(walkers * (ticks + 1) * 2), heights: take(walkers * (ticks + 1)) };
    data.field = surface(data.whole);
    data.low = Math.min(...data.field);
    data.span = Math.max(1e-9, Math.max(...data.field) - data.low);
    lines = null;
    tick = Math.min(tick, ticks);
    scrub.max = ticks;
    key.replaceChildren();
    names.forEach((name, i) => {
      const swatch = make("canvas", key, { width: 36, height: 28 });
      swatch.style.cssText = "width:18px;height:14px;vertical-align:-2px";
      const c = swatch.getContext("2d");
      c.scale(2, 2);
      c.translate(9, 7);
      marker(c, i, 4.5);
      make("span", key, { style: "margin:0 14px 0 3px" }, name);
    });
    wake();
  }
  const at = (i, t, k) => data.paths[(i * (scene.ticks + 1) + t) * 2 + k];
  const height = (i, t) => data.heights[i * (scene.ticks + 1) + t];
  const colour = (i) => scene.looks[i][dark ? 1 : 0];
  const ink = () => (dark ? "#e4e4e4" : "#222222"), paper = () => (dark ? "#111111" : "#ffffff");

  function surface(c, q = 0) {
    const [left, right, bottom, top] = scene.box, out = new Float32Array(CELLS * CELLS);
    for (let i = 0; i < CELLS; i++) {
      const b = top - ((top - bottom) * i) / (CELLS - 1);
      for (let j = 0; j < CELLS; j++) {
        const a = left + ((right - left) * j) / (CELLS - 1);
        q = c[0] + c[1] * a + c[2] * b + c[3] * a * a + c[4] * a * b + c[5] * b * b;
        out[i * CELLS + j] = data.core[i * CELLS + j] + q;
      }
    }
    return out;
  }
  const level = (h, low) => Math.log1p(60 * Math.max(0, (h - low) / data.span)) / Math.log1p(60);

  // ---- drawing
  const stretched = document.createElement("canvas");
  stretched.width = stretched.height = CELLS;
  function paint(field) {
    const c = stretched.getContext("2d"), image = c.createImageData(CELLS, CELLS);
    const low = Math.min(...field), [r, g, b] = dark ? [86, 180, 233] : [0, 114, 178];
    field.forEach((h, i) => image.data.set([r, g, b, 170 * (1 - Math.min(1, level(h, low)))], 4 * i));
    c.putImageData(image, 0, 0);
    ground.imageSmoothingEnabled = true;
    ground.drawImage(stretched, 0, 0, SIDE, SIDE);
  }
  function contours() {
    const n = 2 * SIDE, canvas = document.createElement("canvas");
    canvas.width = canvas.height = n;
    const c = canvas.getContext("2d"), image = c.createImageData(n, n), bands = new Uint8Array(n * n);
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
    return canvas;
  }
  function marker(c, i, r) {
    c.beginPath();
    SHAPES[scene.looks[i][2]](c, r);
    c.lineWidth = 1.5;
    c.setLineDash([]);
    if (scene.yours[i]) { // a ring around torch's
      c.beginPath();
      c.arc(0, 0, r + 4, 0, 7);
      c.lineWidth = 3;
      c.strokeStyle = colour(i);
    } else {
      c.fillStyle = colour(i);
      c.fill();
      c.strokeStyle = paper();
    }
    c.stroke();
  }
  function star(x, y) {
    ground.font = "22px sans-serif";
    ground.textAlign = "center";
    ground.textBaseline = "middle";
    ground.fillStyle = ink();
    ground.fillText("\u2605", x, y);
  }
  const px = (a) => ((a - scene.box[0]) / (scene.box[1] - scene.box[0])) * SIDE;
  const py = (b) => ((scene.box[3] - b) / (scene.box[3] - scene.box[2])) * SIDE;

  function drawGround(t) {
    ground.clearRect(0, 0, SIDE, SIDE);
    const now = Math.min(t, scene.ticks - 1);
    paint(scene.shifting ? surface(data.shifts.subarray(6 * now, 6 * now + 6)) : data.field);
    lines ||= contours();
    ground.drawImage(lines, 0, 0, SIDE, SIDE);
    scene.goals.forEach(([a, b]) => star(px(a), py(b)));
    scene.names.forEach((_, i) => {
      ground.beginPath();
      for (let s = 0; s <= t; s++) ground.lineTo(clamp(px(at(i, s, 0)), -2000, 2000), clamp(py(at(i, s, 1)), -2000, 2000));
      ground.strokeStyle = colour(i);
      ground.globalAlpha = 0.75;
      ground.lineWidth = scene.yours[i] ? 4 : 1.6;
      ground.setLineDash(scene.yours[i] ? [2, 6] : []);
      ground.stroke();
      ground.globalAlpha = 1;
      ground.save();
      ground.translate(clamp(px(at(i, t, 0)), 5, SIDE - 5), clamp(py(at(i, t, 1)), 5, SIDE - 5));
      marker(ground, i, 6.5);
      ground.restore();
    });
  }
  function drawChart(t) {
    const tops = Array.from(data.heights).filter((h) => h > 0 && h < 1e6);
    const low = Math.max(-5, Math.floor(Math.log10(Math.min(...tops)))), high = Math.min(4, Math.ceil(Math.log10(Math.max(...tops))));
    const X = (s) => 46 + (s / scene.ticks) * (SIDE - 56), Y = (h) => 24 + ((high - Math.log10(clamp(h, 10 ** low, 10 ** high))) / (high - low)) * (SIDE - 64);
    const text = (words, x, y, align = "left") => ((graph.textAlign = align), graph.fillText(words, x, y));
    graph.clearRect(0, 0, SIDE, SIDE);
    graph.font = "12px system-ui, sans-serif";
    graph.fillStyle = ink();
    graph.setLineDash([]);
    graph.lineWidth = 1;
    text("how much too high (J \u2212 lowest J)", 46, 13);
    for (let k = low; k <= high; k++) {
      graph.strokeStyle = dark ? "#333" : "#e3e3e3";
      graph.beginPath();
      graph.moveTo(46, Y(10 ** k));
      graph.lineTo(SIDE - 10, Y(10 ** k));
      graph.stroke();
      text(k < -3 || k > 3 ? `1e${k}` : String(10 ** k).slice(0, 6), 40, Y(10 ** k) + 4, "right");
    }
    for (let k = 0; k <= 4; k++) text(String(Math.round((k * scene.ticks) / 4)), X((k * scene.ticks) / 4), SIDE - 24, k ? "center" : "left");
    text(scene.clock + (scene.epoch ? " seen" : ""), (46 + SIDE) / 2, SIDE - 6, "center");
    scene.names.forEach((_, i) => {
      for (const [to, alpha] of [[scene.ticks, 0.18], [t, 1]]) {
        graph.beginPath();
        for (let s = 0; s <= to; s++) graph.lineTo(X(s), Y(height(i, s)));
        graph.globalAlpha = alpha;
        graph.lineWidth = scene.yours[i] ? 4 : 1.8;
        graph.setLineDash(scene.yours[i] ? [2, 6] : scene.looks[i][3]);
        graph.strokeStyle = colour(i);
        graph.stroke();
      }
      graph.globalAlpha = 1;
      graph.save();
      graph.translate(X(t), Y(height(i, t)));
      marker(graph, i, 5);
      graph.restore();
    });
  }
  function wake() {
    frame ||= requestAnimationFrame(show);
  }
  function show(now) {
    frame = 0;
    // The whole walk takes some sixteen seconds; the first quarter, where most happens, half of it.
    if (playing) tick = Math.min(scene.ticks, tick + (Math.min(100, now - (last || now)) * scene.ticks * (tick < scene.ticks / 4 ? 1 : 3)) / 32000);
    last = playing ? now : 0;
    if (tick >= scene.ticks) playing = false;
    const t = Math.floor(tick), state = model.get("state");
    drawGround(t);
    drawChart(t);
    scrub.value = t;
    scrub.setAttribute("aria-valuetext", `${t} ${scene.clock}`);
    play.textContent = playing ? "pause" : "play";
    const parts = scene.names.map((name, i) => {
      const steps = scene.steps[i][t];
      return (scene.epoch ? `${name}: ${steps} step${steps === 1 ? "" : "s"}, ` : `${name}: `) + `${number(height(i, t))} too high`;
    });
    const when = `After ${t} ${scene.clock}` + (scene.epoch ? ` (${(t / scene.epoch).toFixed(1)} epochs)` : "");
    caption.textContent = [model.get("note"), `${when}: ${parts.join("; ")}.`].filter(Boolean).join(" ");
    plane.setAttribute("aria-label", `The surface from above; arrow keys move the start. ${caption.textContent}`);
    chart.setAttribute("aria-label", `Heights over time. ${caption.textContent}`);
    for (const refresh of shows) refresh(state);
    presets.forEach((preset, i) => {
      const same = Object.entries(wanted(preset)).every(([k, v]) => JSON.stringify(state[k] ?? null) === JSON.stringify(v));
      chips[i].setAttribute("aria-pressed", same);
    });
    if (playing) wake();
  }

  // ---- the hand: the plane sets the start, the chart the time
  const share = (event, node) => {
    const { left, top, width } = node.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / width];
  };
  const place = (a, b) => set({ start: [Number(clamp(a, scene.box[0], scene.box[1]).toFixed(2)), Number(clamp(b, scene.box[2], scene.box[3]).toFixed(2))] });
  const hold = (node, move) => {
    node.onpointerdown = (event) => {
      held = node;
      node.setPointerCapture(event.pointerId);
      move(event);
    };
    node.onpointermove = (event) => held === node && move(event);
    node.onpointerup = node.onpointercancel = () => (held = null);
    node.style.touchAction = "none";
  };
  hold(plane, (event) => {
    const [u, v] = share(event, plane), [left, right, bottom, top] = scene.box;
    place(left + u * (right - left), top - v * (top - bottom));
  });
  hold(chart, (event) => jump(Math.round(((share(event, chart)[0] * SIDE - 46) / (SIDE - 56)) * scene.ticks)));
  plane.onkeydown = (event) => {
    const by = ARROWS[event.key];
    if (!by) return;
    event.preventDefault();
    place(at(0, 0, 0) + 0.1 * by[0], at(0, 0, 1) + 0.1 * by[1]);
  };

  const look = () => {
    dark = isDark();
    root.classList.toggle("course-dark", dark);
    receive();
  };
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("change:arrays", receive);
  model.on("change:note change:state", wake);
  look();
  tick = Math.round(scene.ticks / (scene.epoch ? 10 : 5)); // to be seen at once: one epoch, or a fifth
  return () => {
    cancelAnimationFrame(frame);
    playing = false;
    theme.disconnect();
    model.off("change:arrays", receive);
    model.off("change:note change:state", wake);
  };
}

export default { render };
