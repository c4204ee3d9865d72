// The form: what was typed, what is wrong with it, and what the button says that it pays.

import { CARD, checks, grouped, readAmount } from "./rules.js";
import { WORDS, problem as said } from "./words.js";

const $ = (id) => document.getElementById(id);
const FIELDS = ["amount", "payer_name", "transaction"];
const form = $("form");
const id = form.elements.id;

// Calls `pay` with a payment whenever a right form is submitted.
export function start(pay) {
  form.noValidate = true;
  guessCurrency();
  label();
  // A browser that restores what was typed does so before this.
  addEventListener("pageshow", label);
  for (const name of FIELDS) watch(name);
  $("currency").addEventListener("change", () => {
    show("currency", "");
    if ($("amount").value) show("amount", fault("amount"));
    label();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    $("banner").textContent = "";
    // What the server said of the last try of a form without a script.
    $("ask")?.remove();
    for (const name of FIELDS) show(name, fault(name));
    const wrong = FIELDS.find((name) => $(name).hasAttribute("aria-invalid"));
    if (wrong) $(wrong).focus();
    else pay(read());
  });
}

export const idNow = () => id.value;

// Whether nothing can have been sent under the id that the page came with: the server made it as it sent the browser here.
// A reload and an address that was copied come without that detour.
export function isIdNew() {
  const [opened] = performance.getEntriesByType("navigation");
  return opened?.type === "navigate" && opened.redirectCount > 0;
}

export function setId(value) {
  id.value = value;
}

export function fill(payment) {
  $("currency").value = payment.currency;
  for (const name of FIELDS) $(name).value = payment[name] ?? "";
  label();
}

// Shows why nothing was paid, and returns the element to go on with.
export function tell(problem) {
  const { code, member, detail, isLost } = problem;
  const isField = member === "currency" || FIELDS.includes(member);
  if (isField) show(member, (code === "invalid_member" && labelled(member, detail)) || WORDS[code] || WORDS.invalid_member);
  $("banner").textContent = isField && !isLost ? "" : said(problem);
  return isField ? $(member) : $("title");
}

// The server's words start with the member's name, which nobody sees.
function labelled(member, detail = "") {
  const label = $(member).labels[0].firstChild.textContent.trim();
  return detail.startsWith(`${member} `) ? label + detail.slice(member.length) : detail;
}

function read() {
  const payment = { id: id.value, currency: $("currency").value };
  payment.amount = readAmount($("amount").value, rules("amount")).amount;
  for (const name of ["payer_name", "transaction"]) if ($(name).value) payment[name] = $(name).value;
  return payment;
}

// A mistake is shown when a field is left, and goes as soon as it is put right.
function watch(name) {
  const input = $(name);
  input.addEventListener("blur", () => input.value && show(name, fault(name)));
  input.addEventListener("input", () => {
    // What can only get worse is told at once.
    const words = fault(name);
    const isHopeless = words === CARD || (name !== "amount" && words);
    if (!words || isHopeless || input.hasAttribute("aria-invalid")) show(name, words);
    label();
  });
}

function rules(name) {
  const { value: code, dataset } = $("currency").selectedOptions[0];
  const exempt = form.dataset.cardsExempt.split(" ").includes(name);
  const { decimals, symbol } = dataset;
  return { code, symbol, decimals: Number(decimals), chars: Number($(name).dataset.chars), exempt };
}

const fault = (name) => checks[name]($(name).value, rules(name));

function show(name, words) {
  const input = $(name);
  $(`${name}-error`).textContent = words;
  if (words) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function label() {
  const { code, decimals } = rules("amount");
  const { amount } = readAmount($("amount").value, rules("amount"));
  const { name } = $("currency").selectedOptions[0].dataset;
  $("amount-hint").textContent = `${name}, ${decimals || "no"} decimals`;
  $("pay").textContent = amount ? `Pay ${grouped(amount)} ${code}` : "Pay";
}

// The currency of the country that the browser is set to; of several, the one that the fewest countries use.
function guessCurrency() {
  if (!$("currency").selectedOptions[0].defaultSelected || FIELDS.some((name) => $(name).value)) return;
  const { region } = new Intl.Locale(navigator.language).maximize();
  const countries = (option) => option.dataset.countries.split(" ");
  const used = [...$("currency").options].filter((option) => countries(option).includes(region));
  const [guess] = used.sort((a, b) => countries(a).length - countries(b).length);
  if (guess) $("currency").value = guess.value;
}
