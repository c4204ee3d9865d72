// The pay page: the form, and the receipt in its place. What is being paid is kept in the tab, so that a reload goes on
// where it was.

import { CARD, checks } from "./rules.js";
import { WORDS, ask, follow, newId, send } from "./send.js";

const $ = (id) => document.getElementById(id);
const KEPT = "payment";
const FIELDS = ["amount", "payer_name", "transaction"];
const form = $("form");

// ---- the form

const currency = () => {
  const option = $("currency").selectedOptions[0];
  return { code: option.value, name: option.dataset.name, decimals: Number(option.dataset.decimals) };
};

function fault(name) {
  const input = $(name);
  const text = name === "amount" ? input.value.trim() : input.value;
  return checks[name](text, { ...currency(), chars: Number(input.dataset.chars) });
}

function show(name, words) {
  const input = $(name);
  $(`${name}-error`).textContent = words;
  if (words) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

// A mistake is shown when a field is left, and goes as soon as it is mended.
for (const name of FIELDS) {
  const input = $(name);
  input.addEventListener("blur", () => input.value && show(name, fault(name)));
  input.addEventListener("input", () => {
    // What can only get worse is told at once.
    const words = fault(name);
    const hopeless = words === CARD || (name !== "amount" && words);
    if (!words || hopeless || input.hasAttribute("aria-invalid")) show(name, words);
    label();
  });
}

$("currency").addEventListener("change", () => {
  show("currency", "");
  if ($("amount").value) show("amount", fault("amount"));
  label();
});

function label() {
  const { code, name, decimals } = currency();
  const amount = $("amount").value.trim();
  $("amount-hint").textContent = `${name}, ${decimals || "no"} decimals`;
  $("pay").textContent = amount && !fault("amount") ? `Pay ${amount} ${code}` : "Pay";
}

form.noValidate = true;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  banner("banner", "");
  const wrong = FIELDS.filter((name) => {
    const words = fault(name);
    show(name, words);
    return words;
  });
  if (wrong.length > 0) return $(wrong[0]).focus();
  // The form is gone with the first press, so there is no second.
  if ($("paying").hidden) return;
  const payment = { id: form.elements.id.value, currency: $("currency").value };
  for (const name of FIELDS) {
    const text = name === "amount" ? $(name).value.trim() : $(name).value;
    if (text) payment[name] = text;
  }
  keep({ payment });
  pay(payment);
});

function fill(payment) {
  form.elements.id.value = payment.id;
  $("currency").value = payment.currency;
  for (const name of FIELDS) $(name).value = payment[name] ?? "";
}

function banner(id, words, calm = false) {
  $(id).hidden = !words;
  $(id).textContent = words;
  $(id).classList.toggle("calm", calm);
}

// ---- the receipt

function open(section, title) {
  for (const other of ["paying", "receipt"]) $(other).hidden = other !== section;
  const heading = $(section === "paying" ? "title" : "receipt-title");
  if (title) heading.textContent = title;
  document.title = heading.textContent;
  heading.focus();
}

function step(name, state, when = "") {
  const item = document.querySelector(`[data-step="${name}"]`);
  item.className = state;
  item.querySelector(".when").textContent = when;
}

function detail(name, value) {
  const [dt, dd] = ["dt", "dd"].map((tag) => document.createElement(tag));
  dt.textContent = name;
  dd.append(value);
  $("details").append(dt, dd);
}

function total({ amount, currency }) {
  const code = document.createElement("span");
  code.className = "code";
  code.textContent = currency;
  // Every digit as it is, in groups of three.
  const [whole, ...fraction] = amount.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  $("total").replaceChildren([grouped, ...fraction].join("."), " ", code);
}

function draw(payment) {
  total(payment);
  $("details").replaceChildren();
  if (payment.payer_name) detail("From", payment.payer_name);
  if (payment.transaction) detail("For", payment.transaction);
  const link = document.createElement("a");
  link.href = `/pay/${payment.id}`;
  link.append(Object.assign(document.createElement("code"), { textContent: payment.id }));
  detail("Payment id", link);
  for (const name of ["accepted", "log", "recorded"]) step(name, "");
  $("another").hidden = true;
}

async function pay(payment) {
  draw(payment);
  step("accepted", "now", "sending");
  open("receipt", "Sending your payment");
  const answer = await send(payment, {
    trouble(code) {
      banner("trouble", WORDS[code] ?? WORDS.lost, code === "offline");
      step("accepted", code === "offline" ? "" : "now", "not yet");
      $("again").hidden = false;
    },
    clear() {
      step("accepted", "now", "sending");
      $("again").hidden = true;
    },
  });
  banner("trouble", "");
  $("again").hidden = true;
  if (answer.ok) {
    keep({ payment, received_at: answer.body.received_at });
    return accepted(payment, answer.body.received_at);
  }
  if (answer.code === "id_conflict") return conflict(payment);
  refused(answer);
}

function accepted(payment, received_at) {
  step("accepted", "done", clock(received_at));
  step("log", "done", "in S3");
  step("recorded", "now", "on its way");
  $("another").hidden = false;
  open("receipt", "Payment accepted");
  $("progress").textContent = "Accepted, and in the log.";
  follow(payment.id, (found) => {
    if (found.state === "accepted") return false;
    if (found.state === "rejected") {
      banner("trouble", "A fault on our side holds the payment up. It is safe: do not pay again.");
      return false;
    }
    if (found.state === "conflict") banner("trouble", "Other content came under the same number. Only this payment was made.");
    total({ amount: found.amount ?? payment.amount, currency: found.currency ?? payment.currency });
    step("recorded", "done", clock(found.recorded_at));
    $("receipt-title").textContent = document.title = "Payment recorded";
    $("progress").textContent = "Recorded.";
    return true;
  });
}

// Nothing was taken: the form again, with what is to be mended.
function refused({ code, body }) {
  keep(undefined);
  const input = body.member && $(body.member);
  open("paying");
  if (!input || !(body.member in checks || body.member === "currency")) {
    return banner("banner", WORDS[code] ?? body.detail ?? WORDS.malformed_json);
  }
  show(body.member, (code === "invalid_member" && body.detail) || WORDS[code]);
  input.focus();
}

async function conflict(payment) {
  keep(undefined);
  form.elements.id.value = newId();
  const found = await ask(payment.id);
  open("paying");
  const made = found?.amount ? ` It was ${found.amount} ${found.currency}.` : "";
  banner("banner", WORDS.id_conflict + made);
}

// By the person's own clock.
function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

// ---- over reloads

function keep(state) {
  try {
    if (state) sessionStorage.setItem(KEPT, JSON.stringify(state));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // A browser that keeps nothing still sends under one id while the page is open.
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return undefined;
  }
}

$("again").addEventListener("click", () => dispatchEvent(new Event("try-now")));
$("another").addEventListener("click", (event) => {
  event.preventDefault();
  keep(undefined);
  form.reset();
  form.elements.id.value = newId();
  for (const name of [...FIELDS, "currency"]) show(name, "");
  label();
  open("paying", "Make a payment");
  $("amount").focus();
});

label();
const earlier = kept();
if (earlier) {
  fill(earlier.payment);
  draw(earlier.payment);
  if (earlier.received_at) accepted(earlier.payment, earlier.received_at);
  else pay(earlier.payment);
}
