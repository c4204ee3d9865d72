// The payment at hand: what is known of it, what the person reads, and what is sent next. Nothing here touches the page,
// the network or the clock: `next(state, event)` returns the state that follows.
//
// | state     | the person reads                         | what is sent next                                           |
// | --------- | ---------------------------------------- | ----------------------------------------------------------- |
// | editing   | the form, with what was wrong            | nothing, until Pay is pressed                               |
// | sending   | Sending your payment                     | POST                                                        |
// | pausing   | Checking your payment, and why           | after the pause: GET if an answer was lost, POST otherwise  |
// | asking    | Checking your payment, and why           | GET; then POST if the server does not know the payment      |
// | unsure    | It is not known whether it was made      | nothing, until Send again is pressed: GET first             |
// | accepted  | Payment accepted                         | after the pause: GET                                        |
// | following | Payment accepted                         | GET, until there is a row                                   |
// | stalled   | Accepted and safe, but not yet recorded  | nothing, until Ask again is pressed: GET                    |
// | recorded  | Payment recorded                         | nothing                                                     |
//
// The page says that a payment is made only after the server said so of this id and this content. The id stays the same
// until the payment is settled: with one id, however often it is sent, at most one payment is made.

export const STATES = {
  editing: { title: "Make a payment" },
  sending: { title: "Sending your payment", does: "post", step: "sending", mayCancel: true },
  pausing: { title: "Checking your payment", does: "wait", step: "waiting", press: "Try now", mayCancel: true },
  asking: { title: "Checking your payment", does: "ask", step: "asking", mayCancel: true },
  unsure: { title: "Was your payment made?", step: "not known", press: "Send again", mayCancel: true },
  accepted: { title: "Payment accepted", does: "wait", step: "on its way" },
  following: { title: "Payment accepted", does: "ask", step: "on its way" },
  stalled: { title: "Payment accepted", step: "not yet", press: "Ask again" },
  recorded: { title: "Payment recorded" },
};

const EVENTS = {
  editing: { open, pay },
  sending: { yes, no, later: postFailed, lost, cancel },
  pausing: { waited, press: waited, cancel },
  asking: { found, unknown, silent, cancel },
  unsure: { press: sendAgain, cancel },
  accepted: { waited: follow },
  following: { found: foundAccepted, unknown: keepFollowing, silent: keepFollowing },
  stalled: { press: followAgain },
  recorded: {},
};

// How long the page sends and asks by itself after the person pressed a button.
const PATIENCE_MS = 3 * 60_000;
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000];

// Most payments are a row within a second or two.
const FOLLOWED_MS = 10 * 60_000;
const FOLLOWED_CLOSELY_MS = 5_000;

// How long a receipt is shown again to whoever opens the page in this tab.
const RECEIPT_KEPT_MS = 30 * 60_000;

// An event that a state does not expect changes nothing: a second click, an answer that came too late.
export function next(state, event) {
  return EVENTS[state.name][event.type]?.(state, event) ?? state;
}

const to = (name, state) => ({ ...state, name });

// ---- editing

function pay(state, { payment, now }) {
  return { name: "sending", payment, isPressed: true, isLost: false, failures: 0, since: now };
}

// What the tab has kept is asked for, and never sent without a press. A receipt is shown again for a while, under its own
// address; what may have been made is remembered until that is known.
function open(state, { kept, id, now }) {
  const { payment, receivedAt, recordedAt } = kept ?? {};
  if (![payment?.id, payment?.amount, payment?.currency].every((member) => typeof member === "string")) return state;
  if (receivedAt && (payment.id !== id || now - kept.at > RECEIPT_KEPT_MS)) return state;
  const opened = { payment, receivedAt, recordedAt, isPressed: false, isLost: true, failures: 0, since: now };
  if (recordedAt) return to("recorded", opened);
  return to(receivedAt ? "following" : "asking", opened);
}

// ---- sending

// A yes that comes after the row was seen is of the row's content.
function yes(state, { receivedAt, now }) {
  if (state.row) return record({ ...state, receivedAt }, state.row);
  return { ...to("accepted", state), receivedAt, reason: undefined, since: now, pauseMs: 0 };
}

// A no says nothing of an earlier try whose answer was lost, and which payment has the id is worth a look. That the id is
// taken says more than any other no after it.
function no(state, { refusal }) {
  const isConflict = refusal.code === "id_conflict";
  if (isConflict && state.row) return notMade(state, state.row);
  if (!isConflict && !state.isLost) return edit(state, refusal);
  return to("asking", isTaken(state) ? state : { ...state, refusal });
}

function lost(state, event) {
  return postFailed({ ...state, isLost: true }, event);
}

function postFailed(state, event) {
  return pause(state, event, state.isLost ? "asking" : "sending");
}

// ---- pausing

