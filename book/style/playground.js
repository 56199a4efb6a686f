// The playground: gradient descent on the book's problem, computed in the page.
// The loss of a cubic is w·Gw - 2 w·r + s, where G is the 4x4 Gram matrix of
// the powers of x, and r and s hold their products with y. So a step costs
// sixteen multiplications, whatever the number of points.

const POINTS = 2000;
const POWERS = [0, 1, 2, 3];
const START = { a: -0.5, b: 0.25, c: 0.125, d: -0.0625 };
const SETTINGS = { ...START, lr: 1e-6, momentum: 0, steps: 2000 }; // the book's

const x = Array.from({ length: POINTS }, (_, i) => -Math.PI + (2 * Math.PI * i) / (POINTS - 1));
const y = x.map(Math.sin);
const sum = (term) => x.reduce((total, value, i) => total + term(value, y[i]), 0);
const dot = (u, v) => u.reduce((total, value, i) => total + value * v[i], 0);
const times = (matrix, v) => matrix.map((row) => dot(row, v));

const G = POWERS.map((j) => POWERS.map((k) => sum((x) => x ** (j + k))));
const r = POWERS.map((k) => sum((x, y) => y * x ** k));
const s = sum((x, y) => y * y);
const loss = (w) => dot(w, times(G, w)) - 2 * dot(w, r) + s;

// The losses before each step, and the weights there and after the last.
function descend({ a, b, c, d, lr, momentum, steps }) {
  let w = [a, b, c, d];
  let velocity = [0, 0, 0, 0];
  const [losses, weights] = [[], [w]];
  for (let t = 0; t < steps; t += 1) {
    losses.push(loss(w));
    const gradient = times(G, w).map((value, k) => 2 * (value - r[k]));
    velocity = velocity.map((value, k) => momentum * value + gradient[k]);
    w = w.map((value, k) => value - lr * velocity[k]);
    weights.push(w);
  }
  return { losses, weights };
}

// The axes of the bowl, the eigenvectors of its Hessian, the steepest first.
// The points lie evenly about 0, so an even and an odd power share no product:
// an axis lies in the plane of 1 and x^2, or in that of x and x^3.
const AXES = [[0, 2], [1, 3]].flatMap(([j, k]) => {
  const angle = Math.atan2(2 * G[j][k], G[j][j] - G[k][k]) / 2;
  return [angle, angle + Math.PI / 2].map((turn) => {
    const axis = POWERS.map((i) => (i === j) * Math.cos(turn) + (i === k) * Math.sin(turn));
    return { curvature: 2 * dot(axis, times(G, axis)), axis };
  });
}).sort((u, v) => v.curvature - u.curvature);
const BEST = POWERS.map((k) => AXES.reduce(
  (total, { curvature, axis }) => total + (axis[k] * 2 * dot(axis, r)) / curvature, 0));
const FLOOR = loss(BEST);

// Each axis' share of the loss above the floor: no axis knows of the others.
function modes({ a, b, c, d, lr, momentum, steps }) {
  const away = [a, b, c, d].map((value, k) => value - BEST[k]);
  return AXES.map(({ curvature, axis }) => {
    let [distance, velocity] = [dot(axis, away), 0];
    return Array.from({ length: steps }, () => {
      const share = (curvature / 2) * distance ** 2;
      velocity = momentum * velocity + curvature * distance;
      distance -= lr * velocity;
      return share;
    });
  });
}

const stableRate = (momentum) => (2 * (1 + momentum)) / AXES[0].curvature;
const fixed = (value) => (Number(value.toFixed(4)) + 0).toFixed(4); // no minus zero

// A distance is a factor times the last one, less momentum times the one before:
// it stays on its side if both roots of that rule are real and positive.
function swings({ lr, momentum }) {
  const factor = 1 + momentum - lr * AXES[0].curvature; // on the steepest axis
  return factor < 0 || factor ** 2 < 4 * momentum;
}

// What a reader is told about a run.
function verdict({ lr, momentum, steps }, losses) {
  const [last, left] = [losses.at(-1), losses.at(-1) - FLOOR];
  if (lr > stableRate(momentum)) {
    const blown = losses.findIndex((value) => !(value < 1e3 * losses[0]));
    return blown < 0 ? `Past the limit: it will diverge, though not yet at step ${steps - 1}.`
      : "Diverges: along the steepest axis each step leaps over the bottom, and further. "
        + `At step ${blown} the loss is past a thousand times the first.`;
  }
  const above = `${fixed(left)} above the floor`;
  const there = `at step ${steps - 1} the loss is ${fixed(last)}`;
  if (momentum === 1) return `Swings without end: ${there}.`;
  if (last >= losses[0] && left >= 1e-3) return `Not down yet: ${there}, still ${above}.`;
  const way = swings({ lr, momentum }) && "Swings and comes down";
  if (left >= 1e-3) return `${way || "Comes down"}: ${there}, still ${above}.`;
  const arrived = losses.findIndex((value) => value - FLOOR < 1e-3);
  return `${way || "Arrives"}: within 0.001 of the floor at step ${arrived}.`;
}

