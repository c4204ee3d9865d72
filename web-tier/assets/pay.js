// The pay page: carries out what the payment's state says, and shows it. One thing is under way at a time, and what
// comes of it counts only while the state still waits for it.

import * as form from "./form.js";
import * as tab from "./kept.js";
import { STATES, isKept, next, start, toKeep } from "./payment.js";
import { draw } from "./progress.js";
import { ask, post, uuid, wait } from "./server.js";

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
  const record = toKeep(state, Date.now());
  if (record) tab.keep(record.payment.id, record);
  else tab.forget(form.idNow());
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
  setId(state.payment.id ?? `tx_${uuid()}`);
  const target = isForm ? form.tell(state.problem) : $("receipt-title");
  // The focus stays where it is, unless that is gone.
  if (isOpened || !focused.isConnected || focused.closest("[hidden]")) target.focus();
}

function setId(id) {
  form.setId(id);
  history.replaceState(history.state, "", `/pay?id=${encodeURIComponent(id)}`);
}

// What other pages of this tab left, as it is now: a browser may bring this page back as it was long ago.
const kept = () => tab.kept((record) => isKept(record, form.idNow(), Date.now()));

function open() {
  const before = state;
  dispatch({ type: "open", kept: kept(), id: form.idNow() });
  if (state !== before) form.fill(state.payment);
}

form.start((payment) => dispatch({ type: "pay", payment, kept: kept() }));
$("again").addEventListener("click", () => dispatch({ type: "press" }));
$("cancel").addEventListener("click", () => dispatch({ type: "cancel" }));
setId(form.idNow());
open();
addEventListener("pageshow", ({ persisted }) => persisted && open());
