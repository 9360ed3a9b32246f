// Controls, one picture, one sentence. Python computes and draws; this only shows and asks.

// The picture stands in its address, which the page reads 5 ms sooner than one that names a blob.
function pngAddress({ buffer, byteOffset, byteLength }) {
  const most = 32768; // as many arguments as a call takes
  let text = "";
  for (let done = 0; done < byteLength; done += most) {
    const part = new Uint8Array(buffer, byteOffset + done, Math.min(most, byteLength - done));
    text += String.fromCharCode(...part);
  }
  return `data:image/png;base64,${btoa(text)}`;
}

function render({ model, el }) {
  const cleanups = [];
  const on = (target, event, run) => {
    target.addEventListener(event, run);
    cleanups.push(() => target.removeEventListener(event, run));
  };
  const listen = (event, run) => {
    model.on(event, run);
    cleanups.push(() => model.off(event, run));
  };
  const set = (changes) => {
    model.set("state", { ...model.get("state"), ...changes });
    model.save_changes();
  };

  const root = make("section", el, { class: "course-panel", "aria-label": model.get("title") });
  make("div", root, { class: "course-title" }, model.get("title"));

  // Presets, and the question that goes with the one chosen last.
  const presets = model.get("presets");
  const row = make("div", root, { class: "course-presets", role: "group", "aria-label": "Presets" });
  const ask = make("p", root, { class: "course-ask" }, presets[0]?.ask ?? "");
  const chips = presets.map((preset) => {
    const chip = make("button", row, { type: "button", ...KEYS }, preset.name);
    on(chip, "click", () => {
      stop();
      ask.textContent = preset.ask;
      const fresh = Object.fromEntries(model.get("controls").map((c) => [c.name, c.value]));
      set({ ...fresh, ...presets[0].state, ...preset.state });
    });
    return chip;
  });

  // Controls, and for each a function that shows the state.
  const form = make("div", root, { class: "course-controls" });
  const shows = [];
  let timer = null;
  let stop = () => {};
  for (const control of model.get("controls")) {
    const [label, show] = makeControl(form, control, set);
    shows.push(show);
    if (control.play) addPlayer(control, label);
    if (control.when) {
      const [name, values] = control.when;
      shows.push((state) => (label.hidden = !values.includes(state[name])));
    }
  }

  function addPlayer(control, label) {
    const box = make("span", label, { class: "course-player" });
    const play = make("button", box, { type: "button", ...KEYS }, "play");
    const step = make("button", box, { type: "button", ...KEYS }, "step");
    const reset = make("button", box, { type: "button", ...KEYS }, "reset");
    const move = (by) => {
      const next = model.get("state")[control.name] + by;
      if (next > control.high) return stop();
      set({ [control.name]: next });
    };
    stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "play";
    };
    on(play, "click", () => {
      if (timer) return stop();
      if (model.get("state")[control.name] >= control.high) set({ [control.name]: control.low });
      timer = setInterval(() => move(control.step), control.play);
      play.textContent = "pause";
    });
    on(step, "click", () => (stop(), move(control.step)));
    on(reset, "click", () => (stop(), set({ [control.name]: control.low })));
    cleanups.push(stop);
  }

  // The picture, which may be dragged in, and the sentence, which is also its text alternative.
  const image = make("img", root, { class: "course-picture", draggable: "false" });
  const caption = make("p", root, { class: "course-caption", "aria-live": "polite" });

  let held = null;
  const at = (event) => {
    const { left, top, width, height } = image.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  };
  const drag = (event) => {
    const [u, v] = at(event);
    const [left, top, right, bottom] = held.box;
    const share = { x: (u - left) / (right - left), y: (bottom - v) / (bottom - top) };
    const changes = {};
    for (const axis of ["x", "y"]) {
      const control = model.get("controls").find((c) => c.name === held.names[axis]);
      if (!control) continue;
      const [low, high] = held[axis];
      const value = low + Math.min(1, Math.max(0, share[axis])) * (high - low);
      const snapped = Math.round(value / control.step) * control.step;
      changes[control.name] = Math.min(control.high, Math.max(control.low, snapped));
    }
    set(changes);
  };
  on(image, "pointerdown", (event) => {
    const [u, v] = at(event);
    held = model.get("geometry").handles.find(({ box: [left, top, right, bottom] }) =>
      u >= left && u <= right && v >= top && v <= bottom);
    if (!held) return;
    event.preventDefault();
    image.setPointerCapture(event.pointerId);
    drag(event);
  });
  on(image, "pointermove", (event) => held && drag(event));
  on(image, "pointerup", () => (held = null));
  on(image, "pointercancel", () => (held = null));

  const showPicture = () => (image.src = pngAddress(model.get("picture")));
  const showCaption = () => (caption.textContent = image.alt = model.get("caption"));
  const showGeometry = () => {
    const { size, handles } = model.get("geometry");
    [image.width, image.height] = size;
    image.style.touchAction = handles.length ? "pan-y" : "auto";
    image.style.cursor = handles.length ? "grab" : "auto";
  };
  const showState = () => {
    const state = model.get("state");
    for (const show of shows) show(state);
    presets.forEach((preset, i) => {
      const here = { ...presets[0].state, ...preset.state };
      const chosen = Object.entries(here).every(([name, value]) => state[name] === value);
      chips[i].setAttribute("aria-pressed", chosen);
    });
  };
  listen("change:picture", showPicture);
  listen("change:caption", showCaption);
  listen("change:geometry", showGeometry);
  listen("change:state", showState);
  showGeometry();
  showPicture();
  showCaption();
  showState();

  // Tell Python how it is looked at: theme, room, and pixels per CSS pixel.
  const look = () => {
    const view = { dark: isDark(), narrow: el.clientWidth > 0 && el.clientWidth < 560,
                   ratio: Math.min(2, devicePixelRatio || 1) };
    root.classList.toggle("course-dark", view.dark);
    if (JSON.stringify(view) === JSON.stringify(model.get("view"))) return;
    model.set("view", view);
    model.save_changes();
  };
  const theme = new MutationObserver(look);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const room = new ResizeObserver(look);
  room.observe(el);
  look();

  return () => {
    cleanups.forEach((run) => run());
    theme.disconnect();
    room.disconnect();
  };
}

export default { render };