function pause(state, { code, after, now }, then) {
  const { reason, failures } = state;
  // One reason stays, so that it is read out once; being offline is another matter.
  const isNew = !reason || code === "offline" || reason === "offline";
  const failed = { ...state, reason: isNew ? code : reason, failures: failures + 1, then };
  const left = state.since + PATIENCE_MS - now;
  if (left <= 0) return to("unsure", failed);
  const pauseMs = code === "offline" ? left : (after ?? PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
  return { ...to("pausing", failed), pauseMs: Math.min(pauseMs, left) };
}

function waited(state, event) {
  return state.then === "asking" ? to("asking", state) : send(state, event);
}

// Nothing is sent unless the person pressed a button lately: a laptop may have slept for hours.
function send(state, { now }) {
  const isFresh = state.isPressed && now - state.since <= PATIENCE_MS;
  return to(isFresh ? "sending" : "unsure", state);
}

// ---- asking

// What is only known to be accepted may have other content, which a POST of this content tells.
function found(state, event) {
  const { payment, receivedAt, refusal, isPressed } = state;
  const row = isRow(event.found) ? event.found : undefined;
  if (isNeverMade(state) || (row && !isOf(payment, row))) return notMade(state, row);
  const isClear = row?.state === "recorded" && !isTaken(state);
  if (row && (isClear || receivedAt)) return record(state, row);
  if (row || (isPressed && !refusal)) return send({ ...state, row }, event);
  return pause(state, { ...event, code: "taken" }, "asking");
}

function unknown(state, event) {
  if (isNeverMade(state)) return notMade(state);
  if (isTaken(state)) return pause(state, { ...event, code: "taken" }, "asking");
  return state.refusal ? edit(state, state.refusal) : send(state, event);
}

function silent(state, event) {
  if (isNeverMade(state)) return notMade(state);
  return pause(state, event, state.refusal || !state.isPressed ? "asking" : "sending");
}

const isTaken = ({ refusal }) => refusal?.code === "id_conflict";

// Every try was answered, and the last one with the word that the id has other content.
const isNeverMade = (state) => isTaken(state) && !state.isLost;

// ---- unsure

function sendAgain(state, { now }) {
  return { ...to("asking", state), isPressed: true, failures: 1, since: now };
}

// The id stays: if a try arrives after all, it and the next one are one payment.
function cancel(state) {
  const isLost = state.isLost || state.name === "sending";
  return edit({ ...state, isLost }, { code: "cancelled" });
}

// ---- accepted, following, stalled

function follow(state) {
  return to("following", state);
}

function followAgain(state, { now }) {
  return { ...to("following", state), since: now };
}

function foundAccepted(state, event) {
  if (isRow(event.found)) return found(state, event);
  const code = event.found.state === "rejected" ? "rejected" : undefined;
  return keepFollowing(state, { ...event, code });
}

function keepFollowing(state, { code, now }) {
  const waited = now - state.since;
  const followed = { ...state, reason: code, pauseMs: waited < FOLLOWED_CLOSELY_MS ? 250 : 2_000 };
  return to(waited > FOLLOWED_MS ? "stalled" : "accepted", followed);
}

// ---- settled

// The server never tells the payer's name, so that it stands on the receipt only if this name was accepted.
function record(state, row) {
  const isNameSure = state.receivedAt && (row.state === "recorded" || state.row);
  const payment = isNameSure ? state.payment : nameless(state.payment);
  const reason = row.state === "conflict" ? "other_refused" : undefined;
  const { received_at: receivedAt, recorded_at: recordedAt } = row;
  return { ...to("recorded", state), payment, reason, receivedAt, recordedAt };
}

function edit({ payment, isLost }, problem) {
  // An id that is itself refused is of no use.
  const isRefusedId = problem.member === "id";
  return { name: "editing", payment: isRefusedId ? idless(payment) : payment, problem: { ...problem, isLost } };
}

// The id belongs to another payment: this one gets another id, once the person wants it.
function notMade({ payment }, row) {
  return { name: "editing", payment: idless(payment), problem: { code: "id_conflict", row } };
}

const isRow = ({ state }) => state === "recorded" || state === "conflict";

const isOf = (payment, row) =>
  value(row.amount) === value(payment.amount) &&
  row.currency === payment.currency &&
  (row.transaction ?? undefined) === payment.transaction &&
  (row.status ?? "processed") === "processed";

const value = (amount = "") => (amount.includes(".") ? amount.replace(/\.?0*$/, "") : amount);

const nameless = ({ payer_name, ...payment }) => payment;
const idless = ({ id, ...payment }) => payment;

// What the tab keeps over a reload. A payment that is accepted is never sent again, and needs no name.
export function toKeep({ name, payment, receivedAt, recordedAt }, now) {
  if (name === "editing") return undefined;
  return { payment: receivedAt ? nameless(payment) : payment, receivedAt, recordedAt, at: now };
}
