// Three logits between the walls of a number format. The hand moves them; every frame is drawn here,
// with the rounding of that format. With a student's softmax, Python sends what it answers.

const REACH = 1000, BEND = 8; // logits lie in [-1000, 1000], drawn by asinh(z / 8); as in walls.py
const WIDE = 440, HIGH = 304, BARS = 300, LEFT = 62, ROOM = LEFT + WIDE + 58; // the long line and what stands beside it
const ROWS = { float16: 46, float32: 92, float64: 138 }, HALF = 12, LENS = 236;
const SHAPES = ["M8 0a8 8 0 1 1-16 0a8 8 0 1 1 16 0z", "M0-10L10 8H-10z", "M-7-7H7V7H-7z"];
const DIAMOND = "M0-10L9 0L0 10L-9 0z";

const write = (parent, x, y, text, look = "course-small", anchor = "start") =>
  draw("text", parent, { x, y, class: look, "text-anchor": anchor }, text);

// ---- the arithmetic of the three formats: each result is rounded to the format
function half(value) {
  const size = Math.abs(value);
  if (!(size > 0) || !Number.isFinite(value)) return value;
  if (size >= 65520) return Math.sign(value) * Infinity;
  const grain = 2 ** (Math.max(Math.floor(Math.log2(size)), -14) - 10);
  let whole = Math.round(size / grain);
  if (whole - size / grain === 0.5 && whole % 2) whole -= 1; // a tie goes to the even one
  return Math.sign(value) * whole * grain;
}
const ROUND = { float16: half, float32: Math.fround, float64: (value) => value };

function softmaxIn(format, logits, shift) {
  const round = ROUND[format], z = logits.map(round);
  const exp = z.map((value) => round(Math.exp(round(value - shift(z)))));
  const sum = exp.reduce((a, b) => round(a + b));
  return { exp, sum, p: exp.map((value) => round(value / sum)) };
}
const naiveIn = (format, logits) => softmaxIn(format, logits, () => 0);
const stableIn = (format, logits) => softmaxIn(format, logits, (z) => Math.max(...z));
const truthIn = (format, logits) => stableIn("float64", logits.map(ROUND[format])).p;
const verdictOf = (p, truth) => p.some(Number.isNaN) ? "nan"
  : p.every((value, i) => Math.abs(value - truth[i]) < 0.01) ? "right" : "wrong";

const UP = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";
function short(value) { // as course/widgets/style.py writes numbers
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return "inf";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e-3 && size < 1e5) return String(size < 1000 ? Number(value.toPrecision(2)) : Math.round(value));
  const [mantissa, power] = value.toExponential(1).split("e");
  const raised = [...String(Number(power))].map((c) => (c === "-" ? "\u207b" : UP[c])).join("");
  return `${mantissa}\u00a0\u00d7\u00a010${raised}`;
}
const fixed = (value, digits = 1) => value.toFixed(digits).replace("-", "\u2212");
const place = (z) => (WIDE * (Math.asinh(z / BEND) / Math.asinh(REACH / BEND) + 1)) / 2;
const logitAt = (x) => BEND * Math.sinh(((2 * x) / WIDE - 1) * Math.asinh(REACH / BEND));
const within = (z) => clamp(Math.round(z * 10) / 10, -REACH, REACH);