// ---- Pictures ----

const [WIDTH, HEIGHT, FAR] = [3000, 1800, 1e6]; // far outside, where an edge hides it
const HEIGHTS = Array.from({ length: 10 }, (_, i) => 4 ** i); // of contours

// An SVG path through points, in a picture of these ranges.
function path(points, { x: [left, right], y: [low, high] }) {
  const place = (value, from, to, size) => Math.round(
    Math.max(-FAR, Math.min(FAR, (size * (value - from)) / (to - from))));
  const places = points.filter((point) => !point.some(Number.isNaN)).map(
    ([u, v]) => `${place(u, left, right, WIDTH)} ${place(v, high, low, HEIGHT)}`);
  const moves = places.filter((here, i) => here !== places[i - 1]).join("L");
  return moves && `M${moves}h0`; // h0: one point is a dot
}

// A loss on the logarithmic scale: of many points, the ends of each short part.
function curve(values) {
  const size = Math.ceil(values.length / 300);
  const points = [];
  for (let t = 0; t < values.length; t += size) {
    const part = values.slice(t, t + size);
    const ends = [Math.min(...part), Math.max(...part)];
    if (part[0] > part.at(-1)) ends.reverse();
    points.push([t, Math.log10(ends[0])], [t + part.length - 1, Math.log10(ends[1])]);
  }
  return points;
}

// The cubic at some point of the run, or the last of which it has numbers.
function cubic(weights) {
  const w = weights.findLast((w) => w.every(Number.isFinite));
  return x.filter((_, i) => i % 10 === 0 || i === POINTS - 1)
    .map((x) => [x, dot(w, POWERS.map((k) => x ** k))]);
}

// A contour of the loss over b and d, in the plane through the best weights.
function contour(height) {
  const lean = G[1][3] / G[3][3];
  const [long, short] = [G[1][1] - lean * G[1][3], G[3][3]].map((g) => Math.sqrt(height / g));
  return Array.from({ length: 121 }, (_, i) => {
    const b = long * Math.cos((Math.PI * i) / 60);
    return [BEST[1] + b, BEST[3] + short * Math.sin((Math.PI * i) / 60) - lean * b];
  });
}

// The part of the bowl that has the start in it.
function bowlView({ b, d }) {
  const [, u, , v] = BEST;
  const zoom = [1, 2].find((zoom) => Math.hypot((b - u) / 0.7, (d - v) / 0.14) < zoom) || 4.3;
  return { x: [u - 0.7 * zoom, u + 0.7 * zoom], y: [v - 0.14 * zoom, v + 0.14 * zoom] };
}

// Round numbers between two ends, no closer than least, with their words.
function ticks([from, to], least = 0) {
  const wanted = Math.max((to - from) / 4, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = power * [1, 2, 5, 10].find((digit) => digit * power >= wanted * 0.999);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => {
    const value = Number(((first + i) * step).toPrecision(6));
    return [value, String(value).replace("-", "−")];
  });
}

// ---- The page ----

const form = document.getElementById("descent");
const settings = { ...SETTINGS };
let [run, before] = [null, null]; // before is the ghost
let [playing, resting, moving] = [0, 0, false]; // the next frame, a timer, a slider
const byId = (id) => document.getElementById(`play-${id}`);
const trace = (id, view, ...lines) => byId(id).setAttribute(
  "d", lines.map((points) => path(points, view)).join(""));

// From where to where the pictures go; the loss, in powers of ten.
const view = { fit: { x: [-Math.PI, Math.PI], y: [-2, 2] }, loss: { y: [-5, 5] } };

// The slider of the learning rate moves its exponent.
const shown = (name) => (name === "lr" ? Math.log10(settings.lr) : settings[name]);
const taken = (name, value) => (name === "lr" ? Number((10 ** value).toPrecision(3)) : +value);

// The ticks of a picture's side: the style draws a line through it, and a word.
function rule(name, side, marks) {
  const [from, to] = view[name][side];
  byId(name).querySelector(`.${side}`).replaceChildren(...marks.map(([value, word]) => {
    const tick = document.createElement("i");
    tick.dataset.word = word;
    tick.style[side === "x" ? "left" : "bottom"] = `${(100 * (value - from)) / (to - from)}%`;
    return tick;
  }));
}

