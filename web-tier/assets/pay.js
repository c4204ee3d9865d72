// The pay page: carries out what the payment's state says, and shows it. One thing is under way at a time, and what
// comes of it counts only while the state still waits for it.

import * as form from "./form.js";
import { STATES, next, toKeep } from "./payment.js";
import { draw } from "./progress.js";
import { ask, post, wait } from "./server.js";

const KEPT = "payment";
const $ = (id) => document.getElementById(id);

const ACTIONS = {
  post: ({ payment }, signal) => post(payment, signal),
  ask: ({ payment }, signal) => ask(payment, signal),
  wait: ({ pauseMs }, signal) => wait(pauseMs, signal),
};

let state = { name: "editing" };
let underWay = new AbortController();

async function dispatch(event) {
  const before = state;
  state = next(before, { ...event, now: Date.now() });
  if (state === before) return;
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  // Kept before it is sent, so that a page that dies in between asks for it.
  keep();
  show();
  const act = ACTIONS[STATES[state.name].does];
  if (!act) return;
  const outcome = await act(state, signal);
  if (!signal.aborted) dispatch(outcome);
}

function show() {
  const isForm = state.name === "editing";
  const [shown, other] = isForm ? ["paying", "receipt"] : ["receipt", "paying"];
  if (!isForm) draw(state);
  const isOpened = $(shown).hidden;
  const focused = document.activeElement;
  $(other).hidden = true;
  $(shown).hidden = false;
  document.title = STATES[state.name].title;
  setId(state.payment.id ?? newId());
  const target = isForm ? form.tell(state.problem) : $("receipt-title");
  // The focus stays where it is, unless that is gone.
  if (isOpened || focused.closest("[hidden]")) target.focus();
}

function setId(id) {
  form.setId(id);
  history.replaceState(history.state, "", `/pay?id=${encodeURIComponent(id)}`);
}

function newId() {
  // crypto.randomUUID is for pages over TLS alone.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return "tx_" + hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// A browser that keeps nothing still sends under one id while the page is open.
function keep() {
  try {
    const kept = toKeep(state, Date.now());
    if (kept) sessionStorage.setItem(KEPT, JSON.stringify(kept));
    else sessionStorage.removeItem(KEPT);
  } catch {}
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return undefined;
  }
}

form.start((payment) => dispatch({ type: "pay", payment }));
$("again").addEventListener("click", () => dispatch({ type: "press" }));
$("cancel").addEventListener("click", () => dispatch({ type: "cancel" }));
setId(form.idNow());
dispatch({ type: "open", kept: kept(), id: form.idNow() });
if (state.payment) form.fill(state.payment);
keep();
