// Sends one payment until its fate is known. Its id was made before the first try and never changes, so that no
// number of tries pays twice.

const TIMEOUT_MS = 10_000;
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000];

// What a person reads, by the code of the answer. Those that may pass are tried again.
export const WORDS = {
  malformed_json: "This page sent something that the server can't read. Load it again.",
  id_mismatch: "This page sent two different ids. Load it again.",
  not_allowed: "The server takes payments from its own page alone. Load the page again.",
  not_found: "The server does not know this address. Load the page again.",
  method_not_allowed: "The server does not take payments here. Load the page again.",
  unsupported_media_type: "This page sent something that the server can't read. Load it again.",
  body_too_large: "That is too much text. Shorten it.",
  invalid_member: "Something in the form is not right.",
  card_number: "This looks like a card number. Never enter one here.",
  id_conflict: "Another payment was made under the same number before. This one was not made.",
  request_timeout: "The connection is slow. Trying again under the same number.",
  internal: "Something broke on our side. Trying again under the same number.",
  upstream_failed: "A server did not answer. Trying again under the same number.",
  upstream_timeout: "A server is slow to answer. Trying again under the same number.",
  overloaded: "Many people are paying right now. Trying again in a moment.",
  draining: "A server is being replaced. Trying again in a moment.",
  storage_unavailable: "Payments can't be stored right now. Trying again in a moment.",
  status_unavailable: "The payment is safe. What became of it can't be read right now.",
  offline: "You are offline. The payment goes out as soon as you are back.",
  lost: "No answer came. Trying again under the same number; it is paid once.",
};

export function newId() {
  // crypto.randomUUID is for pages over TLS alone.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return "tx_" + hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// Resolves with the yes, or with a no that stays a no. Meanwhile `trouble(code)` is called for each failed try, and
// `clear()` before the next.
export async function send(payment, { trouble, clear }) {
  for (let tries = 0; ; tries += 1) {
    const answer = await attempt(payment);
    if (answer.final) return answer;
    trouble(answer.code);
    await pause(answer.code, answer.after ?? PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]);
    clear();
  }
}

async function attempt(payment) {
  let response;
  try {
    response = await fetch("/pay", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payment),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = await response.json();
    if (response.ok) return { final: true, ok: true, body };
    const final = response.status < 500 && response.status !== 408;
    const after = Number(response.headers.get("retry-after")) * 1000 || undefined;
    return { final, ok: false, body, code: body.code, after };
  } catch {
    // What is no JSON comes from a load balancer.
    return { final: false, code: navigator.onLine ? "lost" : "offline" };
  }
}

// Ends early when the person asks for it, or when the network is back.
function pause(code, ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      removeEventListener("try-now", done);
      resolve();
    };
    const timer = code === "offline" ? undefined : setTimeout(done, ms);
    addEventListener("online", done);
    addEventListener("try-now", done);
  });
}

// Asks what became of a payment until it is known; `seen` gets each answer.
export async function follow(id, seen) {
  for (let waited = 0; waited < 10 * 60_000; ) {
    const found = await ask(id);
    if (found && seen(found)) return;
    const ms = waited < 5_000 ? 250 : 2_000;
    waited += ms;
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

export async function ask(id) {
  try {
    const response = await fetch(`/pay/${id}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}
