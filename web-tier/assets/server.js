// Talks to the server, and turns what comes back into events of the payment. Only an answer that names the payment and
// has the expected form says anything about it: a load balancer or a hotel's network answers too.

const TIMEOUT_MS = 10_000;

// The ids of the requests that this page paid with.
const requests = new Set();

export async function post(payment, signal) {
  const request = uuid();
  requests.add(request);
  const sent = { method: "POST", body: JSON.stringify(payment), headers: { "x-request-id": request } };
  const answer = await exchange("/pay", sent, signal);
  if (!answer) return { type: "lost", code: noAnswer() };
  const { status, body, after } = answer;
  const code = typeof body?.code === "string" ? body.code : undefined;
  if (status === 200 || status === 202) {
    const isReceipt = body?.id === payment.id && body.status === "accepted" && isTime(body.received_at);
    if (!isReceipt) return { type: "lost", code: "garbled" };
    // Who repeats a payment is told which request was accepted. Browsers and servers repeat this one by themselves.
    const isAnothers = status === 200 && !requests.has(body.request_id);
    return { type: "accepted", receivedAt: body.received_at, isAnothers };
  }
  // What did not take this may have taken it before: the browser sends it again where a connection ended.
  if (status === 429) return { type: "lost", code: code ?? "rate_limited", after };
  if (status === 408) return { type: "lost", code: code ?? "request_timeout", after };
  if (status >= 400 && status < 500 && code) {
    const [member, detail] = [body.member, body.detail].map((text) => (typeof text === "string" ? text : undefined));
    return { type: "refused", refusal: { code, member, detail } };
  }
  return { type: "lost", code: code ?? "garbled", after };
}

export async function ask({ id }, signal) {
  const answer = await exchange(`/pay/${encodeURIComponent(id)}`, {}, signal);
  if (!answer) return { type: "silent", code: noAnswer() };
  const { status, body, after } = answer;
  if (status === 404 && body?.code === "not_found") return { type: "unknown" };
  if (status !== 200 || !isStatus(body, id)) return { type: "silent", code: "status_unavailable", after };
  return { type: "found", found: body };
}

// Ends early when the network is back.
export function wait(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve({ type: "waited" });
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}

// The answer with its body as JSON, if it is any; nothing if no whole answer came in time.
async function exchange(path, options, signal) {
  const request = new AbortController();
  const abort = () => request.abort();
  signal.addEventListener("abort", abort);
  const timer = setTimeout(abort, TIMEOUT_MS);
  try {
    const response = await fetch(path, {
      ...options,
      headers: { "content-type": "application/json", accept: "application/json", ...options.headers },
      cache: "no-store",
      redirect: "error",
      signal: request.signal,
    });
    const text = await response.text();
    const seconds = Number(response.headers.get("retry-after"));
    return { status: response.status, body: parsed(text), after: seconds > 0 ? seconds * 1000 : undefined };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStatus(body, id) {
  if (body?.id !== id) return false;
  if (body.state === "recorded" || body.state === "conflict") return isRow(body);
  return body.state === "accepted" || body.state === "rejected";
}

// A row tells all that this page ever sends, or it can't be told from another.
function isRow({ amount, currency, transaction = "", status, received_at, recorded_at }) {
  const isText = [amount, currency, transaction, status].every((text) => typeof text === "string");
  return isText && isTime(received_at) && isTime(recorded_at);
}

export function uuid() {
  // crypto.randomUUID is for pages over TLS alone.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[-+]\d{2}:\d{2})$/i;
const isTime = (text) => typeof text === "string" && RFC_3339.test(text) && !Number.isNaN(Date.parse(text));
const noAnswer = () => (navigator.onLine ? "lost" : "offline");
