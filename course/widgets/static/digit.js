// A sheet of 8 by 8 pixels to draw a digit on. Python runs the student's net and sends the maps of
// one layer and what is read; this paints them.

const SIDE = 8, CELL = 27, MAP = 40, ACROSS = 8; // pixels of the page: of a sheet's pixel, of a map
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function render({ model, el }) {
  const presets = model.get("presets");
  let { pixels, layer } = model.get("state"), dark = isDark(), frame = 0, waiting = false;
  let cursor = [3, 3], pressed = 0, listed = "";

  // ---- the page
  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0].ask);
  const near = (a) => a.every((v, k) => Math.abs(v - pixels[k]) < 1e-6);
  const chips = presets.map((p) => {
    const chip = make("button", row, { type: "button", ...KEYS }, p.name);
    chip.onclick = () => ((ask.textContent = p.ask), put([...p.state.pixels]));
    return chip;
  });
  const form = make("div", root, { class: "course-controls" });
  const holder = make("label", form);
  make("span", holder, {}, "layer");
  const choice = make("select", holder, KEYS);
  choice.onchange = () => ((layer = Number(choice.value)), send());
  const press = (text, run, label = text) => {
    const node = make("button", form, { type: "button", "aria-label": label, ...KEYS }, text);
    node.onclick = run;
    return node;
  };
  const erase = press("erase", () => (erase.setAttribute("aria-pressed", erase.getAttribute("aria-pressed") !== "true"), wake()));
  erase.setAttribute("aria-pressed", "false");
  press("clear", () => put(pixels.map(() => 0)));
  for (const [arrow, by, name] of [["\u2190", [0, 1], "left"], ["\u2192", [0, -1], "right"], ["\u2191", [1, 0], "up"], ["\u2193", [-1, 0], "down"]]) {
    press(arrow, () => put(pixels.map((_, k) => at(Math.floor(k / SIDE) + by[0], (k % SIDE) + by[1]))), `shift ${name}`);
  }
  const views = make("div", root, { class: "course-sheet" });
  const part = (label) => {
    const box = make("div", views);
    make("p", box, {}, label);
    return box;
  };
  const sheet = make("canvas", part("draw here"), { class: "course-draw", tabindex: 0, role: "application", ...KEYS });
  const maps = make("canvas", part("feature maps: blue above 0, orange below"), { class: "course-maps", role: "img" });
  const read = make("div", part("read as"), { class: "course-read" });
  const bars = Array.from({ length: 10 }, (_, digit) => [make("span", read, {}, String(digit)), make("i", read), make("span", read)]);
  const caption = make("p", root, { class: "course-caption", "aria-live": "polite" });
  const ratio = clamp(devicePixelRatio || 1, 1, 2);
  sheet.width = sheet.height = SIDE * CELL * ratio;

  // ---- pixels
  const at = (i, j) => (i < 0 || j < 0 || i >= SIDE || j >= SIDE ? 0 : pixels[i * SIDE + j]);
  function put(now) {
    pixels = now.map((v) => Math.round(1e3 * clamp(v, 0, 1)) / 1e3);
    wake();
    send();
  }
  // A stroke some two pixels wide: full in the middle, fainter to the side, as in the data.
  function stroke(x, y) {
    const wipe = erase.getAttribute("aria-pressed") === "true" || pressed === 2;
    put(pixels.map((v, k) => {
      const ink = clamp(1.3 - Math.hypot((k % SIDE) + 0.5 - x, Math.floor(k / SIDE) + 0.5 - y), 0, 1);
      return wipe ? Math.min(v, 1 - ink) : Math.max(v, ink);
    }));
  }
  // One state is on its way at a time; what it came to says which it was.
  function send() {
    const behind = JSON.stringify(model.get("seen").state) !== JSON.stringify({ pixels, layer });
    root.setAttribute("aria-busy", behind);
    if (waiting || !behind) return;
    waiting = true;
    model.set("state", { pixels, layer });
    model.save_changes();
  }

  // ---- the hand
  const place = ({ offsetX, offsetY }) => [(offsetX / sheet.clientWidth) * SIDE, (offsetY / sheet.clientHeight) * SIDE];
  sheet.onpointerdown = (event) => {
    event.preventDefault();
    sheet.focus({ preventScroll: true });
    sheet.setPointerCapture(event.pointerId);
    pressed = event.button === 2 ? 2 : 1;
    stroke(...place(event));
  };
  sheet.onpointermove = (event) => pressed && (event.getCoalescedEvents?.() ?? [event]).forEach((e) => stroke(...place(e)));
  sheet.onpointerup = sheet.onpointercancel = () => (pressed = 0);
  sheet.oncontextmenu = (event) => event.preventDefault();
  sheet.onkeydown = (event) => {
    const by = MOVES[event.key], k = cursor[0] * SIDE + cursor[1];
    if (by) cursor = [clamp(cursor[0] + by[0], 0, SIDE - 1), clamp(cursor[1] + by[1], 0, SIDE - 1)];
    else if (event.key === " ") put(pixels.map((v, n) => (n === k ? (v >= 1 ? 0 : Math.min(1, v + 0.5)) : v)));
    else if (event.key === "Delete" || event.key === "Backspace") put(pixels.map((v, n) => (n === k ? 0 : v)));
    else return;
    event.preventDefault();
    wake();
  };
  sheet.onfocus = sheet.onblur = () => wake();

  // ---- one frame
  const wake = () => (frame ||= requestAnimationFrame(show));
  function show() {
    frame = 0;
    const context = sheet.getContext("2d"), ink = dark ? 228 : 34, paper = dark ? 17 : 255;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    pixels.forEach((v, k) => {
      const grey = Math.round(paper + (ink - paper) * v);
      context.fillStyle = `rgb(${grey},${grey},${grey})`;
      context.fillRect((k % SIDE) * CELL, Math.floor(k / SIDE) * CELL, CELL, CELL);
    });
    if (document.activeElement === sheet) {
      Object.assign(context, { lineWidth: 2, strokeStyle: dark ? "#e69f00" : "#d55e00" });
      context.strokeRect(cursor[1] * CELL + 1, cursor[0] * CELL + 1, CELL - 2, CELL - 2);
    }
    const seen = model.get("seen");
    paintMaps(seen);
    const best = Math.max(...seen.p);
    read.parentNode.hidden = !seen.p.length;
    bars.forEach(([digit, bar, share], k) => {
      const p = seen.p[k] ?? 0;
      bar.style.width = `${80 * p}px`;
      share.textContent = `${(100 * p).toFixed(p > 0.0995 ? 0 : 1)} %`;
      for (const node of [digit, share]) node.classList.toggle("course-best", p === best);
    });
    if (seen.layers.join() !== listed) {
      listed = seen.layers.join();
      choice.replaceChildren();
      seen.layers.forEach((name, k) => make("option", choice, { value: k }, name));
    }
    holder.hidden = !seen.layers.length;
    choice.value = seen.layer;
    caption.textContent = seen.caption;
    sheet.setAttribute("aria-label", `Sheet of 8 by 8 pixels; arrow keys move, space draws. At row ${cursor[0]}, column ${cursor[1]}: ${at(...cursor)}. ${seen.caption}`);
    maps.setAttribute("aria-label", `Feature maps. ${seen.caption}`);
    presets.forEach((p, k) => chips[k].setAttribute("aria-pressed", near(p.state.pixels)));
  }
  function paintMaps({ shape: [count, height, width] }) {
    maps.parentNode.hidden = !count;
    if (!count) return;
    const values = floats(model.get("maps"));
    if (values.length !== count * height * width) return;
    const rows = Math.ceil(count / ACROSS), gap = 4, wide = ACROSS * (MAP + gap), tall = rows * (MAP + gap);
    if (maps.width !== wide * ratio || maps.height !== tall * ratio) {
      Object.assign(maps, { width: wide * ratio, height: tall * ratio });
      maps.style.width = `${wide}px`;
    }
    const context = maps.getContext("2d"), reach = values.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-9);
    const edge = (place, count) => Math.round((place * MAP) / count);
    const [plus, minus] = dark ? ["86,180,233", "230,159,0"] : ["0,114,178", "213,94,0"];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, tall);
    for (let c = 0; c < count; c++) {
      const left = (c % ACROSS) * (MAP + gap), top = Math.floor(c / ACROSS) * (MAP + gap);
      for (let k = 0; k < height * width; k++) {
        const v = values[c * height * width + k];
        context.fillStyle = `rgba(${v > 0 ? plus : minus},${Math.abs(v) / reach})`;
        const x = edge(k % width, width), y = edge(Math.floor(k / width), height); // whole pixels: no seams
        context.fillRect(left + x, top + y, edge((k % width) + 1, width) - x, edge(Math.floor(k / width) + 1, height) - y);
      }
      context.strokeStyle = dark ? "#4a4a4a" : "#c8c8c8";
      context.strokeRect(left + 0.5, top + 0.5, MAP - 1, MAP - 1);
    }
  }

  // ---- from Python
  const receive = () => ((waiting = false), send(), wake());
  const follow = () => {
    if (!waiting) ({ pixels, layer } = model.get("state"));
    wake();
  };
  const look = () => (root.classList.toggle("course-dark", (dark = isDark())), wake());
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const events = { "change:seen": receive, "change:maps": wake, "change:state": follow };
  for (const [event, run] of Object.entries(events)) model.on(event, run);
  look();
  return () => {
    cancelAnimationFrame(frame);
    theme.disconnect();
    for (const [event, run] of Object.entries(events)) model.off(event, run);
  };
}

export default { render };
