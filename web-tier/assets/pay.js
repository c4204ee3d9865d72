// The pay page: carries out what the payment's state says, and shows it. One thing is under way at a time, and what
// comes of it counts only while the state still waits for it.

import * as form from "./form.js";
import * as tab from "./kept.js";
import { STATES, next, start, toKeep } from "./payment.js";
import { draw } from "./progress.js";
import { ask, post, wait } from "./server.js";

const $ = (id) => document.getElementById(id);

const ACTIONS = {
  post: ({ payment }, signal) => post(payment, signal),
  ask: ({ payment }, signal) => ask(payment, signal),
  wait: ({ pauseMs }, signal) => wait(pauseMs, signal),
};

let state = start(form.isIdNew());
let underWay = new AbortController();

async function dispatch(event) {
  const before = state;
  state = follow(before, { ...event, now: Date.now() });
  if (state === before) return;
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  // Kept before it is sent, so that a page that dies in between asks for it.
  tab.keep(toKeep(state, Date.now()));
  show();
  const act = ACTIONS[STATES[state.name].does];
  if (!act) return;
  const outcome = await act(state, signal);
  if (!signal.aborted) dispatch(outcome);
}

// An answer that nothing can be made of is as good as none.
function follow(before, event) {
  try {
    return next(before, event);
  } catch {
    const isSent = STATES[before.name].does === "post";
    return next(before, { type: isSent ? "lost" : "silent", code: "garbled", now: event.now });
  }
}

function show() {
  // Asked before anything is hidden, which takes the focus away.
  const focused = document.activeElement;
  const isForm = state.name === "editing";
  const [shown, other] = isForm ? ["paying", "receipt"] : ["receipt", "paying"];
  if (!isForm) draw(state);
  const isOpened = $(shown).hidden;
  $(other).hidden = true;
  $(shown).hidden = false;
  document.title = STATES[state.name].title;
  setId(state.payment.id ?? newId());
  const target = isForm ? form.tell(state.problem) : $("receipt-title");
  // The focus stays where it is, unless that is gone.
  if (isOpened || !focused.isConnected || focused.closest("[hidden]")) target.focus();
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

form.start((payment) => dispatch({ type: "pay", payment }));
$("again").addEventListener("click", () => dispatch({ type: "press" }));
$("cancel").addEventListener("click", () => dispatch({ type: "cancel" }));
setId(form.idNow());
dispatch({ type: "open", kept: tab.kept(), id: form.idNow() });
if (state.payment) form.fill(state.payment);
tab.keep(toKeep(state, Date.now()));
