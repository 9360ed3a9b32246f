// A photograph and what a few weights make of it. The weights are changed by hand, and the result is
// computed here, at once; Python keeps the state and brings the photograph.

const NUDGES = { ArrowUp: 0.1, ArrowRight: 0.1, ArrowDown: -0.1, ArrowLeft: -0.1, PageUp: 1, PageDown: -1 };
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const LIMIT = 99;

const short = (v, digits = 3) => String(Number(v.toPrecision(digits))).replaceAll("-", "\u2212");

function render({ model, el }) {
  const presets = model.get("presets"), yours = model.get("yours"), options = model.get("options");
  let state = model.get("state"), image, rows = 0, columns = 0, result, at = null, frame = 0, sending = 0, dark = isDark();

  // ---- the page
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const wanted = (p) => ({ ...presets[0].state, ...p.state });
  const chips = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const buttons = presets.map((p) => {
    const chip = make("button", chips, { type: "button", ...KEYS }, p.name);
    chip.onclick = () => ((ask.textContent = p.ask), change(wanted(p)));
    return [chip, () => same(wanted(p), state)];
  });
  if (yours.length) {
    const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Your kernels" });
    make("span", row, {}, "your kernel:");
    for (const k of yours) {
      const chip = make("button", row, { type: "button", ...KEYS }, k.name);
      chip.onclick = () => change({ weights: [...k.weights], shown: Math.abs(sum(k.weights)) < 1e-3 ? "signed" : "brightness" });
      buttons.push([chip, () => same(k.weights, state.weights)]);
    }
  }
  const form = make("div", root, { class: "course-controls" });
  const select = (name, label, entries) => {
    const holder = make("label", form);
    make("span", holder, {}, label);
    const node = make("select", holder, KEYS);
    for (const [value, text] of entries) make("option", node, { value }, text);
    node.onchange = () => change({ [name]: node.value });
    return node;
  };
  const which = select("photo", "photograph", options.photo.map((name) => [name, name]));
  const shown = select("shown", "show the result with", Object.entries(options.shown));
  const press = (text, run) => (make("button", form, { type: "button", ...KEYS }, text).onclick = run);
  press("turn the kernel by half a turn", () => change({ weights: [...state.weights].reverse() }));
  press("all to 0", () => change({ weights: state.weights.map(() => 0) }));

  const views = make("div", root, { class: "course-paint" });
  const board = (label) => {
    const holder = make("div", views, { class: "course-photo" });
    make("p", holder, {}, label);
    const canvas = make("canvas", holder, { role: "img", tabindex: 0, ...KEYS });
    return [canvas, canvas.getContext("2d")];
  };
  const [before, left] = board("photograph");
  const grid = make("div", views, { class: "course-kernel", role: "group", "aria-label": "weights" });
  const [after, right] = board("result");
  const told = make("p", root, { class: "course-caption course-sum" });
  let cells = [];

  // ---- weights: a vertical drag, or the keys
  function build() {
    const size = Math.sqrt(state.weights.length);
    grid.replaceChildren();
    grid.style.gridTemplateColumns = `repeat(${size}, auto)`;
    grid.classList.toggle("course-five", size === 5);
    cells = state.weights.map((_, k) => {
      const place = `row ${1 + Math.floor(k / size)}, column ${1 + (k % size)}`;
      const cell = make("div", grid, { class: "course-weight", tabindex: 0, role: "spinbutton", "aria-label": `weight in ${place}`, ...KEYS });
      let drag = null;
      cell.onpointerdown = (event) => {
        event.preventDefault();
        cell.setPointerCapture(event.pointerId);
        cell.focus({ preventScroll: true });
        drag = { y: event.clientY, from: state.weights[k] };
      };
      cell.onpointermove = (event) => drag && put(k, drag.from + Math.round((drag.y - event.clientY) / 6) / 10);
      cell.onpointerup = cell.onpointercancel = () => (drag = null);
      cell.onkeydown = (event) => {
        const by = NUDGES[event.key];
        if (by) put(k, state.weights[k] + (event.shiftKey ? 10 * by : by));
        else if (event.key === "0" || event.key === "Delete") put(k, 0);
        else return;
        event.preventDefault();
      };
      return cell;
    });
  }
  function put(k, value) {
    const weights = [...state.weights];
    weights[k] = clamp(Math.round(value * 1e6) / 1e6, -LIMIT, LIMIT);
    change({ weights });
  }
  function change(changes) {
    state = { ...state, ...changes };
    clearTimeout(sending);
    sending = setTimeout(() => (model.set("state", state), model.save_changes()), changes.photo ? 0 : 150);
    wake();
  }

  // ---- correlation; beyond its border the photograph goes on as at the border
  const sum = (weights) => weights.reduce((a, b) => a + b, 0);
  function correlate() {
    const size = Math.sqrt(state.weights.length), half = (size - 1) / 2;
    result.fill(0);
    state.weights.forEach((w, k) => {
      if (!w) return;
      const down = Math.floor(k / size) - half, across = (k % size) - half;
      for (let i = 0; i < rows; i++) {
        const from = clamp(i + down, 0, rows - 1) * columns, to = i * columns;
        const first = clamp(-across, 0, columns), last = clamp(columns - across, 0, columns);
        for (let j = 0; j < first; j++) result[to + j] += w * image[from];
        for (let j = first; j < last; j++) result[to + j] += w * image[from + j + across];
        for (let j = last; j < columns; j++) result[to + j] += w * image[from + columns - 1];
      }
    });
  }
  const tone = { signed: (v) => 0.5 + v / 2, brightness: (v) => v, size: Math.abs };
  function paint(context, values, look) {
    const picture = context.createImageData(columns, rows), data = picture.data;
    for (let k = 0; k < values.length; k++) {
      data[4 * k] = data[4 * k + 1] = data[4 * k + 2] = 255 * look(values[k]); // clamped by its type
      data[4 * k + 3] = 255;
    }
    context.putImageData(picture, 0, 0);
  }
  function frameAt(context, reach) {
    if (!at) return;
    for (const [width, colour] of [[3, "#000000"], [1.4, "#e69f00"]]) {
      Object.assign(context, { lineWidth: width, strokeStyle: colour });
      context.strokeRect(at[1] - reach - 1, at[0] - reach - 1, 2 * reach + 3, 2 * reach + 3);
    }
  }

  // ---- one frame
  const wake = () => (frame ||= requestAnimationFrame(show));
  function show() {
    frame = 0;
    if (!image) return;
    if (cells.length !== state.weights.length) build();
    correlate();
    paint(left, image, (v) => v);
    paint(right, result, tone[state.shown]);
    const size = Math.sqrt(state.weights.length), half = (size - 1) / 2;
    frameAt(left, half);
    frameAt(right, 0);
    const largest = Math.max(...state.weights.map(Math.abs), 1e-9), [plus, minus] = dark ? ["86,180,233", "230,159,0"] : ["0,114,178", "213,94,0"];
    cells.forEach((cell, k) => {
      const w = state.weights[k];
      cell.textContent = short(w, size === 5 ? 2 : 3);
      cell.style.background = `rgba(${w > 0 ? plus : minus},${(0.55 * Math.abs(w)) / largest})`;
      cell.setAttribute("aria-valuenow", w);
    });
    root.setAttribute("aria-busy", model.get("source").photo !== state.photo);
    which.value = state.photo;
    shown.value = state.shown;
    for (const [chip, on] of buttons) chip.setAttribute("aria-pressed", on());
    const said = caption(size, half);
    told.textContent = said;
    before.setAttribute("aria-label", `The photograph; arrow keys move the window. ${said}`);
    after.setAttribute("aria-label", `The result. ${said}`);
  }
  function caption(size, half) {
    const total = Math.round(1e6 * sum(state.weights)) / 1e6;
    const even = Math.abs(total) < 1e-4 ? "become 0" : Math.abs(total - 1) < 1e-4 ? "stay as they are" : `become ${short(total)} times as bright`;
    const parts = [model.get("note"), `The ${size * size} weights add up to ${short(total)}: even parts ${even}.`];
    if (at) {
      const terms = [];
      state.weights.forEach((w, k) => {
        const i = clamp(at[0] + Math.floor(k / size) - half, 0, rows - 1), j = clamp(at[1] + (k % size) - half, 0, columns - 1);
        if (w) terms.push(`${w < 0 ? "\u2212" : terms.length ? "+" : ""} ${short(image[i * columns + j], 2)}\u00b7${short(Math.abs(w), 2)}`);
      });
      const shownTerms = terms.length > 9 ? [...terms.slice(0, 8), "+ \u2026"] : terms;
      parts.push(`At row ${at[0]}, column ${at[1]}: ${shownTerms.join(" ") || "nothing"} = ${short(result[at[0] * columns + at[1]])}.`);
    } else parts.push("Point at a pixel to see its sum.");
    return parts.filter(Boolean).join(" ");
  }

  // ---- the hand on a picture: where the window is
  for (const canvas of [before, after]) {
    canvas.onpointermove = canvas.onpointerdown = ({ offsetX, offsetY }) => {
      at = [clamp(Math.floor((offsetY / canvas.clientHeight) * rows), 0, rows - 1), clamp(Math.floor((offsetX / canvas.clientWidth) * columns), 0, columns - 1)];
      wake();
    };
    canvas.onkeydown = (event) => {
      const by = MOVES[event.key];
      if (!by) return;
      event.preventDefault();
      const [i, j] = at ?? [rows >> 1, columns >> 1], far = event.shiftKey ? 10 : 1;
      at = [clamp(i + far * by[0], 0, rows - 1), clamp(j + far * by[1], 0, columns - 1)];
      wake();
    };
  }

  // ---- from Python
  function receive() {
    const bytes = model.get("image");
    [rows, columns] = model.get("source").size;
    if (bytes.byteLength !== rows * columns) return;
    image = Float32Array.from(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), (v) => v / 255);
    result = new Float32Array(rows * columns);
    for (const canvas of [before, after]) Object.assign(canvas, { width: columns, height: rows });
    at &&= [Math.min(at[0], rows - 1), Math.min(at[1], columns - 1)];
    wake();
  }
  const follow = () => ((state = model.get("state")), wake());
  const look = () => (root.classList.toggle("course-dark", (dark = isDark())), wake());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const events = { "change:image": receive, "change:source": receive, "change:state": follow };
  for (const [event, run] of Object.entries(events)) model.on(event, run);
  look();
  receive();
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(sending);
    theme.disconnect();
    for (const [event, run] of Object.entries(events)) model.off(event, run);
  };
}

export default { render };