function render({ model, el }) {
  const presets = model.get("presets"), walls = model.get("walls"), given = model.get("given");
  let state = structuredClone(model.get("state"));
  let lens = [-1, 1]; // the stretch of the line that the lower picture shows
  let held = null, frame = 0, pushing = false, last = ""; // last: what naive was a frame ago
  const top = () => Math.max(...state.logits);

  // ---- the page
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  let start = presets[0].state;
  const chips = presets.map((preset) => {
    const chip = make("button", row, { type: "button", ...KEYS }, preset.name);
    chip.onclick = () => ((ask.textContent = preset.ask), (start = preset.state), reset());
    return chip;
  });
  const form = make("div", root, { class: "course-controls" });
  const select = make("select", make("label", form, {}, "format "), KEYS);
  for (const name of Object.keys(ROWS)) make("option", select, { value: name }, name);
  select.onchange = () => ((state.format = select.value), moved());
  const label = make("label", form, {}, "largest logit ");
  const range = make("input", label, { type: "range", min: -REACH, max: REACH, step: 0.1, ...KEYS });
  const output = make("output", label);
  range.oninput = () => (stop(), push(Number(range.value) - top()), moved());
  const player = make("span", form, { class: "course-player" }, "push to the right: ");
  const play = make("button", player, { type: "button", ...KEYS }, "play");
  play.onclick = () => moved((pushing = !pushing));
  make("button", player, { type: "button", ...KEYS }, "step").onclick = () => (stop(), push(1), moved());
  make("button", player, { type: "button", ...KEYS }, "reset").onclick = () => reset();

  const views = make("div", root, { class: "course-views" });
  const cause = make("div", views, { class: "course-wide" });
  const line = draw("svg", cause, { viewBox: `${-LEFT} 0 ${ROOM} ${HIGH}`, role: "group" });
  const effect = make("div", views, { class: "course-side" });
  const bars = draw("svg", effect, { viewBox: `0 0 ${BARS} ${HIGH}`, role: "img" });
  const caption = make("p", root, { class: "course-caption", "aria-live": "polite" });

  // A strip is one stretch of the line with its zones: exp is 0, coarse, fine, inf.
  const ZONES = ["course-zero", "course-coarse", "course-fine", "course-inf"];
  const strip = (y) => ({ y,
    zones: ZONES.map((name) => draw("rect", line, { y: y - HALF, height: 2 * HALF, class: name })) });
  function zone({ zones }, format, where, left, right) {
    const ends = [left, ...walls[format], right].map((z) => Math.min(WIDE, Math.max(0, where(z))));
    zones.forEach((node, i) => put(node, { x: ends[i], width: Math.max(0, ends[i + 1] - ends[i]) }));
  }
  write(line, 2 - LEFT, 16, "cause: where is e\u1dbb a number?", "");
  const strips = {};
  for (const [name, y] of Object.entries(ROWS)) {
    const one = (strips[name] = strip(y)), [low, , high] = walls[name];
    zone(one, name, place, -REACH, REACH);
    for (const z of [low, high]) write(line, place(z), y - HALF - 3, fixed(z), "course-small", "middle");
    one.name = write(line, 2 - LEFT, y + 5, name, "course-format");
    one.name.onclick = () => ((state.format = name), moved());
    one.safe = draw("rect", line, { y: y + HALF - 5, height: 5, class: "course-stable" });
    one.dots = SHAPES.map((d) => draw("path", line, { d, class: "course-dot" }));
    one.said = write(line, WIDE + 6, y + 4);
  }
  write(line, WIDE + 6, 16, "naive");
  for (const z of [-1000, -100, -10, 0, 10, 100, 1000]) tick(line, place(z), ROWS.float64, z);
  function tick(parent, x, y, z) {
    draw("path", parent, { d: `M${x} ${y + HALF}v5`, class: "course-axis" });
    write(parent, x, y + HALF + 17, String(z).replace("-", "\u2212"), "course-small", "middle");
  }
  const beam = draw("path", line, { class: "course-beam" });
  const near = strip(LENS);
  write(line, 2 - LEFT, LENS - 3, "the same,");
  write(line, 2 - LEFT, LENS + 11, "close up");
  ["e\u1dbb is 0", "coarse: few digits", "fine", "inf", "where the stable one works"].forEach((text, i) => {
    const x = [-4, 62, 180, 226, 270][i];
    draw("rect", line, { x, y: HIGH - 13, width: 11, height: 10, class: [...ZONES, "course-stable"][i] });
    write(line, x + 15, HIGH - 4, text);
  });
  const ticks = draw("g", line), holds = draw("g", line);

  // ---- what can be held: the pack on the long line, each logit close up
  const lensPlace = (z) => (WIDE * (z - lens[0])) / (lens[1] - lens[0]);
  function handle(d, move, look) {
    const node = draw("path", holds, { d, tabindex: 0, role: "slider", class: `course-handle ${look}`,
      "aria-valuemin": -REACH, "aria-valuemax": REACH, ...KEYS });
    node.onkeydown = (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      moved(stop(), move((event.shiftKey ? 10 : event.altKey ? 0.1 : 1) * by));
    };
    node.onpointerdown = (event) => {
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
      node.focus({ preventScroll: true });
      moved(stop(), (held = node));
    };
    node.onpointerup = node.onpointercancel = () => ((held = null), moved());
    return node;
  }
  function push(by) {
    const room = by > 0 ? Math.min(by, REACH - top()) : Math.max(by, -REACH - Math.min(...state.logits));
    state.logits = state.logits.map((z) => within(z + Math.round(room * 10) / 10)); // keeps the differences
  }
  const at = (event) => {
    const { left, width } = line.getBoundingClientRect();
    return ((event.clientX - left) / width) * ROOM - LEFT;
  };
  const pack = handle(DIAMOND, push, "course-grip");
  pack.onpointermove = (event) => held === pack && moved(push(logitAt(at(event)) - top()));
  const singles = SHAPES.map((d, i) => {
    const move = (z) => (state.logits[i] = within(z));
    const node = handle(d, (by) => move(state.logits[i] + by), `course-logit${i}`);
    node.onpointermove = (event) =>
      held === node && moved(move(lens[0] + (at(event) / WIDE) * (lens[1] - lens[0])));
    return node;
  });

  // ---- bars: dashed truth; naive, or the student's; stable
  write(bars, 4, 16, "effect: the probabilities", "");
  ["truth", given ? "yours" : "naive", "stable"].forEach((text, i) => {
    draw("rect", bars, { x: 4 + 70 * i, y: 24, width: 10, height: 10, class: `course-${["truth", "naive", "stable"][i]}` });
    write(bars, 18 + 70 * i, 33, text);
  });
  const FLOOR = 226, TALL = 176;
  draw("path", bars, { d: `M0 ${FLOOR}H${BARS}`, class: "course-axis" });
  const columns = SHAPES.map((d, i) => {
    const x = 12 + 96 * i;
    draw("path", bars, { d, transform: `translate(${x + 42} ${FLOOR + 14}) scale(.8)`, class: `course-handle course-logit${i}` });
    return {
      naive: draw("rect", bars, { x: x + 5, width: 36, class: "course-naive" }),
      stable: draw("rect", bars, { x: x + 43, width: 36, class: "course-stable" }),
      truth: draw("rect", bars, { x, width: 84, class: "course-truth" }),
      nan: write(bars, x + 23, FLOOR - 6, "", "course-nan", "middle"),
      exp: write(bars, x + 42, FLOOR + 38, "", "course-small", "middle"),
    };
  });
  const sum = write(bars, BARS / 2, FLOOR + 60, "", "course-small", "middle");

  // ---- one frame
  const stop = () => (pushing = false);
  const reset = () => moved(stop(), (state = structuredClone({ ...presets[0].state, ...start })));
  const moved = () => (frame = frame || requestAnimationFrame(show));
  function show() {
    frame = 0;
    const { logits, format } = state;
    const truth = truthIn(format, logits), naive = naiveIn(format, logits), stable = stableIn(format, logits);
    if (!held || held === pack) {
      const low = Math.min(...logits), middle = (low + top()) / 2, span = Math.max(4, 0.7 * (top() - low) + 1);
      lens = [middle - span, middle + span];
    }
    for (const [name, one] of Object.entries(strips)) {
      one.dots.forEach((dot, i) => put(dot, { transform: `translate(${place(logits[i])} ${one.y}) scale(.5)` }));
      const said = verdictOf(naiveIn(name, logits).p, truthIn(name, logits));
      one.said.textContent = `${said === "right" ? "\u2713" : "\u2717"} ${said}`;
      one.said.classList.toggle("course-bad", said !== "right");
      one.name.classList.toggle("course-chosen", name === format);
      const [from, to] = [place(Math.max(-REACH, Math.min(...logits) - top())), place(0) + 2];
      put(one.safe, { x: from, width: to - from });
    }
    const y = ROWS[format];
    put(pack, { transform: `translate(${place(top())} ${y})`, "aria-label": "all three logits", "aria-valuenow": top() });
    const [left, right] = lens.map((z) => place(Math.min(REACH, Math.max(-REACH, z))));
    put(beam, { d: `M${left} ${y + HALF}L0 ${LENS - HALF}H${WIDE}L${right} ${y + HALF}z` });
    zone(near, format, lensPlace, lens[0], lens[1]);
    showTicks();
    singles.forEach((node, i) => put(node, { transform: `translate(${lensPlace(logits[i])} ${LENS})`,
      "aria-label": `logit ${i + 1}`, "aria-valuenow": logits[i] }));

    const mine = given ? model.get("yours").map((text) => (text === "inf" ? Infinity : Number(text))) : naive.p;
    columns.forEach((column, i) => {
      const bar = (node, p) => {
        const tall = TALL * Math.min(1.05, Math.max(0, Number.isNaN(p) ? 0 : p ?? 0));
        put(node, { y: FLOOR - tall, height: tall });
      };
      bar(column.naive, mine[i]);
      bar(column.stable, stable.p[i]);
      bar(column.truth, truth[i]);
      column.nan.textContent = i < mine.length && Number.isNaN(mine[i]) ? "nan" : "";
      column.exp.textContent = short(naive.exp[i]);
    });
    sum.textContent = `these are the e\u1dbb; their sum: ${short(naive.sum)}`;
    select.value = format;
    [range.value, output.textContent] = [top(), fixed(top())];
    play.textContent = pushing ? "pause" : "play";
    presets.forEach((preset, i) => chips[i].setAttribute("aria-pressed", same({ ...presets[0].state, ...preset.state }, state)));
    say(naive, stable, truth);
    if (!same(state, model.get("state"))) {
      model.set("state", structuredClone(state));
      model.save_changes();
    }
    const said = verdictOf(naive.p, truth);
    if (pushing && (said !== last || top() >= REACH)) moved(stop()); // it pauses where nan starts
    if (pushing) moved(push(0.1 * Math.max(1, Math.round(Math.hypot(top(), BEND) / 12))));
    last = said;
  }
  function showTicks() {
    const wide = lens[1] - lens[0], step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((one) => wide / one <= 9) ?? 1000;
    ticks.replaceChildren();
    for (let z = Math.ceil(lens[0] / step) * step; z <= lens[1]; z += step) tick(ticks, lensPlace(z), LENS, z);
  }
  function say(naive, stable, truth) {
    const list = (p) => `(${p.map(short).join(", ")})`, { format } = state, [low, , high] = walls[format];
    const what = { right: "right", nan: "broken", wrong: "wrong, and no nan tells" }[verdictOf(naive.p, truth)];
    const text = `${format}: the largest logit is ${fixed(top())}, its exponential ${short(Math.max(...naive.exp))}, `
      + `the sum ${short(naive.sum)}. Naive softmax: ${list(naive.p)}, ${what}; stable: ${list(stable.p)}. `
      + `In this format one logit above ${fixed(high, 2)}, or all below ${fixed(low, 2)}, give nan.`;
    caption.textContent = [model.get("note"), text].filter(Boolean).join(" ");
    bars.setAttribute("aria-label", caption.textContent);
  }

  // ---- Python may set the state too, and sends the student's values and a note
  const follow = () => {
    if (!held && !pushing && !same(state, model.get("state"))) moved((state = structuredClone(model.get("state"))));
  };
  const look = () => root.classList.toggle("course-dark", isDark());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  for (const name of ["yours", "note"]) model.on(`change:${name}`, moved);
  model.on("change:state", follow);
  look();
  moved();

  return () => {
    cancelAnimationFrame(frame);
    stop();
    theme.disconnect();
    for (const name of ["yours", "note"]) model.off(`change:${name}`, moved);
    model.off("change:state", follow);
  };
}

export default { render };