// The run up to a step, in the three pictures.
function show(step) {
  const weights = run.weights.slice(0, step + 1);
  const above = run.losses.slice(0, step + 1).map((value) => value - FLOOR);
  const way = weights.map(([, b, , d]) => [b, d]);
  trace("curve", view.fit, cubic(weights));
  trace("losses", view.loss, curve(above));
  trace("now", view.loss, [[above.length - 1, Math.log10(above.at(-1))]]);
  trace("way", view.bowl, way);
  trace("here", view.bowl, way.slice(-1));
  byId("weights").textContent = weights[step].map((value) => (Math.abs(value) < 1e4
    ? fixed(value) : Number.isFinite(value) ? value.toExponential(2) : "∞")).join(", ");
}

// A new run: its scales, its ghost, the axes' shares, the bowl.
function draw() {
  pause();
  run = descend(settings);
  view.loss.x = [0, settings.steps];
  view.bowl = bowlView(settings);
  rule("loss", "x", ticks(view.loss.x, 1));
  rule("bowl", "x", ticks(view.bowl.x));
  rule("bowl", "y", ticks(view.bowl.y));
  const [steepest, ...shares] = modes(settings).map(curve);
  trace("steepest", view.loss, steepest);
  trace("modes", view.loss, ...shares);
  trace("contours", view.bowl, ...HEIGHTS.map(contour));
  trace("best", view.bowl, [[BEST[1], BEST[3]]]);
  if (before) {
    trace("curve-before", view.fit, cubic(before.weights));
    trace("losses-before", view.loss, curve(before.losses.map((value) => value - FLOOR)));
  }
  show(settings.steps);
  tell();
}

function pause() {
  cancelAnimationFrame(playing);
  playing = 0;
  byId("play").textContent = "Play";
}

// Four seconds for a run, slowly at first: most happens in the first steps.
function play() {
  if (playing) return pause();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return show(settings.steps);
  const begun = performance.now();
  const next = () => {
    const part = Math.min((performance.now() - begun) / 4000, 1);
    show(Math.round(settings.steps * part ** 3));
    if (part === 1) pause();
    else playing = requestAnimationFrame(next);
  };
  byId("play").textContent = "Stop";
  next();
}

function say() {
  const said = verdict(settings, run.losses); // if new: it will be read out
  if (byId("verdict").textContent !== said) byId("verdict").textContent = said;
}

// The sliders, the presets and the address tell the settings.
function tell() {
  for (const name of Object.keys(SETTINGS)) {
    form.elements[name].value = shown(name);
    byId(name).textContent = name === "lr" ? settings.lr.toExponential() : settings[name];
  }
  form.elements.lr.setAttribute("aria-valuetext", byId("lr").textContent);
  const limit = stableRate(settings.momentum).toExponential(4);
  byId("limit").textContent = settings.momentum < 1
    ? limit : `none converges, and past ${limit} it diverges`;
  for (const link of form.querySelectorAll(".presets a")) {
    const [there, here] = [asked(link.hash), settings].map((all) => `${Object.values(all)}`);
    link.setAttribute("aria-current", there === here);
  }
  const changed = Object.keys(SETTINGS).filter((name) => settings[name] !== SETTINGS[name]);
  const address = changed.map((name) => `${name}=${byId(name).textContent}`).join("&");
  if (address || location.hash.includes("=")) {
    history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  }
}

// Settings in an address: what is no number in its range is left alone.
function asked(hash) {
  const found = { ...SETTINGS };
  for (const [name, text] of new URLSearchParams(hash.slice(1))) {
    const { min, max } = form.elements[name] || {};
    const [value, place] = [Number(text), name === "lr" ? Math.log10(text) : Number(text)];
    if (name in SETTINGS && text.trim() && place >= min && place <= max) found[name] = value;
  }
  found.steps = Math.round(found.steps);
  return found;
}

// All at once, by the address or a button.
function change(wanted) {
  before = run;
  Object.assign(settings, wanted);
  draw();
  say();
}

// The verdict waits until a slider rests, or a screen reader would never stop,
// and so does the next ghost: in between there is a run at every pixel.
function rest() {
  clearTimeout(resting);
  resting = setTimeout(() => {
    say();
    moving = form.querySelector("input:active") !== null;
  }, 300);
}

if (form) {
  form.addEventListener("input", ({ target }) => {
    if (!moving) before = run;
    moving = true;
    settings[target.name] = taken(target.name, target.value);
    draw();
    rest();
  });
  form.addEventListener("change", rest);
  form.addEventListener("reset", (event) => { event.preventDefault(); change(SETTINGS); });
  byId("play").addEventListener("click", play);
  addEventListener("hashchange", () => { // to a place on the page, or settings?
    if (!location.hash || location.hash.includes("=")) change(asked(location.hash));
  });
  trace("sine", view.fit, x.map((value, i) => [value, y[i]]));
  change(asked(location.hash));
}
