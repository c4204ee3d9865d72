// Random walks through the states of a payment, against a model of two nodes, one row, a network that loses, delays and
// forges whatever it likes, and a person who cancels, changes the form and loads the page again. Returns what the page said
// wrongly.
//
// `payment` and `words` are the modules of these names.

const MINUTE = 60_000;
const at = (count) => `2026-11-22T07:30:00.${String(count).padStart(6, "0")}Z`;

function walk({ next, start, toKeep, isKept, STATES }, words, seed) {
  const random = mulberry(seed);
  const chance = (share) => random() < share;
  const pick = (list) => list[Math.floor(random() * list.length)];
  const first = { id: "tx_1", amount: "10.00", currency: "USD", payer_name: "Alice" };
  const forms = [first, first, { ...first, payer_name: "Alicia" }, { ...first, amount: "12.00" }];
  const others = [{ ...first, payer_name: "Bob" }, { ...first, amount: "11.00" }, { ...first, transaction: "Tea" }, first];
  const text = JSON.stringify;

  // What was accepted, with its time and whether it came from here; a row is one of them.
  const nodes = [undefined, undefined];
  let row;
  const accepted = [];
  // What was sent from here, and of it what is still on its way.
  const sent = new Set();
  const late = [];
  let denied;

  const take = (content, isOurs = true) => {
    const node = Math.floor(random() * 2);
    nodes[node] = row ?? nodes[node];
    if (nodes[node]) return text(nodes[node].content) === text(content) && nodes[node];
    nodes[node] = { content, isOurs, receivedAt: at(accepted.length) };
    accepted.push(nodes[node]);
    return nodes[node];
  };
  const wasAccepted = (content) => accepted.some((one) => text(one.content) === content);
  const isMade = ({ content, isOurs }, payment) => isOurs && text(content) === payment;
  const mayBeMade = (content) => (row ? isMade(row, content) : accepted.some((one) => isMade(one, content)) || late.some((other) => text(other) === content));
  const mayAnyBeMade = () => [...sent].some(mayBeMade);

  const post = (payment) => {
    sent.add(text(payment));
    if (chance(0.15)) {
      if (chance(0.5)) late.push(payment);
      return { type: "lost", code: "lost" };
    }
    // To a repeat by the browser, perhaps, whose first try was taken.
    if (chance(0.1)) {
      if (chance(0.5)) take(payment);
      return { type: "lost", code: "rate_limited", after: 1000 };
    }
    if (chance(0.05)) return { type: "refused", refusal: { code: "invalid_member" } };
    const count = accepted.length;
    const taken = take(payment);
    if (chance(0.3)) return { type: "lost", code: "lost" };
    if (!taken && row) denied = text(payment);
    if (!taken) return { type: "refused", refusal: { code: "id_conflict" } };
    return { type: "accepted", receivedAt: taken.receivedAt, isAnothers: accepted.length === count && !taken.isOurs };
  };

  const ask = () => {
    if (chance(0.2)) return { type: "silent", code: "lost" };
    if (row) {
      const { amount, currency, transaction } = row.content;
      const state = new Set(accepted.map(({ content }) => text(content))).size > 1 && chance(0.8) ? "conflict" : "recorded";
      const times = { received_at: row.receivedAt, recorded_at: at(0) };
      return { type: "found", found: { state, status: "processed", amount, currency, transaction, ...times } };
    }
    const node = pick(nodes);
    return node ? { type: "found", found: { state: "accepted", received_at: node.receivedAt } } : { type: "unknown" };
  };

  const wrong = [];
  const check = (isRight, what) => isRight || wrong.push({ seed, what, row, state });
  let now = 0;
  let pressedAt = -Infinity;
  let state = start(true);
  const dispatch = (event) => (state = next(state, { ...event, now }));
  const pay = () => {
    pressedAt = now;
    dispatch({ type: "pay", payment: pick(forms) });
  };
  const load = () => {
    // An answer that comes now is nobody's.
    if (STATES[state.name].does === "post") {
      sent.add(text(state.payment));
      late.push(state.payment);
    }
    const record = chance(0.2) ? undefined : JSON.parse(text(toKeep(state, now) ?? null));
    state = start(false);
    pressedAt = -Infinity;
    dispatch({ type: "open", kept: [record].filter((record) => isKept(record, "tx_1", now)), id: "tx_1" });
  };
  if (chance(0.1)) {
    sent.add(text(first));
    dispatch({ type: "open", kept: [{ payment: first, at: 0 }], id: chance(0.5) ? "tx_1" : "tx_2" });
  }

  for (let steps = 0; steps < 60 && wrong.length === 0; steps += 1) {
    const { does, press } = STATES[state.name];
    // What is to be sent goes out at once.
    if (does !== "post") now += chance(0.05) ? 5 * MINUTE : 2_000;
    if (chance(0.1)) take(pick(others), false);
    if (chance(0.2) && late.length > 0) take(late.pop());
    if (chance(0.15) && accepted.length > 0) row ??= pick(accepted);
    if (chance(0.02)) {
      load();
    } else if (state.name === "editing") {
      if (state.payment && state.payment.id !== "tx_1") break;
      pay();
    } else if (press && (!does || chance(0.1))) {
      pressedAt = now;
      dispatch({ type: "press" });
    } else if (chance(0.05)) {
      if (does === "post") {
        sent.add(text(state.payment));
        late.push(state.payment);
      }
      dispatch({ type: "cancel" });
    } else if (does === "post") {
      check(now - pressedAt <= 3 * MINUTE, "sent long after the last press");
      const wasSent = sent.has(text(state.payment));
      const answer = post(state.payment);
      dispatch(answer);
      check(!answer.isAnothers || wasSent || state.name === "before", "paid, but by somebody else alone");
    } else if (does) {
      dispatch(does === "ask" ? ask() : { type: "waited" });
    } else {
      break;
    }
    look();
  }
  return wrong;

  function look() {
    const { name, payment, problem } = state;
    const isLike = (content) => row && row.content.amount === content.amount && row.content.transaction === content.transaction;
    if (name === "recorded") {
      check(isLike(payment), "recorded, but is not");
      check(denied !== text(payment), "recorded, but the server said that the row is another");
      check(!payment.payer_name || text(row.content) === text(payment), "recorded under a name that is not the row's");
    } else if (name === "matched") {
      check(isLike(payment), "of this amount, but is not");
    } else if (name === "before") {
      check(wasAccepted(text(payment)), "made before, but was not");
    } else if (name === "earlier") {
      check(isLike(payment), "an earlier payment, but it is another");
      check(words.trouble(state).text.includes("made"), "an earlier payment, without a word");
    } else if (name === "editing" && problem) {
      const isNo = words.problem(problem).includes("not made");
      check(!isNo || !mayAnyBeMade(), "not made, but may be");
      if (problem.code === "id_conflict") {
        check(row || others.some((other) => wasAccepted(text(other))), "another payment, but there is none");
      } else {
        check(payment.id === "tx_1", "the id was given up");
      }
    } else if (!state.receivedAt) {
      check(!words.trouble(state).text.includes("not made") || !mayAnyBeMade(), "not made yet, but may be");
    }
  }
}

function mulberry(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
