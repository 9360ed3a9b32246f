// A query, keys and values in the plane. The hand moves them; every frame is drawn here.
// With a student's function, Python computes where it puts the star, and sends that.

const REACH = 3, MOST = 3, SIDE = 360, CELLS = 41; // the plane is [-3, 3]^2, theta in [0, 3]; as in plane.py
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const DIAMOND = "M0-12L11 0L0 12L-11 0z", STAR = star(15, 6.5);

function star(outer, inner) {
  const corners = Array.from({ length: 10 }, (_, i) => {
    const r = i % 2 ? inner : outer, a = (i * Math.PI) / 5;
    return `${(r * Math.sin(a)).toFixed(2)} ${(-r * Math.cos(a)).toFixed(2)}`;
  });
  return `M${corners.join("L")}z`;
}

// ---- the arithmetic: logarithms of the kernels, and shares
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const KERNEL = {
  rbf: (q, k, t) => -t * t * ((q[0] - k[0]) ** 2 + (q[1] - k[1]) ** 2),
  dot: (q, k, t) => 2 * t * t * dot(q, k),
  turned: (q, k, t) => 2 * t * t * dot([-q[1], q[0]], k), // a quarter turn to the left
  square: (q, k) => 2 * Math.log(Math.abs(dot(q, k))),
};
function shared({ q, keys, seen, kernel, theta }) {
  const s = keys.map((k, i) => (seen[i] ? KERNEL[kernel](q, k, theta) : -Infinity)), top = Math.max(...s);
  if (!Number.isFinite(top)) return keys.map(() => 0); // nothing to look at: no pull at all
  const raw = s.map((value) => Math.exp(value - top)), total = raw.reduce((a, b) => a + b);
  return raw.map((value) => value / total);
}
const centre = (shares, values) => [0, 1].map((c) => shares.reduce((sum, a, i) => sum + a * values[i][c], 0));

const snapped = (v) => clamp(Math.round(v * 100) / 100, -REACH, REACH);
const px = (x) => ((x + REACH) / (2 * REACH)) * SIDE;
const py = (y) => ((REACH - y) / (2 * REACH)) * SIDE;
const at = ([x, y]) => `translate(${px(x)} ${py(y)})`;
const percent = (share) => `${Math.floor(100 * share + 0.5)} %`;
const fixed = (v) => v.toFixed(2).replace("-0.00", "0.00").replace("-", "\u2212");

