// The playground: gradient descent on the book's problem, computed in the page.
// The loss of a cubic is w·Gw - 2 w·r + s, where G is the 4x4 Gram matrix of
// the powers of x, and r and s hold their products with y. So a step costs
// sixteen multiplications, whatever the number of points.

const POINTS = 2000;
const POWERS = [0, 1, 2, 3];
const START = { a: -0.5, b: 0.25, c: 0.125, d: -0.0625 };
const SETTINGS = { ...START, lr: 1e-6, momentum: 0, steps: 2000 };

const x = Array.from(
  { length: POINTS }, (_, i) => -Math.PI + (2 * Math.PI * i) / (POINTS - 1));
const y = x.map(Math.sin);
const sum = (term) => x.reduce((total, value, i) => total + term(value, y[i]), 0);
const dot = (u, v) => u.reduce((total, value, i) => total + value * v[i], 0);
const times = (matrix, v) => matrix.map((row) => dot(row, v));

const G = POWERS.map((j) => POWERS.map((k) => sum((x) => x ** (j + k))));
const r = POWERS.map((k) => sum((x, y) => y * x ** k));
const s = sum((x, y) => y * y);

function loss(w) {
  return dot(w, times(G, w)) - 2 * dot(w, r) + s;
}

// The losses before each step, and the weights after the last, as PyTorch's
// SGD makes them.
function descend({ a, b, c, d, lr, momentum, steps }) {
  let w = [a, b, c, d];
  let velocity = [0, 0, 0, 0];
  const losses = [];
  for (let t = 0; t < steps; t += 1) {
    losses.push(loss(w));
    const gradient = times(G, w).map((value, k) => 2 * (value - r[k]));
    velocity = velocity.map((value, k) => momentum * value + gradient[k]);
    w = w.map((value, k) => value - lr * velocity[k]);
  }
  return { losses, w };
}

// Solve Gw = r by elimination: G is symmetric and positive, so no pivots.
function best() {
  const rows = G.map((row, k) => [...row, r[k]]);
  for (const j of POWERS) {
    for (const k of POWERS.filter((k) => k !== j)) {
      const factor = rows[k][j] / rows[j][j];
      rows[k] = rows[k].map((value, i) => value - factor * rows[j][i]);
    }
  }
  return rows.map((row, k) => row[4] / row[k]);
}

// The Hessian is 2G; its largest eigenvalue, by the power method.
function stableRate(momentum) {
  let v = [1, 1, 1, 1];
  let size = 1;
  for (let i = 0; i < 200; i += 1) {
    v = times(G, v);
    size = Math.hypot(...v);
    v = v.map((value) => value / size);
  }
  return (2 * (1 + momentum)) / (2 * size);
}

const FLOOR = loss(best());

// What a reader is told about a run.
function verdict(settings, losses) {
  const first = losses[0];
  const last = losses.at(-1);
  const blown = losses.findIndex((value) => !(value < 1e3 * Math.max(first, 1)));
  if (blown > 0) return `Diverged: past a thousand times the first loss at step ${blown}.`;
  const told = `Loss ${last.toFixed(4)} before the last of ${losses.length} steps, `
    + `${(last - FLOOR).toFixed(4)} above the floor.`;
  return settings.lr > stableRate(settings.momentum)
    ? `${told} Past the largest stable rate: it will diverge.` : told;
}

// An SVG path through points, in a box of 300 by 180, cut off at its edges.
function path(values, low, high) {
  const point = (value, i) => {
    const up = (Math.min(Math.max(value, low), high) - low) / (high - low);
    const across = (300 * i) / Math.max(values.length - 1, 1);
    return `${across.toFixed(1)} ${(180 - 180 * up).toFixed(1)}`;
  };
  return `M${values.map(point).join("L")}`;
}

const every = (values, n) => values.filter((_, i) => i % Math.ceil(values.length / n) === 0);

// ---- The page ----

const form = document.getElementById("descent");
const settings = { ...SETTINGS };
const byId = (id) => document.getElementById(`play-${id}`);

// The slider of the learning rate moves its exponent.
const shown = (name) => (name === "lr" ? Math.log10(settings.lr) : settings[name]);
const taken = (name, value) => (name === "lr"
  ? Number((10 ** value).toPrecision(3)) : Number(value));

function draw() {
  const { losses, w } = descend(settings);
  const curve = every(x, 200).map((x) => dot(w, POWERS.map((k) => x ** k)));
  const logs = every(losses, 600).map((value) => (value > 0 ? Math.log10(value) : 9));
  byId("sine").setAttribute("d", path(every(y, 200), -2, 2));
  byId("curve").setAttribute("d", path(curve.map((v) => (v === v ? v : 9)), -2, 2));
  byId("losses").setAttribute("d", path(logs, 0, 4));
  byId("floor").setAttribute("d", path([FLOOR, FLOOR].map(Math.log10), 0, 4));
  byId("limit").textContent = stableRate(settings.momentum).toExponential(3);
  byId("verdict").textContent = verdict(settings, losses);
  byId("weights").textContent = w.map((v) => (Number.isFinite(v) ? v.toPrecision(5) : "∞")).join(", ");
  for (const name of Object.keys(SETTINGS)) {
    form.elements[name].value = shown(name);
    byId(name).textContent = name === "lr" ? settings.lr.toExponential() : settings[name];
  }
  const parts = Object.entries(settings).filter(([name, value]) => value !== SETTINGS[name]);
  const address = new URLSearchParams(parts).toString();
  history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
}

// Settings from the address; what is no number in its range is left alone.
function read() {
  Object.assign(settings, SETTINGS);
  for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
    const { min, max } = form.elements[name] || {};
    const value = Number(text);
    const place = name === "lr" ? Math.log10(value) : value;
    if (name in SETTINGS && text.trim() && place >= min && place <= max) settings[name] = value;
  }
  settings.steps = Math.round(settings.steps);
  draw();
}

if (form) {
  form.addEventListener("input", ({ target }) => {
    settings[target.name] = taken(target.name, target.value);
    draw();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    Object.assign(settings, SETTINGS);
    draw();
  });
  addEventListener("hashchange", read);
  read();
}
