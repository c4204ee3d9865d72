// The payment at hand: what is known of it, what the person reads, and what is sent next. Nothing here touches the page,
// the network or the clock: `next(state, event)` returns the state that follows.
//
// | state     | the person reads                         | what is sent next                                           |
// | --------- | ---------------------------------------- | ----------------------------------------------------------- |
// | editing   | the form, with what was wrong            | nothing, until Pay is pressed; POST, or GET of another id   |
// | sending   | Sending your payment                     | POST                                                        |
// | pausing   | Checking your payment, and why           | after the pause: GET; POST after a GET without an answer    |
// | asking    | Checking your payment, and why           | GET; then POST, unless only the person or time can tell     |
// | unsure    | It is not known whether it was made      | nothing, until Send again is pressed: GET first             |
// | accepted  | Payment accepted                         | after the pause: GET                                        |
// | following | Payment accepted                         | GET, until there is a row; POST if it may be another's      |
// | stalled   | Accepted and safe, but not yet recorded  | nothing, until Ask again is pressed: GET                    |
// | recorded  | Payment recorded                         | nothing                                                     |
// | matched   | A payment of this amount is recorded     | nothing                                                     |
// | earlier   | An earlier payment was made, not this    | nothing                                                     |
// | before    | A payment like this was made before      | nothing                                                     |
//
// The page says that a payment is made only after the server said so of this id and this content. The id stays the same
// until the payment is settled: with one id, however often it is sent, at most one payment is made.
//
// `lost` holds what was sent under this id and may have arrived, though no answer came; `null` stands for what was sent
// before this page was open. It lasts as long as the id, whatever the person changes meanwhile: while it holds anything,
// the page does not say that nothing was made, and gives up the id only for a row that is none of it. "Come later" may be
// the answer to a repeat by the browser, and is no answer. Cancel asks once more, and leaves the id as it is.
//
// The tab keeps a record of each id. A form under whose id nothing was sent from here gives way to what was sent under
// another and is not known: when it is opened, comes back, or is sent.

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
  matched: { title: "A payment of this amount is recorded" },
  earlier: { title: "An earlier payment was made" },
  before: { title: "A payment like this was made before" },
};

const EVENTS = {
  editing: { open, pay },
  sending: { accepted, refused, lost: answerLost, cancel },
  pausing: { waited, press: waited, cancel },
  asking: { found, unknown, silent, cancel },
  unsure: { press: sendAgain, cancel },
  accepted: { waited: follow },
  following: { found: foundAccepted, unknown: keepFollowing, silent: keepFollowing },
  stalled: { press: followAgain },
  recorded: {},
  matched: {},
  earlier: {},
  before: {},
};

// How long the page sends and asks by itself after the person pressed a button.
const PATIENCE_MS = 3 * 60_000;
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000];

// Most payments are a row within a second or two.
const FOLLOWED_MS = 10 * 60_000;
const FOLLOWED_CLOSELY_MS = 5_000;

// How long a receipt is shown again to whoever opens the page in this tab.
const RECEIPT_KEPT_MS = 30 * 60_000;

// A page that nothing was done on yet. Under an id that is not new, something may have been sent before.
export function start(isIdNew) {
  return { name: "editing", lost: isIdNew ? [] : [null] };
}

// An event that a state does not expect changes nothing: a second click, an answer that came too late.
export function next(state, event) {
  return EVENTS[state.name][event.type]?.(state, event) ?? state;
}

const to = (name, state) => ({ ...state, name });

// ---- editing

function pay(state, { payment, kept = [], now }) {
  const other = wasSent(state) ? undefined : kept.find((record) => isUnsettled(record) && record.payment.id !== payment.id);
  if (other) return reopen(other, now);
  return { name: "sending", payment, lost: state.lost, isPressed: true, failures: 0, since: now };
}

// What the tab has kept is asked for, and never sent without a press. A receipt is shown again for a while, under its own
// address; what may have been made is remembered until that is known.
function open(state, { kept, id, now }) {
  const record = kept.find(({ payment }) => payment.id === id) ?? (wasSent(state) ? undefined : kept.find(isUnsettled));
  return record ? reopen(record, now) : state;
}

function reopen({ name, payment, lost, receivedAt, recordedAt }, now) {
  const tries = withTry(Array.isArray(lost) ? lost : [], payment);
  const opened = { payment, lost: tries, receivedAt, recordedAt, isPressed: false, failures: 0, since: now };
  if (recordedAt) return to(name === "recorded" ? "recorded" : "matched", opened);
  if (name === "editing") opened.refusal = { code: "reopened" };
  return to(receivedAt ? "following" : "asking", opened);
}

const isUnsettled = ({ receivedAt }) => !receivedAt;

// Whether anything was sent under this id from here, for all that the tab knows.
const wasSent = ({ lost }) => lost.some(Boolean);

// ---- sending

// An acceptance that repeats what another page was told is no payment of this one, unless it was sent from here and lost. One
// that comes after the row was seen is of the row's content.
function accepted(state, { receivedAt, isAnothers, now }) {
  const wasLost = state.lost.some((content) => isSame(content, state.payment));
  if (isAnothers && !wasLost) return { ...to("before", state), lost: [], receivedAt };
  if (state.row) return record(state, state.row);
  const lost = others(state);
  return { ...to("accepted", state), lost, receivedAt, reason: undefined, since: now, pauseMs: 0 };
}

// A refusal says nothing of an earlier try whose answer was lost, and which payment has the id is worth a look. That the id is
// taken says more than any other refusal after it.
function refused(state, { refusal }) {
  const isConflict = refusal.code === "id_conflict";
  if (state.row) return isConflict ? notMade(state, state.row) : match(state, state.row);
  if (!isConflict && !isLost(state)) return edit(state, refusal);
  return to("asking", isTaken(state) ? state : { ...state, refusal });
}

