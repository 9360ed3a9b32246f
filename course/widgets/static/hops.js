// Messages on a graph, layer by layer. Python computes all layers; this steps, plays, lets dots
// travel along the edges that matter to the chosen node, and shows how much came from how far.

const WIDTH = 780, HEIGHT = 350, BOX = [34, 40, 470, 306], BARS = [556, 62, 26], PAUSE = 1500, FLIGHT = 900;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function render({ model, el }) {
  const presets = model.get("presets");
  let scene, state = model.get("state"), step = 0, timer = 0, frame = 0, drawn = null, nodes = [], links = [], flying = [];

  // ---- the page
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const chips = presets.map((preset) => {
    const chip = make("button", row, { type: "button", ...KEYS }, preset.name);
    chip.onclick = () => {
      ask.textContent = preset.ask;
      stop();
      step = 0;
      set(preset.state);
    };
    return chip;
  });
  const form = make("div", root, { class: "course-controls" });
  const choice = make("label", form);
  make("span", choice, {}, "aggregator");
  const select = make("select", choice, KEYS);
  for (const [value, text] of model.get("hows")) make("option", select, { value }, text);
  select.onchange = () => set({ how: select.value });
  const many = make("label", form);
  make("span", many, {}, "layers");
  const range = make("input", many, { type: "range", min: 1, max: 6, step: 1, ...KEYS });
  const count = make("output", many);
  range.oninput = () => (stop(), set({ layers: Number(range.value) }));
  const player = make("span", form, { class: "course-player" });
  const button = (text, run) => {
    const made = make("button", player, { type: "button", ...KEYS }, text);
    made.onclick = run;
    return made;
  };
  const play = button("play", () => {
    if (timer) return stop();
    if (step >= state.layers) go(0);
    play.textContent = "pause";
    tick();
  });
  button("back", () => (stop(), go(step - 1)));
  button("step", () => (stop(), go(step + 1, true)));
  button("reset", () => (stop(), go(0)));

  const svg = draw("svg", root, { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "course-network", tabindex: 0, role: "group", ...KEYS });
  const tip = draw("marker", draw("defs", svg), { id: `tip-${Math.random().toString(36).slice(2)}`, viewBox: "0 0 8 8",
    refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" });
  draw("path", tip, { d: "M0 0L8 4L0 8z", class: "course-linktip" });
  const heading = draw("text", svg, { x: 4, y: 16, class: "course-heading" });
  const network = draw("g", svg), dots = draw("g", svg);
  const side = draw("text", svg, { x: BARS[0] - 56, y: 16, class: "course-heading" });
  const bars = Array.from({ length: 7 }, (_, hop) => {
    const y = BARS[1] + hop * BARS[2], group = draw("g", svg, { class: "course-hop" });
    draw("rect", group, { x: BARS[0] - 60, y: y - 14, width: 284, height: BARS[2] - 2, fill: "transparent" });
    draw("text", group, { x: BARS[0] - 56, y: y + 1, class: "course-left" }, hop === 0 ? "itself" : hop === 1 ? "1 hop" : `${hop} hops`);
    const bar = draw("rect", group, { x: BARS[0], y: y - 11, height: 16, class: "course-bar" });
    const text = draw("text", group, { y: y + 1, class: "course-left" });
    group.onpointerenter = () => glow(hop, true);
    group.onpointerleave = () => glow(hop, false);
    return { group, bar, text };
  });
  const caption = make("p", root, { class: "course-caption", "aria-live": "polite" });

  function set(changes) {
    state = { ...state, ...changes };
    model.set("state", state);
    model.save_changes();
    if (scene.graph === state.graph && scene.how === state.how) go(step);
  }

  // ---- a graph: drawn once
  function build() {
    network.replaceChildren();
    const small = scene.at.length <= 12, r = small ? 15 : 10.5;
    const [left, top, right, bottom] = BOX;
    const at = scene.at.map(([x, y]) => [left + x * (right - left), bottom - y * (bottom - top)]);
    const known = new Set(scene.edges.map(String));
    links = scene.edges.map(([s, t]) => {
      const [[x0, y0], [x1, y1]] = [at[s], at[t]], length = Math.hypot(x1 - x0, y1 - y0);
      const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length], gap = r + 3;
      const ends = { x0: x0 + gap * ux, y0: y0 + gap * uy, x1: x1 - gap * ux, y1: y1 - gap * uy };
      const twin = known.has(String([t, s]));
      const line = twin && s > t ? null : draw("path", network, { d: `M${ends.x0} ${ends.y0}L${ends.x1} ${ends.y1}`, class: "course-link" });
      if (line && !twin) put(line, { "marker-end": `url(#${tip.id})` });
      return { s, t, ...ends, line };
    });
    for (const link of links) link.line ??= links.find((other) => other.s === link.t && other.t === link.s).line;
    nodes = at.map(([x, y], i) => {
      const group = draw("g", network, { class: "course-member", transform: `translate(${x} ${y})` });
      const halo = draw("circle", group, { r: r + 5, class: "course-halo" });
      // A circle for a positive number, a square for a negative one.
      const shape = (name) => draw("rect", group, { x: -r, y: -r, width: 2 * r, height: 2 * r, class: name });
      const back = shape("course-back"), fill = shape("");
      const ring = draw("rect", group, { x: -r - 4, y: -r - 4, width: 2 * r + 8, height: 2 * r + 8, class: "course-ring" });
      draw("text", group, { y: 4, class: "course-tag" }, String(i));
      const value = draw("text", group, { y: r + 14, class: "course-value" });
      const cross = draw("text", group, { y: 7, class: "course-cross" });
      group.onclick = () => choose(i);
      return { x, y, r, small, group, halo, back, fill, ring, value, cross };
    });
    drawn = scene.graph;
  }
  const choose = (node) => set({ node });
  function glow(hop, on) {
    bars[hop].group.classList.toggle("course-on", on);
    nodes.forEach((n, i) => n.halo.classList.toggle("course-on", on && scene.far[state.node][i] === hop));
  }
  svg.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      stop();
      return step >= state.layers ? go(0) : go(step + 1, true);
    }
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    // The nearest node more or less that way.
    const from = nodes[state.node];
    let best = -1, least = Infinity;
    nodes.forEach((n, i) => {
      const along = (n.x - from.x) * way[0] + (n.y - from.y) * way[1];
      const aside = Math.abs((n.x - from.x) * way[1]) + Math.abs((n.y - from.y) * way[0]);
      if (2 * along > aside && along > 1 && along + aside < least) [best, least] = [i, along + aside];
    });
    if (best >= 0) choose(best);
  };

  // ---- steps
  function stop() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "play";
  }
  function tick() {
    if (step >= state.layers) return stop();
    go(step + 1, true);
    timer = setTimeout(tick, PAUSE);
  }
  // What is said in layer t still reaches the chosen node if its hearer is near enough for the layers left.
  const matters = ({ t }, layer) => {
    const far = scene.far[state.node][t];
    return far >= 0 && far <= state.layers - layer;
  };
  function go(to, fly = false) {
    const next = clamp(to, 0, state.layers), moves = fly && next === step + 1 && !calm();
    step = next;
    cancelAnimationFrame(frame);
    dots.replaceChildren();
    flying = [];
    if (!moves) return show(step);
    show(step - 1, step); // the numbers change when the messages are there
    flying = links.filter((link) => matters(link, step)).map((link) => ({ ...link, dot: draw("circle", dots, { r: 4.5, class: "course-message" }) }));
    const begun = performance.now();
    const move = (now) => {
      const share = clamp((now - begun) / FLIGHT, 0, 1), eased = share * share * (3 - 2 * share);
      for (const { dot, x0, y0, x1, y1 } of flying) put(dot, { cx: x0 + eased * (x1 - x0), cy: y0 + eased * (y1 - y0) });
      if (share < 1) return void (frame = requestAnimationFrame(move));
      dots.replaceChildren();
      show(step);
    };
    move(begun);
  }

  // ---- the picture after layer t; with the edges of the layer that is on its way
  function show(t, layer = t) {
    if (drawn !== scene.graph) build();
    const values = scene.values[t], chosen = state.node;
    const largest = Math.max(...values.map((v) => Math.abs(v ?? 0))) || 1;
    nodes.forEach((n, i) => {
      const v = values[i], rx = v !== null && v < 0 ? 3 : n.r;
      for (const shape of [n.back, n.fill]) put(shape, { rx });
      put(n.ring, { rx: rx + 4, visibility: i === chosen ? "visible" : "hidden" });
      put(n.fill, { class: v < 0 ? "course-minus" : "course-plus", "fill-opacity": 0.9 * Math.sqrt(Math.abs(v ?? 0) / largest) });
      n.value.textContent = n.small || i === chosen ? scene.written[t][i] : "";
      put(n.value, { y: n.r + (i === chosen ? 19 : 14) });
      n.cross.textContent = scene.wrong[t][i] ? "\u2717" : "";
    });
    for (const { line } of links) line.classList.remove("course-active");
    if (layer > 0) for (const link of links) if (matters(link, layer)) link.line.classList.add("course-active");
    heading.textContent = layer > t ? `layer ${layer} of ${state.layers}: messages on their way` : t ? `after layer ${t} of ${state.layers}` : "before the first layer";
    side.textContent = `where node ${chosen}'s number comes from`;
    bars.forEach(({ group, bar, text }, hop) => {
      const share = scene.shares[t][chosen][hop], there = scene.far[chosen].filter((far) => far === hop).length;
      put(bar, { width: 120 * share });
      put(text, { x: BARS[0] + 120 * share + 6 });
      const who = there === 1 ? "1 node" : `${there} nodes`;
      text.textContent = there ? `${Math.round(100 * share)} %, ${who}` : "";
      put(group, { opacity: there ? 1 : 0.35 });
    });
    select.value = state.how;
    range.value = state.layers;
    count.textContent = String(state.layers);
    caption.textContent = [scene.note, scene.told[t][chosen]].filter(Boolean).join(" ");
    put(svg, { "aria-label": `${caption.textContent} Arrow keys choose a node, Enter steps.` });
    presets.forEach((preset, i) => chips[i].setAttribute("aria-pressed", Object.entries(preset.state).every(([k, v]) => state[k] === v)));
  }

  function arrived() {
    scene = model.get("scene");
    state = model.get("state");
    go(Math.min(step, state.layers));
  }
  const look = () => root.classList.toggle("course-dark", isDark());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("change:scene", arrived);
  look();
  arrived();

  return () => {
    stop();
    cancelAnimationFrame(frame);
    theme.disconnect();
    model.off("change:scene", arrived);
  };
}

export default { render };
