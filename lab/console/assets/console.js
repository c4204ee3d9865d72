// A page asks for itself once a second and becomes what it gets. Charts ask for their own figures.
"use strict";

const EVERY = 1000;

const CHARTS = {
  throughput: [
    ["Accepted", "accepted", "--accent"],
    ["Rows", "rows", "--good"],
    ["Failed", "failed", "--bad"],
  ],
  latency: [
    ["Half of answers", "median", "--accent"],
    ["99 % of answers", "p99", "--warn"],
    ["Answer to row, longest", "lag", "--good"],
  ],
};

const drawn = new Map();
let series;

const idiomorph = {
  ignoreActiveValue: true,
  callbacks: {
    // A chart is drawn by its script, and a field keeps what was typed.
    beforeNodeMorphed: (node) => !(node.matches?.("[data-chart]") || node.matches?.("input:not([type=hidden])")),
    // A table that was scrolled stays where it is: its content changes, not itself.
    beforeNodeRemoved: (node) => !node.contains?.(document.activeElement) || node.nodeName !== "INPUT",
  },
};

async function refresh() {
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) throw new Error(`the console answers ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  Idiomorph.morph(document.getElementById("live"), page.getElementById("live"), idiomorph);
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
  const answer = await fetch("/series.json", { cache: "no-store" });
  series = await answer.json();
  for (const place of places) draw(place, series);
}

function pulse(text) {
  const pulse = document.getElementById("pulse");
  if (pulse && pulse.textContent !== text) pulse.textContent = text;
}

async function turn() {
  if (!document.hidden) {
    try {
      await refresh();
      await chart();
    } catch {
      pulse("The console does not answer: is the lab up?");
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

chart().catch(() => {});
setTimeout(turn, EVERY);
