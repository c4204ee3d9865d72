// A page asks for itself once a second and becomes what it gets. Charts ask for their own figures.
"use strict";

const EVERY = 1000;

// The console waits for no part longer than half of this.
const ANSWER_TIMEOUT_MS = 5000;

// Figures that are older are said to be. By then it is known whether the console answers.
const FRESH = 7000;

const CHARTS = {
  throughput: [
    ["Accepted", "accepted", "--accent"],
    ["Rows", "rows", "--good"],
    ["Failed", "failed", "--bad"],
  ],
  latency: [
    ["Response time p50", "median", "--accent"],
    ["Response time p99", "p99", "--warn"],
    ["Answer to row, longest", "lag", "--good"],
  ],
};

const drawn = new Map();
let series;

// What is pressed stays where it is until it is let go.
let pressed = false;
addEventListener("pointerdown", () => (pressed = true), true);
for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => (pressed = false), true);
addEventListener("pointermove", (event) => (pressed &&= event.buttons !== 0), true);

// Rows under the mouse stay as they are. A finger that was lifted leaves its hover behind.
let hovers = false;
for (const move of ["pointermove", "pointerdown"]) addEventListener(move, (event) => (hovers = event.pointerType === "mouse"), true);

// Whether there are rows that had to stay.
let held = false;

function isHeld(rows, newer) {
  if (!hovers || !rows.matches?.("[data-rows]:hover")) return false;
  held ||= rows.innerHTML !== newer.innerHTML;
  return true;
}

const idiomorph = {
  ignoreActiveValue: true,
  callbacks: {
    // A chart is drawn by its script, and a field keeps what was typed.
    beforeNodeMorphed: (node, newer) =>
      !(node.matches?.("[data-chart], input:not([type=hidden])") || isHeld(node, newer)),
    // What has the focus keeps it.
    beforeNodeRemoved: (node) => !node.contains(document.activeElement),
  },
};

// By the clock of this page: when the figures that it shows were taken, and since when rows are held.
let taken = 0;
let heldSince;
let answers = true;

async function ask(address, read) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), ANSWER_TIMEOUT_MS);
  try {
    const answer = await fetch(address, { cache: "no-store", signal: limit.signal });
    if (!answer.ok) throw new Error(`the console answers ${answer.status}`);
    return await read(answer);
  } finally {
    clearTimeout(timer);
  }
}

async function refresh() {
  const text = await ask(location.href, (answer) => answer.text());
  if (pressed) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  const before = taken;
  held = false;
  const state = document.getElementById("state");
  const { height } = state.getBoundingClientRect();
  Idiomorph.morph(document.getElementById("live"), page.getElementById("live"), idiomorph);
  // What is under the mouse stays where it is: a longer state scrolls inside its place.
  const isAimedAt = hovers && document.querySelector("main :is([data-rows], button):hover");
  state.style.height = isAimedAt ? `${height}px` : "";
  heldSince = held ? (heldSince ?? before) : undefined;
  date();
  tell();
}

// Takes over from the page how old it is.
function date() {
  taken = performance.now() - Number(document.getElementById("age").dataset.age);
}

const seconds = (length) => `${Math.round(length / 1000)} s`;

// Tells how old the figures are, and aloud once they are too old to be relied on.
function tell() {
  const now = performance.now();
  const rows = heldSince === undefined ? "" : `; the rows under the pointer are ${seconds(now - heldSince)} old`;
  write(document.getElementById("ago"), `, ${seconds(now - taken)} ago${rows}`);
  const stale = document.getElementById("stale");
  const isStale = now - taken > FRESH;
  if (isStale) {
    const at = document.querySelector("#age time").textContent;
    const why = answers ? "it has not looked at the parts since" : "it does not answer. Is the lab up?";
    write(stale, `Out of date: the console's last figures are of ${at} UTC, and ${why}`);
  }
  stale.hidden = !isStale;
  document.body.classList.toggle("stale", isStale);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function colour(name) {
  // A light-dark() pair becomes one colour only where it is used.
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const clock = (at) => new Date(at * 1000).toISOString().slice(11, 19);

function options(lines, width, height) {
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--hair"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, Liberation Sans, sans-serif",
  };
  return {
    width,
    height,
    padding: [8, 28, 0, 0],
    cursor: { y: false },
    legend: { live: true },
    scales: { y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] } },
    axes: [{ ...axis, size: 28, space: 90, values: (_, marks) => marks.map(clock) }, { ...axis, size: 56 }],
    series: [
      { label: "Time" },
      ...lines.map(([label, , name]) => ({
        label,
        stroke: colour(name),
        width: 1.75,
        points: { size: 4 },
        value: (_, value) => (value == null ? "–" : value.toFixed(value < 10 ? 1 : 0)),
      })),
    ],
  };
}

// In CSS pixels; the legend comes below.
const HEIGHT = 190;

function draw(place, series) {
  const lines = CHARTS[place.dataset.chart];
  const data = [series.at, ...lines.map(([, column]) => series[column])];
  const width = place.clientWidth;
  const known = drawn.get(place);
  if (known?.width === width) {
    known.setData(data);
    return;
  }
  known?.destroy();
  drawn.set(place, new uPlot(options(lines, width, HEIGHT), data, place));
}

async function chart() {
  const places = document.querySelectorAll("[data-chart]");
  if (places.length === 0) return;
  series = await ask("/series.json", (answer) => answer.json());
  for (const place of places) draw(place, series);
}

async function turn() {
  if (!document.hidden && !pressed) {
    try {
      await refresh();
      await chart();
      answers = true;
    } catch {
      answers = false;
    }
  }
  setTimeout(turn, EVERY);
}

addEventListener("resize", () => {
  if (series) for (const place of document.querySelectorAll("[data-chart]")) draw(place, series);
});

// Colours are in the drawing: another scheme is another drawing.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const [, known] of drawn) known.destroy();
  drawn.clear();
  chart().catch(() => {});
});

date();
tell();
setInterval(tell, EVERY / 2);
chart().catch(() => {});
setTimeout(turn, EVERY);