function render({ model, el }) {
  const presets = model.get("presets"), kernels = model.get("kernels");
  let state = structuredClone(model.get("state"));
  let start = presets.find((one) => same(one.state, state)) ?? presets[0];
  let held = null, frame = 0, dark = isDark();

  // ---- the page
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, start.ask);
  const reset = () => moved((state = structuredClone(start.state)));
  const chips = presets.map((preset) => {
    const chip = make("button", row, { type: "button", ...KEYS }, preset.name);
    chip.onclick = () => ((ask.textContent = preset.ask), (start = preset), reset());
    return chip;
  });
  const form = make("div", root, { class: "course-controls" });
  const choose = (text, options, set) => {
    const select = make("select", make("label", form, {}, `${text} `), KEYS);
    for (const [value, name] of options) make("option", select, { value }, name);
    select.onchange = () => moved(set(select.value));
    return select;
  };
  const kernel = choose("kernel", kernels, (value) => (state.kernel = value));
  const label = make("label", form, {}, "\u03b8 ");
  const range = make("input", label, { type: "range", min: 0, max: MOST, step: 0.05, ...KEYS });
  const output = make("output", label);
  range.oninput = () => moved((state.theta = Number(range.value)));
  const tie = choose("values", [["yes", "are the keys"], ["no", "of their own"]], (value) => {
    state.tied = value === "yes";
    if (state.tied) state.values = structuredClone(state.keys);
  });
  make("button", form, { type: "button", ...KEYS }, "reset").onclick = reset;

  const views = make("div", root, { class: "course-views" });
  function board(title) {
    const stage = make("div", views, { class: "course-stage" });
    const canvas = make("canvas", stage, { width: CELLS, height: CELLS, "aria-hidden": "true" });
    const svg = draw("svg", stage, { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "group", "aria-label": title });
    draw("path", svg, { d: `M0 ${SIDE / 2}H${SIDE}M${SIDE / 2} 0V${SIDE}`, class: "course-axis" });
    draw("rect", svg, { x: 0.5, y: 0.5, width: SIDE - 1, height: SIDE - 1, class: "course-axis" });
    draw("text", svg, { x: 8, y: 18 }, title);
    return [canvas, svg];
  }
  const [plane, left] = board("cause: who is like the query?");
  const [, right] = board("effect: values pull at the star");
  const boxes = make("div", root, { class: "course-presets course-shares", role: "group", "aria-label": "The query may look at" });
  make("span", boxes, {}, "may look at:");
  const caption = make("p", root, { class: "course-caption", "aria-live": "polite" });

  // ---- lines first, then what can be held
  const five = [0, 1, 2, 3, 4], lines = five.map(() => draw("path", left, { class: "course-link" }));
  const strings = five.map(() => draw("path", right, { class: "course-string" }));
  const tips = draw("defs", right), id = `course-tip-${Math.random().toString(36).slice(2)}`;
  const tip = draw("marker", tips, { id, viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 11, markerHeight: 11,
    markerUnits: "userSpaceOnUse", orient: "auto" });
  draw("path", tip, { d: "M0 0L10 5L0 10z", class: "course-tip" });
  const pulls = five.map(() => draw("path", right, { class: "course-arrow", "marker-end": `url(#${id})` }));

  function handle(svg, shape, attributes, name, get, set, i = -1) {
    const node = draw(shape, svg, { tabindex: 0, role: "button", "aria-label": name, ...attributes, ...KEYS });
    node.classList.add("course-handle");
    const place = (event) => {
      const { left: x, top: y, width } = svg.getBoundingClientRect();
      const u = (event.clientX - x) / width, v = (event.clientY - y) / width;
      moved(set([snapped((2 * u - 1) * REACH), snapped((1 - 2 * v) * REACH)]));
    };
    node.onpointerdown = (event) => {
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      held = node;
    };
    node.onpointermove = (event) => held === node && place(event);
    node.onpointerup = node.onpointercancel = () => (held = null);
    node.onkeydown = (event) => {
      const by = ARROWS[event.key], step = event.shiftKey ? 0.5 : 0.1;
      if (event.key === "m" && i >= 0) hide(i);
      else if (by) moved(set(get().map((c, axis) => snapped(c + step * by[axis]))));
      else return;
      event.preventDefault();
    };
    return node;
  }
  const setKey = (i) => (place) => ((state.keys[i] = place), state.tied && (state.values[i] = [...place]));
  const setValue = (i) => (place) => ((state.values[i] = place), state.tied && (state.keys[i] = [...place]));
  const hide = (i) => moved((state.seen[i] = !state.seen[i]));
  const keys = five.map((i) =>
    handle(left, "circle", { r: 9, class: "course-key" }, `key ${i + 1}`, () => state.keys[i], setKey(i), i));
  const query = handle(left, "path", { d: DIAMOND, class: "course-query" }, "query", () => state.q, (place) => (state.q = place));
  const values = five.map((i) => handle(right, "rect", { x: -8, y: -8, width: 16, height: 16, class: "course-value" },
    `value ${i + 1}`, () => state.values[i], setValue(i), i));
  const names = five.map(() => [left, right].map((svg) => draw("text", svg, { class: "course-tag" })));
  const goal = draw("path", right, { d: STAR, class: "course-star" });
  const ring = draw("circle", right, { r: 17, class: "course-ring" });
  const tests = five.map((i) => {
    const node = make("button", boxes, { type: "button", ...KEYS });
    node.onclick = () => hide(i);
    return node;
  });

  // ---- how alike a key at each place would be
  function paint() {
    const context = plane.getContext("2d"), image = context.createImageData(CELLS, CELLS);
    const s = new Float64Array(CELLS * CELLS), [r, g, b] = dark ? [86, 180, 233] : [0, 114, 178];
    let top = -Infinity;
    for (let i = 0; i < s.length; i++) {
      const x = (2 * (i % CELLS)) / (CELLS - 1) - 1, y = 1 - (2 * Math.floor(i / CELLS)) / (CELLS - 1);
      s[i] = KERNEL[state.kernel](state.q, [REACH * x, REACH * y], state.theta);
      top = Math.max(top, s[i]);
    }
    s.forEach((value, i) => image.data.set([r, g, b, 150 * (Number.isFinite(top) ? Math.exp(value - top) : 0)], 4 * i));
    context.putImageData(image, 0, 0);
  }

  // ---- one frame
  const moved = () => (frame ||= requestAnimationFrame(show));
  function show() {
    frame = 0;
    const shares = shared(state), [x, y] = centre(shares, state.values), mine = model.get("yours");
    const arrows = state.values.map((value, i) => [shares[i] * (value[0] - x), shares[i] * (value[1] - y)]);
    const grow = 1.2 / Math.max(0.02, ...arrows.map((arrow) => Math.hypot(...arrow))); // the longest is 1.2 long
    paint();
    put(query, { transform: at(state.q) });
    put(goal, { transform: at([x, y]) });
    for (const i of five) {
      const key = state.keys[i], value = state.values[i], from = `M${px(x)} ${py(y)}L`;
      const end = arrows[i].map((c, axis) => [x, y][axis] + grow * c);
      const long = Math.hypot(px(end[0]) - px(x), py(end[1]) - py(y)) > 12;
      put(lines[i], { d: `M${px(state.q[0])} ${py(state.q[1])}L${px(key[0])} ${py(key[1])}`, "stroke-width": 0.6 + 11 * shares[i] });
      put(strings[i], { d: `${from}${px(value[0])} ${py(value[1])}` });
      put(pulls[i], { d: `${from}${px(end[0])} ${py(end[1])}`, visibility: long ? "visible" : "hidden" });
      put(keys[i], { transform: at(key) });
      put(values[i], { transform: at(value) });
      for (const node of [keys[i], values[i]]) node.classList.toggle("course-hidden", !state.seen[i]);
      const texts = [state.seen[i] ? `${i + 1}: ${percent(shares[i])}` : `${i + 1}: hidden`, String(i + 1)];
      [key, value].forEach((place, view) => {
        const edge = place[0] > 1.9 ? "end" : "start";
        names[i][view].textContent = texts[view];
        put(names[i][view], { x: px(place[0]) + (edge === "end" ? -12 : 12), y: py(place[1]) - 9, "text-anchor": edge });
      });
      tests[i].textContent = `key ${i + 1}: ${state.seen[i] ? percent(shares[i]) : "hidden"}`;
      put(tests[i], { "aria-pressed": state.seen[i], style: `--share: ${100 * shares[i]}%` });
    }
    put(ring, { visibility: mine.length ? "visible" : "hidden", transform: at(mine.length ? mine : [0, 0]) });
    [kernel.value, tie.value, range.value] = [state.kernel, state.tied ? "yes" : "no", state.theta];
    output.textContent = state.theta.toFixed(2);
    presets.forEach((preset, i) => chips[i].setAttribute("aria-pressed", same(preset.state, state)));
    say(shares, [x, y]);
    if (!same(state, model.get("state"))) {
      model.set("state", structuredClone(state));
      model.save_changes();
    }
  }
  function say(shares, place) {
    const what = kernels.find(([name]) => name === state.kernel)[1].split(":")[0];
    const [first, second] = [...five].sort((a, b) => shares[b] - shares[a]).map((i) => `key ${i + 1} ${percent(shares[i])}`);
    const text = shares.some((share) => share > 0)
      ? `${what}, \u03b8 = ${state.theta.toFixed(2)}: ${first}, then ${second}; the star is at (${place.map(fixed).join(", ")}), where all pulls add up to 0.`
      : `${what}: nothing has any weight, so the star is at 0, by definition.`;
    caption.textContent = [model.get("note"), text].filter(Boolean).join(" ");
  }

  // ---- Python may set the state too, and sends where the student's function is
  const follow = () => {
    if (!held && !same(state, model.get("state"))) moved((state = structuredClone(model.get("state"))));
  };
  const look = () => moved(root.classList.toggle("course-dark", (dark = isDark())));
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  for (const name of ["yours", "note"]) model.on(`change:${name}`, moved);
  model.on("change:state", follow);
  look();

  return () => {
    cancelAnimationFrame(frame);
    theme.disconnect();
    for (const name of ["yours", "note"]) model.off(`change:${name}`, moved);
    model.off("change:state", follow);
  };
}

export default { render };
