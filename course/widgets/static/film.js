// The film of a diffusion: points and digits at the same t, played both ways. Python computes all
// frames beforehand; a net that trains is asked for one frame at a time, the next when one is drawn.

const SIDE = 360, SECONDS = 6;

const ints = (view) => new Int16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

function render({ model, el }) {
  const presets = model.get("presets"), shows = [];
  let scene, data, live = null, losses = [], note = "", t = 0, heading = 1, dark = isDark();
  let playing = false, training = false, waiting = false, frame = 0, last = 0, held = null;

  const set = (changes) => (model.set("state", { ...model.get("state"), ...changes }), model.save_changes());
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const button = (parent, text, run) => {
    const node = make("button", parent, { type: "button", ...KEYS }, text);
    node.onclick = run;
    return node;
  };

  // ---- presets, controls, and the player
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const wanted = (preset) => ({ ...presets[0].state, ...preset.state });
  const chips = presets.map((preset) => button(row, preset.name, () => {
    ask.textContent = preset.ask;
    halt();
    const state = wanted(preset);
    if (!scene.trains) t = state.way === "back" ? scene.T : scene.begin;
    set(state);
    wake();
  }));
  const form = make("div", root, { class: "course-controls" });
  const halted = (change) => (halt(), set(change));
  for (const control of model.get("controls")) shows.push(makeControl(form, control, halted)[1]);
  const player = make("div", root, { class: "course-controls course-walkplayer" });
  const play = button(player, "play", () => {
    if (playing) return halt();
    halt();
    heading = model.get("state").way === "forward" ? 1 : -1;
    if (heading > 0 ? t >= scene.T : t <= 0) t = heading > 0 ? 0 : scene.T;
    playing = true;
    wake();
  });
  const jump = (to) => ((playing = false), (t = clamp(Math.round(to), 0, scene.T)), wake());
  button(player, "step", () => jump(Math.round(t) + (model.get("state").way === "forward" ? 1 : -1)));
  button(player, "reset", () => jump(model.get("state").way === "forward" ? 0 : scene.T));
  const scrub = make("input", player, { type: "range", min: 0, step: 1, "aria-label": "time t", ...KEYS });
  scrub.oninput = () => jump(Number(scrub.value));
  const learn = make("span", player, { class: "course-player" });
  const train = button(learn, "train", () => {
    if (training) return halt();
    [playing, training] = [false, true];
    wake();
    more();
  });
  button(learn, "forget", () => (halt(), model.send({ do: "reset" })));

  const views = make("div", root, { class: "course-views" });
  const board = () => {
    const stage = make("div", views, { class: "course-stage" });
    const canvas = make("canvas", stage, { role: "img", style: "cursor: ew-resize; touch-action: none" });
    const ratio = clamp(devicePixelRatio || 1, 1, 2), context = ((canvas.width = canvas.height = SIDE * ratio), canvas.getContext("2d"));
    context.scale(ratio, ratio);
    return [canvas, context];
  };
  const [plane, left] = board(), [side, right] = board();
  const key = make("p", root, { "aria-hidden": "true" });
  const caption = make("p", root, { class: "course-caption" });

  // ---- what Python sent: a whole film, or one frame of a net that trains
  function receive() {
    scene = model.get("scene");
    const all = ints(model.get("arrays")), cells = scene.cells ** 2, frames = scene.T + 1;
    let from = 0;
    const take = (count) => all.subarray(from, (from += count));
    data = { points: take(frames * scene.points * 2), field: take(frames * cells * 2) };
    data.yours = scene.yours ? take(frames * cells * 2) : null;
    data.images = scene.images ? take(frames * scene.images * 64) : null;
    [live, losses, note] = [null, scene.losses.slice(), scene.note];
    scrub.max = scene.T;
    if (!scene.trains) learn.remove();
    train.disabled = !scene.yours;
    wake();
  }
  function more() {
    if (waiting || !training) return;
    waiting = true;
    model.send({ do: "train", t: Math.round(t) });
  }
  function arrived(told, buffers) {
    waiting = false;
    note = told.note;
    losses.push(...told.new);
    live = { t: told.t, points: ints(buffers[0]), yours: ints(buffers[1]) };
    wake();
    if (told.done) halt();
    else requestAnimationFrame(more); // not before this one is drawn
  }
  function halt() {
    playing = false;
    if (training) model.send({ do: "film" }); // the whole film of what was learnt
    training = false;
    wake();
  }

  // ---- drawing
  const tone = (light, other) => (dark ? other : light);
  const px = (v) => ((v / scene.unit + scene.box) / (2 * scene.box)) * SIDE;
  function arrows(field, from, colour, width) {
    const n = scene.cells, gap = SIDE / n, longest = 0.85 * gap;
    Object.assign(left, { strokeStyle: colour, lineWidth: width });
    left.beginPath();
    for (let i = 0; i < n * n; i++) {
      const x = ((i % n) + 0.5) * gap, y = (Math.floor(i / n) + 0.5) * gap;
      let u = (-field[from + 2 * i] / scene.unit) * gap * 0.42, v = (field[from + 2 * i + 1] / scene.unit) * gap * 0.42;
      const size = Math.hypot(u, v), keep = Math.min(1, longest / (size || 1));
      [u, v] = [u * keep, v * keep];
      left.moveTo(x, y);
      left.lineTo(x + u, y + v);
      if (size < 2) continue;
      left.lineTo(x + 0.72 * u - 0.16 * v, y + 0.72 * v + 0.16 * u);
      left.moveTo(x + u, y + v);
      left.lineTo(x + 0.72 * u + 0.16 * v, y + 0.72 * v - 0.16 * u);
    }
    left.stroke();
  }
  function drawPlane(now) {
    const shown = model.get("state").arrows, cells = 2 * scene.cells ** 2, fresh = live && live.t === now;
    left.clearRect(0, 0, SIDE, SIDE);
    if (shown === "exact" || shown === "both") arrows(data.field, now * cells, tone("#6a6a6a", "#9a9a9a"), 1);
    if (data.yours && shown !== "exact" && shown !== "none") arrows(live ? live.yours : data.yours, live ? 0 : now * cells, tone("#d55e00", "#e69f00"), 1.8);
    const [points, from, count] = live ? [live.points, 0, live.points.length / 2] : [data.points, now * scene.points * 2, scene.points];
    left.fillStyle = tone("#0072b2", "#56b4e9");
    left.globalAlpha = live && !fresh ? 0.4 : 0.85;
    for (let i = from; i < from + 2 * count; i += 2) left.fillRect(px(points[i]) - 1.5, SIDE - px(points[i + 1]) - 1.5, 3, 3);
    left.globalAlpha = 1;
    Object.assign(left, { strokeStyle: tone("#c8c8c8", "#4a4a4a"), lineWidth: 1 });
    left.strokeRect(0.5, 0.5, SIDE - 1, SIDE - 1);
  }
  const small = document.createElement("canvas");
  small.width = small.height = 37; // four digits of eight pixels a side, and a line between
  function drawDigits(now) {
    const c = small.getContext("2d"), image = c.createImageData(37, 37), ink = tone(34, 228);
    const paper = tone(255, 17);
    for (let i = 0; i < scene.images; i++) for (let k = 0; k < 64; k++) {
      const value = data.images[(now * scene.images + i) * 64 + k] / scene.unit; // -1 paper, 1 ink
      const share = clamp((value + 1.4) / 2.8, 0, 1), shade = paper + (ink - paper) * share;
      const x = 1 + 9 * (i % 4) + (k % 8), y = 1 + 9 * Math.floor(i / 4) + Math.floor(k / 8);
      image.data.set([shade, shade, shade, 255], 4 * (37 * y + x));
    }
    c.putImageData(image, 0, 0);
    right.clearRect(0, 0, SIDE, SIDE);
    right.imageSmoothingEnabled = false;
    right.drawImage(small, 0, 0, SIDE, SIDE);
  }
  function drawLosses() {
    const high = 1.2, X = (k) => 40 + (k / Math.max(200, losses.length)) * (SIDE - 50), Y = (v) => 24 + (1 - clamp(v, 0, high) / high) * (SIDE - 64);
    const text = (words, x, y, align = "left") => ((right.textAlign = align), right.fillText(words, x, y));
    right.clearRect(0, 0, SIDE, SIDE);
    Object.assign(right, { font: "12px system-ui, sans-serif", fillStyle: tone("#222222", "#e4e4e4"), strokeStyle: tone("#e3e3e3", "#333333"), lineWidth: 1 });
    text("loss of each step, and its mean over 50", 40, 13);
    for (const v of [0, 0.25, 0.5, 0.75, 1]) {
      right.strokeRect(40, Y(v), SIDE - 50, 0);
      text(String(v), 34, Y(v) + 4, "right");
    }
    text(`${losses.length} steps`, SIDE - 10, SIDE - 24, "right");
    right.globalAlpha = 0.35;
    right.fillStyle = tone("#d55e00", "#e69f00");
    losses.forEach((v, k) => right.fillRect(X(k), Y(v), 1.5, 1.5));
    right.globalAlpha = 1;
    Object.assign(right, { strokeStyle: tone("#d55e00", "#e69f00"), lineWidth: 2 });
    right.beginPath();
    let sum = 0;
    losses.forEach((v, k) => {
      sum += v - (k >= 50 ? losses[k - 50] : 0);
      right.lineTo(X(k), Y(sum / Math.min(50, k + 1)));
    });
    right.stroke();
    Object.assign(right, { strokeStyle: tone("#222222", "#e4e4e4"), fillStyle: tone("#222222", "#e4e4e4"), lineWidth: 1.3 });
    right.setLineDash([5, 3]);
    right.strokeRect(40, Y(scene.floor), SIDE - 50, 0);
    right.setLineDash([]);
    text(`the exact field: ${scene.floor.toFixed(3)}`, SIDE - 10, Y(scene.floor) + 16, "right");
  }
  const wake = () => (frame ||= requestAnimationFrame(show));
  function show(at) {
    frame = 0;
    if (playing) t = clamp(t + (heading * Math.min(100, at - (last || at)) * scene.T) / (1000 * SECONDS), 0, scene.T);
    last = playing ? at : 0;
    if (playing && (t <= 0 || t >= scene.T) && t === (heading > 0 ? scene.T : 0)) playing = false;
    const now = Math.round(t), state = model.get("state");
    drawPlane(now);
    scene.images ? drawDigits(now) : drawLosses();
    scrub.value = now;
    scrub.setAttribute("aria-valuetext", `t = ${now}`);
    play.textContent = playing ? "pause" : "play";
    train.textContent = training ? "pause" : losses.length ? "train on" : "train";
    const share = `t = ${now} of ${scene.T}: ${(100 * scene.share[now]).toFixed(1)}% of the variance is data. `;
    const mean = losses.slice(-50).reduce((a, b) => a + b, 0) / Math.max(1, Math.min(50, losses.length));
    const learnt = scene.trains && losses.length ? ` After ${losses.length} steps the loss is ${mean.toFixed(3)}; the exact field's is ${scene.floor.toFixed(3)}.` : "";
    const far = live ? "" : `Distance of the points from fresh data: ${Math.max(0, scene.far[now]).toFixed(3)}.`;
    caption.textContent = `${note ? note + " " : ""}${share}${far}${learnt}`.trim();
    plane.setAttribute("aria-label", `Points in the plane, with arrows towards the data. ${caption.textContent}`);
    side.setAttribute("aria-label", `${scene.images ? "Sixteen digits at the same time" : "The loss by step"}. ${caption.textContent}`);
    key.textContent = scene.trains ? "\u2192 thick, orange: the net \u00b7 \u2192 thin, grey: exact \u00b7 \u25aa where the net\u2019s arrows lead noise" : "\u2192 against the expected noise \u00b7 \u25aa points \u00b7 drag in a picture: the time";
    shows.forEach((refresh) => refresh(state));
    presets.forEach((preset, i) => chips[i].setAttribute("aria-pressed", Object.entries(wanted(preset)).every(([k, v]) => state[k] === v)));
    if (playing) wake();
  }

  // ---- the hand: a drag in either picture moves the time
  for (const node of [plane, side]) {
    node.onpointerdown = (event) => {
      held = { x: event.clientX, t };
      node.setPointerCapture(event.pointerId);
    };
    node.onpointermove = (event) => held && jump(held.t + ((event.clientX - held.x) / node.clientWidth) * scene.T);
    node.onpointerup = node.onpointercancel = () => (held = null);
  }

  const look = () => (root.classList.toggle("course-dark", (dark = isDark())), wake());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const events = { "change:arrays": receive, "change:state": wake, "msg:custom": arrived };
  for (const [event, run] of Object.entries(events)) model.on(event, run);
  receive();
  look();
  t = scene.begin; // something to be seen at once
  return () => {
    cancelAnimationFrame(frame);
    playing = training = false;
    theme.disconnect();
    for (const [event, run] of Object.entries(events)) model.off(event, run);
  };
}

export default { render };
