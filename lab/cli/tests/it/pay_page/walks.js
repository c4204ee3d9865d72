// Random walks through the states of a payment, against a model of two nodes, one row and a network that loses and forges
// whatever it likes. Returns what the page said wrongly.
//
// `next` and `STATES` are those of payment.js.

const MINUTE = 60_000;
const AT = "2026-11-22T07:30:00Z";

function walk(next, STATES, seed) {
  const random = mulberry(seed);
  const chance = (share) => random() < share;
  const pick = (list) => list[Math.floor(random() * list.length)];
  const own = { id: "tx_1", amount: "10.00", currency: "USD", payer_name: "Alice" };
  const others = [{ ...own, payer_name: "Bob" }, { ...own, amount: "11.00" }, { ...own, transaction: "Tea" }];
  const text = JSON.stringify;

  const nodes = [undefined, undefined];
  let row;
  let isDenied = false;
  const accepted = new Set();
  const isMade = () => (row ? text(row) === text(own) : accepted.has(text(own)));

  const take = (content) => {
    const node = Math.floor(random() * 2);
    const known = row ?? nodes[node];
    if (known) return text(known) === text(content);
    nodes[node] = content;
    accepted.add(text(content));
    return true;
  };

  const post = (payment) => {
    if (chance(0.15)) return { type: "lost", code: "lost" };
    if (chance(0.1)) return { type: "later", code: "rate_limited", after: 1000 };
    if (chance(0.05)) return { type: "no", refusal: { code: "invalid_member" } };
    const isTaken = take(payment);
    if (chance(0.3)) return { type: "lost", code: "lost" };
    isDenied ||= !isTaken && row !== undefined;
    return isTaken ? { type: "yes", receivedAt: AT } : { type: "no", refusal: { code: "id_conflict" } };
  };

  const ask = () => {
    if (chance(0.2)) return { type: "silent", code: "lost" };
    if (row) {
      const { amount, currency, transaction } = row;
      const state = accepted.size > 1 && chance(0.8) ? "conflict" : "recorded";
      return { type: "found", found: { state, amount, currency, transaction, received_at: AT, recorded_at: AT } };
    }
    return pick(nodes) ? { type: "found", found: { state: "accepted", received_at: AT } } : { type: "unknown" };
  };

  const wrong = [];
  const check = (isRight, words) => isRight || wrong.push({ seed, words, row, state });
  let now = 0;
  let pressedAt = -Infinity;
  let state = { name: "editing" };
  const dispatch = (event) => (state = next(state, { ...event, now }));
  if (chance(0.3)) dispatch({ type: "open", kept: { payment: own, at: 0 }, id: "tx_1" });
  if (state.name === "editing") {
    pressedAt = now;
    dispatch({ type: "pay", payment: own });
  }
  // What was sent before the page was opened again.
  else if (chance(0.5)) take(own);

  for (let steps = 0; steps < 60 && state.name !== "editing" && state.name !== "recorded"; steps += 1) {
    const { does, press } = STATES[state.name];
    // What is to be sent goes out at once.
    if (does !== "post") now += chance(0.05) ? 5 * MINUTE : 2_000;
    if (chance(0.1)) take(pick(others));
    if (chance(0.15) && accepted.size > 0) row ??= JSON.parse(pick([...accepted]));
    if (press && (!does || chance(0.1))) {
      pressedAt = now;
      dispatch({ type: "press" });
    } else if (chance(0.02)) {
      dispatch({ type: "cancel" });
    } else if (does === "post") {
      check(now - pressedAt <= 3 * MINUTE, "sent long after the last press");
      dispatch(post(state.payment));
    } else {
      dispatch(does === "ask" ? ask() : { type: "waited" });
    }
  }

  const { name, payment, problem } = state;
  if (name === "recorded") {
    check(row && row.amount === own.amount && row.transaction === own.transaction, "recorded, but is not");
    check(!isDenied, "recorded, but the server said that the row is another");
    check(!payment.payer_name || accepted.has(text(own)), "recorded under a name that was never accepted");
  }
  if (name === "editing" && problem?.code === "id_conflict") {
    check(row || others.some((other) => accepted.has(text(other))), "another payment, but there is none");
    check(!row || text(row) !== text(own), "not made, but is recorded");
    check(row || !accepted.has(text(own)), "not made, but may be recorded");
  } else if (name === "editing") {
    check(problem.isLost || !isMade(), "not made, but is accepted");
    check(payment.id === "tx_1", "the id was given up");
  }
  return wrong;
}

function mulberry(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
