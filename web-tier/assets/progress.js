// Stands in the place of the form once a payment is sent: what is known of it. It is drawn from the state alone, and what
// has not changed is left as it is, so that a screen reader hears of each change once.

import { STATES } from "./payment.js";
import { grouped } from "./rules.js";
import { moment, trouble } from "./words.js";

const $ = (id) => document.getElementById(id);

export function draw(state) {
  const { payment, receivedAt } = state;
  const { title, press, mayCancel } = STATES[state.name];
  setText($("receipt-title"), title);
  total(payment);
  details(state);
  steps(state);
  const { text, isCalm = false } = trouble(state);
  $("trouble").classList.toggle("calm", isCalm);
  setText($("trouble"), text);
  setText($("progress"), receivedAt ? title : "");
  const isBusy = mayCancel && !press;
  $("again").hidden = !press && !(isBusy && state.failures > 0);
  $("again").setAttribute("aria-disabled", String(isBusy));
  if (press) setText($("again"), press);
  $("cancel").hidden = !mayCancel;
  $("another").hidden = !receivedAt;
}

function total({ amount, currency }) {
  const text = `${grouped(amount)} ${currency}`;
  if ($("total").textContent === text) return;
  // Breaks only between groups.
  const groups = grouped(amount).split(/(?<=,)/).flatMap((group) => [element("wbr"), group]).slice(1);
  $("total").replaceChildren(...groups, " ", element("span", { className: "code" }, currency));
}

// Whoever opens the page again need not be who typed the name.
function details({ payment, isPressed }) {
  const lines = { From: isPressed && payment.payer_name, For: payment.transaction };
  const nodes = Object.entries(lines)
    .filter(([, text]) => text)
    // Isolated, so that marks of direction inside change nothing around it.
    .flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, element("bdi", { dir: "auto" }, text))]);
  const link = element("a", { href: `/pay/${payment.id}` }, element("code", {}, payment.id));
  nodes.push(element("dt", {}, "Payment id"), element("dd", {}, link));
  const drawn = element("dl", {}, ...nodes);
  if (drawn.innerHTML !== $("details").innerHTML) $("details").replaceChildren(...nodes);
}

function steps({ name, receivedAt, recordedAt }) {
  const { step: words, does } = STATES[name];
  const now = does ? "now" : "";
  if (receivedAt) step("accepted", "done", moment(receivedAt));
  else step("accepted", now, words);
  if (recordedAt) step("recorded", "done", moment(recordedAt));
  else step("recorded", receivedAt ? now : "", receivedAt ? words : "");
}

function step(name, className, when) {
  const item = document.querySelector(`[data-step="${name}"]`);
  item.className = className;
  setText(item.querySelector(".when"), when);
}

function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