function answerLost(state, event) {
  return pause(losing(state), event, "asking");
}

const losing = (state) => ({ ...state, lost: withTry(state.lost, state.payment) });
const isLost = ({ lost }) => lost.length > 0;

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
function send(state, event) {
  return to(isFresh(state, event) ? "sending" : "unsure", state);
}

const isFresh = ({ isPressed, since }, { now }) => isPressed && now - since <= PATIENCE_MS;

// ---- asking

// What has this id may have other content, such as another name, which is not told: a POST of this content tells. So may
// what this page was told was accepted: two nodes can take one id at once.
function found(state, event) {
  const { payment, refusal, isPressed } = state;
  const row = isRow(event.found) ? event.found : undefined;
  if (isNeverMade(state) || (row && !isOf(payment, row))) return notMade(state, row);
  if (row && isSure(state, row)) return record(state, row);
  if (row && !isFresh(state, event)) return match(state, row);
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
  if (isCancelled(state)) return edit(state, state.refusal);
  return pause(state, event, state.refusal || !state.isPressed ? "asking" : "sending");
}

const isTaken = ({ refusal }) => refusal?.code === "id_conflict";
const isCancelled = ({ refusal }) => refusal?.code === "cancelled";

// Every try was answered, and the last one with the word that the id has other content.
const isNeverMade = (state) => isTaken(state) && !isLost(state);

// ---- unsure

function sendAgain(state, { now }) {
  const refusal = isTaken(state) ? state.refusal : undefined;
  return { ...to("asking", state), refusal, isPressed: true, failures: 1, since: now };
}

// The server is asked first, unless the person does not wait for that, either. The id stays: if a try arrives after all,
// it and the next one are one payment.
function cancel(state, { now }) {
  if (isCancelled(state)) return edit(state, state.refusal);
  const left = state.name === "sending" ? losing(state) : state;
  if (isNeverMade(left)) return notMade(left);
  return { ...to("asking", left), refusal: { code: "cancelled" }, reason: undefined, isPressed: false, since: now };
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

function record(state, row) {
  const reason = row.state === "conflict" ? "other_refused" : undefined;
  return { ...to("recorded", state), reason, ...times(row) };
}

// The row may be of another name: the server never tells it.
function match(state, row) {
  return { ...to("matched", state), payment: nameless(state.payment), reason: undefined, ...times(row) };
}

// The row is of what was accepted, and not of what was sent under the id besides.
const isSure = ({ receivedAt }, row) => row.state === "recorded" && row.received_at === receivedAt;

function edit({ payment, lost }, problem) {
  // An id that is itself refused is of no use.
  const isRefusedId = problem.member === "id" && lost.length === 0;
  const isLost = lost.length > 0;
  return { name: "editing", payment: isRefusedId ? idless(payment) : payment, lost, problem: { ...problem, isLost } };
}

// The id belongs to another payment. If that may be one that was sent from here, the person reads so. Otherwise this one
// gets another id, once the person wants it.
function notMade(state, row) {
  const { payment } = state;
  const candidates = others(state).filter((content) => mayBe(content, row));
  if (candidates.length === 0) {
    return { name: "editing", payment: idless(payment), lost: [], problem: { code: "id_conflict", row } };
  }
  const { amount, currency, transaction } = row;
  const made = { id: payment.id, amount, currency, transaction };
  const reason = candidates.some(Boolean) ? "first_made" : "earlier_made";
  return { ...to("earlier", state), payment: made, lost: [], reason, ...times(row) };
}

const times = ({ received_at: receivedAt, recorded_at: recordedAt }) => ({ receivedAt, recordedAt });

// ---- contents

const isRow = ({ state }) => state === "recorded" || state === "conflict";

const isProcessed = ({ status }) => status === "processed";

// As far as the server tells.
const isOf = (payment, row) =>
  value(row.amount) === value(payment.amount) &&
  row.currency === payment.currency &&
  row.transaction === payment.transaction &&
  isProcessed(row);

const mayBe = (content, row) => (content ? isOf(content, row) : isProcessed(row));

const isSame = (one, other) =>
  ["amount", "currency", "payer_name", "transaction"].every((member) => one?.[member] === other[member]);

// What was lost of other content than that at hand.
const others = ({ lost, payment }) => lost.filter((content) => !isSame(content, payment));

const withTry = (lost, payment) => (lost.some((content) => isSame(content, payment)) ? lost : [...lost, payment]);

const value = (amount = "") => (amount.includes(".") ? amount.replace(/\.?0*$/, "") : amount);

const nameless = ({ payer_name, ...payment }) => payment;
const idless = ({ id, ...payment }) => payment;

// What the tab keeps over a reload. A payment that is accepted is never sent again, and needs no name. Of what this page
// did not pay it keeps nothing.
export function toKeep({ name, payment, lost, receivedAt, recordedAt }, now) {
  if (!payment || name === "before" || (name === "editing" && !lost.some(Boolean))) return undefined;
  const bare = (content) => (receivedAt && content ? nameless(content) : content);
  return { name, payment: bare(payment), lost: lost.map(bare), receivedAt, recordedAt, at: now };
}

// Whether a page under this id, or a later one, still needs a record. What is recorded is not asked for again, and what is
// not known is kept until its own page knows.
export function isKept(record, id, now) {
  const { payment, receivedAt, recordedAt, at } = record ?? {};
  if (![payment?.id, payment?.amount, payment?.currency].every((member) => typeof member === "string")) return false;
  return !receivedAt || (now - at <= RECEIPT_KEPT_MS && (!recordedAt || payment.id === id));
}
