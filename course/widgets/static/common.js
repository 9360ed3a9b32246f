// What all widgets share: Python puts this before each of their scripts.

// Keeps JupyterLab from taking the arrow keys for itself.
const KEYS = { "data-lm-suppress-shortcuts": "true" };
const HTML = "http://www.w3.org/1999/xhtml", SVG = "http://www.w3.org/2000/svg";

function put(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
function make(tag, parent, attributes = {}, text = "", space = HTML) {
  const node = put(document.createElementNS(space, tag), attributes);
  node.textContent = text;
  return parent.appendChild(node);
}
const draw = (tag, parent, attributes = {}, text = "") => make(tag, parent, attributes, text, SVG);

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function isDark() {
  const light = document.body.dataset.jpThemeLight;
  return light ? light === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

const floats = ({ buffer, byteOffset, byteLength }) => new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
// As many digits as the control's step has.
const written = (value, step) => value.toFixed((String(step).split(".")[1] || "").length).replace("-", "\u2212");

// A slider, a choice or a seed as panel.py describes it. `set` gets what it changes, { name: value }.
// Gives the label that it stands in, and the function that lets it show a state.
function makeControl(form, { name, kind, label: said, options, low: min, high: max, step }, set) {
  const label = make("label", form, { "data-control": name });
  make("span", label, {}, said);
  if (kind === "choice") {
    const select = make("select", label, KEYS);
    for (const [value, text] of options) make("option", select, { value }, text);
    select.onchange = () => set({ [name]: select.value });
    return [label, (state) => (select.value = state[name])];
  }
  if (kind === "seed") {
    const input = make("input", label, { type: "number", min: 0, max, ...KEYS });
    input.onchange = () => set({ [name]: Number(input.value) || 0 });
    const again = make("button", label, { type: "button", ...KEYS }, "draw anew");
    again.onclick = () => set({ [name]: Math.floor(Math.random() * 1000) });
    return [label, (state) => (input.value = state[name])];
  }
  const range = make("input", label, { type: "range", min, max, step, ...KEYS }), number = make("output", label);
  range.oninput = () => set({ [name]: Number(range.value) });
  const show = (state) => {
    range.value = state[name];
    number.textContent = written(state[name], step);
    range.setAttribute("aria-valuetext", number.textContent);
  };
  return [label, show];
}
