// A computational graph, one step at a time. Python runs the program and says what is wrong; this
// steps, plays, and lets the hand change the inputs.

const WIDTH = 760, HEIGHT = 342, R = 19, PAUSE = 950, FLIGHT = 420; // pixels, milliseconds
const NUDGES = { ArrowUp: 0.1, ArrowRight: 0.1, ArrowDown: -0.1, ArrowLeft: -0.1, PageUp: 1, PageDown: -1 };

function short(value, digits = 4) {
  if (value === null || value === undefined) return "nan";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "\u2212");
}
const near = (a, b) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

function render({ model, el }) {
  const presets = model.get("presets");
  let graph = model.get("graph"), nodes = {}, steps = [], done = 0, selected = "", shape = "";
  let timer = 0, frame = 0, waiting = false, wanted = null, drag = null;

  // ---- the page
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const chips = presets.map((preset) => {
    const chip = make("button", row, { type: "button", ...KEYS }, preset.name);
    chip.onclick = () => {
      stop();
      ask.textContent = preset.ask;
      shape = ""; // start anew, even if the program is the same
      send(structuredClone(preset.state));
    };
    return chip;
  });
  const form = make("div", root, { class: "course-controls" });
  const player = make("span", form, { class: "course-player" });
  const button = (text, run) => {
    const made = make("button", player, { type: "button", ...KEYS }, text);
    made.onclick = run;
    return made;
  };
  const play = button("play", () => {
    if (timer) return stop();
    if (done >= steps.length) go(0);
    play.textContent = "pause";
    tick();
  });
  button("back", () => (stop(), go(done - 1)));
  button("step", () => (stop(), go(done + 1, true)));
  button("reset", () => (stop(), go(0)));
  button("to the end", () => (stop(), go(steps.length)));
  const label = make("label", form);
  const which = make("span", label);
  const field = make("input", label, { type: "number", step: 0.1, min: -20, max: 20, ...KEYS });
  field.onchange = () => edit(selected, Number(field.value));

  const svg = draw("svg", root, { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "course-graph", role: "group" });
  const tip = draw("marker", draw("defs", svg), { id: `tip-${Math.random().toString(36).slice(2)}`,
    viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" });
  draw("path", tip, { d: "M0 0L8 4L0 8z", class: "course-tip" });
  const picture = draw("g", svg);
  const ledger = make("ol", root, { class: "course-ledger", "aria-label": "All steps" });
  const caption = make("p", root, { class: "course-caption", "aria-live": "polite" });

  // ---- the graph's shape: drawn once for each program
  const px = (node) => 46 + node.x * (WIDTH - 92), py = (node) => 52 + node.y * (HEIGHT - 108);
  function build() {
    picture.replaceChildren();
    ledger.replaceChildren();
    nodes = Object.fromEntries(graph.nodes.map((n) => [n.name, { ...n, use: 0 }]));
    const lines = graph.nodes.filter((n) => !n.given);
    steps = [
      ...lines.map((n) => ({ kind: "value", name: n.name })),
      { kind: "start", name: graph.output },
      ...graph.edges.map((e, i) => ({ kind: "edge", edge: i, name: e.source })),
    ];
    graph.edges.forEach((e) => {
      const [s, t] = [nodes[e.source], nodes[e.target]];
      const [x0, y0, x1, y1] = [px(s), py(s), px(t), py(t)], length = Math.hypot(x1 - x0, y1 - y0);
      const bow = e.twin ? (e.slot ? 26 : -26) : 0, gap = R + 4;
      const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
      const [mx, my] = [(x0 + x1) / 2 - uy * bow, (y0 + y1) / 2 + ux * bow];
      const d = `M${x0 + gap * ux} ${y0 + gap * uy}Q${mx} ${my} ${x1 - gap * ux} ${y1 - gap * uy}`;
      e.path = draw("path", picture, { d, class: "course-edge", "marker-end": `url(#${tip.id})` });
      const at = e.path.getPointAtLength ? { x: (x0 + x1) / 2 - uy * bow / 2, y: (y0 + y1) / 2 + ux * bow / 2 } : { x: mx, y: my };
      e.text = draw("text", picture, { x: at.x, y: at.y - 4, class: "course-slope" });
    });
    shownEdges = graph.edges.map(({ path, text }) => ({ path, text }));
    for (const n of Object.values(nodes)) {
      const group = draw("g", picture, { class: "course-node", transform: `translate(${px(n)} ${py(n)})` });
      n.group = group;
      if (n.given) draw("rect", group, { x: -R, y: -R + 2, width: 2 * R, height: 2 * R - 4, rx: 4 });
      else draw("circle", group, { r: R });
      n.inside = draw("text", group, { y: 4 });
      const under = draw("text", group, { y: R + 15, class: "course-name" }, n.fixed ? "constant" : n.label);
      if (n.sign) draw("tspan", under, { class: "course-sign" }, `\u2002${n.sign}`);
      n.above = draw("text", group, { y: -R - 6, class: "course-gradient" });
      if (n.given && !n.fixed) hold(n, group);
    }
    steps.forEach((s, i) => {
      const item = make("li", ledger);
      s.line = make("button", item, { type: "button", tabindex: -1 });
      s.line.onclick = () => (stop(), go(i + 1));
      s.line.onmouseenter = () => glance(s, true);
      s.line.onmouseleave = () => glance(s, false);
    });
    flying = draw("circle", picture, { r: 6, class: "course-flying", visibility: "hidden" });
    selected = graph.nodes.some((n) => n.name === "b") ? "b" : graph.nodes.find((n) => n.given && !n.fixed).name;
    done = graph.yours ? steps.length : lines.length;
  }
  let flying = null, shownEdges = [];
  const glance = (s, on) => {
    nodes[s.name].group.classList.toggle("course-glance", on);
    if (s.kind === "edge") shownEdges[s.edge].path.classList.toggle("course-glance", on);
  };

  // ---- inputs: arrow keys, a vertical drag, or the field
  function hold(n, group) {
    put(group, { tabindex: 0, role: "slider", "aria-valuemin": -20, "aria-valuemax": 20, ...KEYS });
    group.classList.add("course-input");
    group.onfocus = () => ((selected = n.name), show());
    group.onkeydown = (event) => {
      const by = NUDGES[event.key];
      if (!by) return;
      event.preventDefault();
      edit(n.name, current(n.name) + (event.shiftKey ? 10 * by : by));
    };
    group.onpointerdown = (event) => {
      event.preventDefault();
      group.setPointerCapture(event.pointerId);
      group.focus({ preventScroll: true });
      drag = { y: event.clientY, from: current(n.name) };
    };
    group.onpointermove = (event) => drag && edit(n.name, drag.from + Math.round((drag.y - event.clientY) / 5) / 10);
    group.onpointerup = group.onpointercancel = () => (drag = null);
  }
  const current = (name) => (wanted ?? model.get("state")).inputs[name];
  function edit(name, value) {
    if (!Number.isFinite(value)) return show();
    const { program, inputs } = wanted ?? model.get("state"), now = Math.max(-20, Math.min(20, Math.round(value * 1e6) / 1e6));
    nodes[name].inside.textContent = short(now, 3); // at once; all else when Python has answered
    send({ program, inputs: { ...inputs, [name]: now } });
  }
  function send(state) {
    if (!shape) done = -1;
    if (waiting) return void (wanted = state);
    if (same(state, graph.state)) return arrived();
    waiting = true;
    model.set("state", state);
    model.save_changes();
  }

  // ---- steps
  function stop() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "play";
  }
  function tick() {
    if (done >= steps.length) return stop();
    go(done + 1, true);
    timer = setTimeout(tick, PAUSE);
  }
  function go(to, fly = false) {
    done = Math.max(0, Math.min(steps.length, to));
    show();
    cancelAnimationFrame(frame);
    flying.setAttribute("visibility", "hidden");
    const last = steps[done - 1];
    if (!fly || !last || last.kind !== "edge" || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const path = shownEdges[last.edge].path, length = path.getTotalLength(), begun = performance.now();
    const move = (now) => {
      const share = Math.min(1, (now - begun) / FLIGHT), at = path.getPointAtLength(length * (1 - share));
      put(flying, { cx: at.x, cy: at.y, visibility: share < 1 ? "visible" : "hidden" });
      if (share < 1) frame = requestAnimationFrame(move);
    };
    frame = requestAnimationFrame(move);
  }

  function told(s, upTo) {
    const name = (n) => nodes[n].label, n = nodes[s.name], out = nodes[graph.output].label;
    if (s.kind === "start") return `\u2202${out}/\u2202${out} = ${short(n.grad)}: the way back starts at ${out}`;
    if (s.kind === "value") {
      const from = graph.edges.filter((e) => e.target === s.name).sort((a, b) => a.slot - b.slot).map((e) => e.source);
      const said = (words) => words.length > 1 ? words.join(` ${n.sign} `) : /[a-z]/.test(n.sign) ? `${n.sign}(${words[0]})` : `(${words[0]})${n.sign}`;
      return `${name(s.name)} = ${said(from.map(name))} = ${said(from.map((f) => short(nodes[f].value)))} = ${short(n.value)}`;
    }
    const e = graph.edges[s.edge], target = nodes[e.target];
    const { sum, missing } = arrivedAt(s.name, upTo);
    const now = missing ? ` (${short(sum)} so far)` : near(sum, n.grad) ? `; ${n.label} has ${short(n.grad)}` : `; ${n.label} has ${short(n.grad)}, not ${short(sum)}`;
    return `\u2202${out}/\u2202${target.label} \u00b7 \u2202${target.label}/\u2202${n.label} = ${short(target.grad)} \u00b7 ${short(e.slope)} = ${short(e.message)}${now}`;
  }
  function arrivedAt(name, upTo) {
    let sum = 0, missing = 0;
    steps.forEach((s, i) => {
      if (s.kind !== "edge" || s.name !== name) return;
      if (i < upTo) sum += graph.edges[s.edge].message;
      else missing += 1;
    });
    return { sum, missing };
  }

  function show() {
    const started = steps.findIndex((s) => s.kind === "start"), last = steps[done - 1], finished = done >= steps.length;
    for (const n of Object.values(nodes)) {
      const at = steps.findIndex((s) => s.kind === "value" && s.name === n.name);
      n.inside.textContent = n.given || at < done ? short(n.value, 3) : "?";
      const { sum, missing } = arrivedAt(n.name, done);
      const begun = n.name === graph.output ? done > started : steps.some((s, i) => s.kind === "edge" && s.name === n.name && i < done);
      n.above.textContent = begun ? (missing ? `${short(sum)} + \u2026` : short(n.grad)) : "";
      n.group.classList.toggle("course-now", last?.name === n.name);
      n.group.classList.toggle("course-glow", n.wrong);
      n.group.classList.toggle("course-picked", n.name === selected);
      const words = `${n.label}, value ${n.inside.textContent}, gradient ${n.above.textContent || "not there yet"}`;
      put(n.group, { "aria-label": words });
      if (n.given && !n.fixed) put(n.group, { "aria-valuenow": n.value, "aria-valuetext": words });
    }
    steps.forEach((s, i) => {
      if (i < done || s.kind === "edge") s.line.textContent = i < done ? told(s, i + 1) : "";
      s.line.parentNode.hidden = i >= done;
      s.line.toggleAttribute("aria-current", i === done - 1);
      if (s.kind !== "edge") return;
      const e = graph.edges[s.edge], { path, text } = shownEdges[s.edge];
      path.classList.toggle("course-back", i < done);
      path.classList.toggle("course-now", i === done - 1 || (last?.kind === "value" && e.target === last.name));
      path.classList.toggle("course-glow", e.wrong);
      text.textContent = (e.wrong ? "\u2717 " : "") + (done > started || e.wrong ? short(e.slope) : "");
      text.classList.toggle("course-wrong-text", e.wrong);
      s.line.classList.toggle("course-wrong-text", e.wrong);
    });
    ledger.scrollTop = ledger.scrollHeight;
    const chosen = nodes[selected];
    which.textContent = `${chosen.label} =`;
    field.setAttribute("aria-label", `value of ${chosen.label}`);
    if (document.activeElement !== field || !drag) field.value = chosen.value;
    const out = nodes[graph.output].label;
    const where = done < started ? "Forward" : done === started ? "Forward is done; each step now goes one arrow back" : "";
    const step = last ? told(last, done) : `only the inputs are known`;
    const nudge = finished ? ` Raise ${chosen.label} by 0.01, and ${out} moves by ${short(graph.moves[selected])}.` : "";
    caption.textContent = `${graph.note ? graph.note + " " : ""}${where ? where + ": " : ""}${step}.${nudge}`;
    svg.setAttribute("aria-label", caption.textContent);
    presets.forEach((p, i) => chips[i].setAttribute("aria-pressed", same(p.state, graph.state)));
  }

  function arrived() {
    waiting = false;
    graph = structuredClone(model.get("graph"));
    const now = graph.nodes.map((n) => n.name).join();
    if (now !== shape) {
      shape = now;
      build();
    } else {
      graph.nodes.forEach((n) => Object.assign(nodes[n.name], n));
    }
    go(done);
    const next = wanted;
    wanted = null;
    if (next && !same(next, graph.state)) send(next);
  }
  const look = () => root.classList.toggle("course-dark", isDark());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("change:graph", arrived);
  look();
  arrived();

  return () => {
    stop();
    cancelAnimationFrame(frame);
    theme.disconnect();
    model.off("change:graph", arrived);
  };
}

export default { render };
