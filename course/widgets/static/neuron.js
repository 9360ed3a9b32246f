// One neuron in the plane. The hand moves points, line and weights; every frame is drawn here.
// With a student's function, Python computes the field and sends it back as float32.

const REACH = 3, SIDE = 360, CELLS = 41, LENGTH = 0.6; // the plane is [-3, 3]^2, 360 px wide
const ORANGE = [230, 140, 0], BLUE = [0, 114, 178];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const ACTIVATIONS = { // function, and the range that the colours span
  sigmoid: [sigmoid, 0, 1], step: [(z) => (z >= 0 ? 1 : 0), 0, 1], tanh: [Math.tanh, -1, 1],
  relu: [(z) => Math.max(0, z), -3, 3], linear: [(z) => z, -3, 3],
};

const px = (x) => ((x + REACH) / (2 * REACH)) * SIDE; // plane to pixels, x
const py = (y) => ((REACH - y) / (2 * REACH)) * SIDE;
const short = (value, digits = 1) => value.toFixed(digits).replace("-", "\u2212");

function render({ model, el }) {
  const presets = model.get("presets"), given = model.get("given");
  let state = structuredClone(model.get("state"));
  let anchor = null; // the point of the line that the hand can hold
  let frame = 0, learning = false, steps = 0;
  const pre = (x, y) => state.w[0] * x + state.w[1] * y + state.b;

  // ---- the page
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const stateOf = (preset) => structuredClone({ ...presets[0].state, ...preset.state });
  let chosen = presets[0];
  const button = (parent, text, run) => {
    const node = make("button", parent, { type: "button", ...KEYS }, text);
    node.onclick = () => (run(), moved());
    return node;
  };
  const restart = (parts) => {
    Object.assign(state, parts);
    learning = false;
    steps = 0;
  };
  const chips = presets.map((preset) => button(row, preset.name, () => {
    chosen = preset;
    ask.textContent = preset.ask;
    anchor = null;
    restart(stateOf(preset));
  }));
  const form = make("div", root, { class: "course-controls" });
  const label = make("label", form, {}, "activation g ");
  const select = make("select", label, KEYS);
  for (const [value, text] of model.get("activations")) make("option", select, { value }, text);
  select.onchange = () => ((state.g = select.value), moved());
  const player = make("span", form, { class: "course-player" }, "learn: ");
  const play = button(player, "play", () => (learning = !learning));
  button(player, "step", () => ((learning = false), learn()));
  button(player, "reset", () => {
    const { w, b } = stateOf(chosen);
    restart({ w, b });
  });

  const views = make("div", root, { class: "course-views" });
  const stage = make("div", views, { class: "course-stage" });
  const field = make("canvas", stage, { width: CELLS, height: CELLS, "aria-hidden": "true" });
  const plane = draw("svg", stage, { viewBox: `0 0 ${SIDE} ${SIDE}` });
  const effect = make("div", views, { class: "course-stage" });
  const response = draw("svg", effect, { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img" });
  const caption = make("p", root, { class: "course-caption", "aria-live": "polite" });

  draw("path", plane, { class: "course-axis",
    d: `M0 ${SIDE / 2}H${SIDE}M${SIDE / 2} 0V${SIDE}M.5 .5h${SIDE - 1}v${SIDE - 1}h${1 - SIDE}z` });
  draw("text", plane, { x: SIDE - 20, y: SIDE / 2 - 6 }, "x\u2081");
  draw("text", plane, { x: SIDE / 2 + 6, y: 15 }, "x\u2082");
  // With a student's function, the field is theirs, and the true line is dashed.
  const line = draw("path", plane, { class: "course-line", "stroke-dasharray": given ? "7 5" : "" });
  const arrow = draw("path", plane, { class: "course-arrow" }), letter = draw("text", plane, {}, "w");
  const holds = draw("g", plane);

  draw("text", response, { x: 8, y: 16 }, "h = g(z) of each point");
  const zero = draw("path", response, { class: "course-axis" });
  const curve = draw("path", response, { class: "course-line" });
  draw("text", response, { x: SIDE - 18, y: SIDE - 8 }, "z");
  const drops = draw("g", response);

  // ---- what can be held: every point, the line, the tip of w
  const handles = [];
  function handle(shape, name, where, move) {
    const node = draw("path", holds, { d: shape, tabindex: 0, role: "button", class: "course-handle", ...KEYS });
    const held = { node, name, where, move };
    node.onkeydown = (event) => {
      const by = ARROWS[event.key];
      if (by) {
        const pace = event.shiftKey ? 0.5 : 0.1, [x, y] = where();
        move(x + pace * by[0], y + pace * by[1]);
      } else if (event.key === "Enter" && held.flip) held.flip();
      else return;
      event.preventDefault();
      moved();
    };
    handles.push(held);
    return held;
  }
  const DISC = "M7 0a7 7 0 1 1-14 0a7 7 0 1 1 14 0z", TRIANGLE = "M0-9L9 7H-9z";
  const SQUARE = "M-6-6H6V6H-6z", DIAMOND = "M0-8L8 0L0 8L-8 0z";
  const shapeOf = (kind) => (kind ? TRIANGLE : DISC);

  function setLine(w, through) {
    const norm = Math.hypot(...w);
    state.w = norm < 0.1 ? state.w : w.map((value) => clamp(value, -6, 6));
    state.b = -(state.w[0] * through[0] + state.w[1] * through[1]);
  }
  const tip = () => [anchor[0] + LENGTH * state.w[0], anchor[1] + LENGTH * state.w[1]];
  function makeHandles() {
    holds.replaceChildren();
    drops.replaceChildren();
    handles.length = 0;
    state.points.forEach((_, i) => {
      const point = () => state.points[i];
      const held = handle(shapeOf(point()[2]), () => `point ${i + 1}, class ${point()[2]}`, point,
        (x, y) => state.points.splice(i, 1, [clamp(x, -REACH, REACH), clamp(y, -REACH, REACH), point()[2]]));
      held.flip = () => (point()[2] = 1 - point()[2]);
      held.drop = draw("path", drops, {});
      held.point = point;
    });
    handle(DIAMOND, () => "the line", () => anchor, (x, y) => {
      anchor = [clamp(x, -REACH, REACH), clamp(y, -REACH, REACH)];
      setLine(state.w, anchor);
    }).node.classList.add("course-grip");
    handle(SQUARE, () => "the tip of w", tip, (x, y) =>
      setLine([(x - anchor[0]) / LENGTH, (y - anchor[1]) / LENGTH], anchor)).node.classList.add("course-grip");
  }

  let held = null;
  const at = (event) => {
    const { left, top, width } = plane.getBoundingClientRect();
    return [((event.clientX - left) / width) * 2 * REACH - REACH, REACH - ((event.clientY - top) / width) * 2 * REACH];
  };
  const nearest = (event) => {
    const [x, y] = at(event);
    const far = ({ where }) => Math.hypot(where()[0] - x, where()[1] - y);
    const best = handles.reduce((a, b) => (far(b) <= far(a) ? b : a));
    return far(best) < 0.4 ? best : null;
  };
  plane.onpointerdown = (event) => {
    held = nearest(event);
    if (!held) return;
    event.preventDefault();
    plane.setPointerCapture(event.pointerId);
    held.node.focus({ preventScroll: true });
  };
  plane.onpointermove = (event) => {
    if (held) moved(held.move(...at(event)));
  };
  plane.onpointerup = plane.onpointercancel = () => (held = null);
  plane.ondblclick = (event) => {
    const flip = nearest(event)?.flip;
    if (flip) moved(flip());
  };

  // ---- one step downhill on the log loss of a sigmoid; a little decay keeps w in the picture
  function learn() {
    const rate = 0.3, n = state.points.length, slope = [0, 0, 0];
    for (const [x, y, t] of state.points) {
      const delta = (sigmoid(pre(x, y)) - t) / n;
      slope[0] += delta * x;
      slope[1] += delta * y;
      slope[2] += delta;
    }
    state.w = state.w.map((value, i) => value * (1 - 0.003) - rate * slope[i]);
    state.b -= rate * slope[2];
    steps += 1;
  }

  // ---- drawing, at most once a frame
  function moved() {
    frame ||= requestAnimationFrame(show);
  }
  function show() {
    frame = 0;
    if (learning) learn();
    if (handles.length !== state.points.length + 2) makeHandles();
    const [w1, w2] = state.w, square = Math.max(1e-9, w1 * w1 + w2 * w2);
    const from = anchor ?? [0, 0], off = pre(...from) / square;
    anchor = [from[0] - off * w1, from[1] - off * w2].map((value) => clamp(value, -REACH, REACH));

    const [ax, ay] = anchor, reach = 9 / Math.sqrt(square);
    put(line, { d: `M${px(ax - reach * w2)} ${py(ay + reach * w1)}L${px(ax + reach * w2)} ${py(ay - reach * w1)}` });
    const [tx, ty] = tip(), turn = Math.atan2(-w2, w1);
    const wing = (angle) => `${px(tx) - 15 * Math.cos(turn + angle)} ${py(ty) - 15 * Math.sin(turn + angle)}`;
    put(arrow, { d: `M${px(ax)} ${py(ay)}L${px(tx)} ${py(ty)}M${wing(0.4)}L${px(tx)} ${py(ty)}L${wing(-0.4)}` });

    put(letter, { x: px(tx) + 10, y: py(ty) - 9 });

    const [g, low, high] = ACTIVATIONS[state.g];
    const fz = (z) => ((clamp(z, -5, 5) + 5) / 10) * SIDE;
    const fh = (h) => 330 - ((clamp(h, low, high) - low) / (high - low)) * 295;
    put(zero, { d: `M0 ${fh(0)}H${SIDE}M${SIDE / 2} 25V${SIDE - 5}` });
    const spots = Array.from({ length: 201 }, (_, i) => i / 20 - 5);
    put(curve, { d: "M" + spots.map((z) => `${fz(z)} ${fh(g(z))}`).join("L") });

    let right = 0;
    for (const { node, name, where, point, drop } of handles) {
      const [x, y] = where();
      put(node, { transform: `translate(${px(x)} ${py(y)})`,
        "aria-label": `${name()}, at ${short(x)}, ${short(y)}; arrow keys move it` });
      if (!point) continue;
      const kind = point()[2], z = pre(x, y), fits = z >= 0 === (kind === 1);
      right += fits;
      const look = `course-class${kind}${fits ? "" : " course-wrong"}`;
      put(node, { d: shapeOf(kind), class: `course-handle ${look}` });
      put(drop, { d: shapeOf(kind), class: look, transform: `translate(${fz(z)} ${fh(g(z))})` });
    }
    paint(g, low, high);
    say(right);
    select.value = state.g;
    play.textContent = learning ? "pause" : "play";
    presets.forEach((preset, i) =>
      chips[i].setAttribute("aria-pressed", same(stateOf(preset), state)));
    if (!same(state, model.get("state"))) {
      model.set("state", structuredClone(state));
      model.save_changes();
    }
    if (learning) moved();
  }

  function paint(g, low, high) {
    const context = field.getContext("2d"), image = context.createImageData(CELLS, CELLS);
    const bytes = model.get("field");
    const { buffer, byteOffset, byteLength } = bytes;
    const sent = given && byteLength ? new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)) : null;
    if (given && !sent) return context.clearRect(0, 0, CELLS, CELLS); // nothing to draw yet
    for (let i = 0; i < CELLS; i++) {
      for (let j = 0; j < CELLS; j++) {
        const x = -REACH + (2 * REACH * j) / (CELLS - 1), y = REACH - (2 * REACH * i) / (CELLS - 1);
        const h = sent ? sent[i * CELLS + j] : g(pre(x, y));
        const share = Math.min(1, Math.max(0, (h - low) / (high - low))) - 0.5; // nan stays nan
        const [red, green, blue] = share > 0 ? ORANGE : BLUE, k = 4 * (i * CELLS + j);
        image.data[k] = red;
        image.data[k + 1] = green;
        image.data[k + 2] = blue;
        image.data[k + 3] = 330 * Math.abs(share); // nan becomes 0: nothing is painted there
      }
    }
    context.putImageData(image, 0, 0);
  }

  function say(right) {
    const n = state.points.length, [w1, w2] = state.w.map((value) => short(value, 2));
    const text = `w = (${w1}, ${w2}), b = ${short(state.b, 2)}: ${right} of ${n} points lie on their side of the `
      + `line w\u2081x\u2081 + w\u2082x\u2082 + b = 0` + (right === n ? "." : "; the others are ringed.")
      + (steps ? ` ${steps} learning steps.` : "");
    caption.textContent = [model.get("note"), text].filter(Boolean).join(" ");
    plane.setAttribute("aria-label", caption.textContent);
    response.setAttribute("aria-label", `The same points on the curve h = g(z). ${caption.textContent}`);
  }

  // ---- Python may set the state too, and sends field and note
  const follow = () => {
    if (held || learning || same(state, model.get("state"))) return;
    state = structuredClone(model.get("state"));
    moved();
  };
  const look = () => root.classList.toggle("course-dark", isDark());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("change:field", moved);
  model.on("change:note", moved);
  model.on("change:state", follow);
  look();
  moved();

  return () => {
    cancelAnimationFrame(frame);
    learning = false;
    theme.disconnect();
    model.off(); // this view's listeners
  };
}

export default { render };
