// What the person reads when something went wrong: first what happened, by the code of the answer, then what that means
// for the payment.

export const WORDS = {
  // Refused.
  malformed_json: "This page sent something that the server can't read. Load it again.",
  id_mismatch: "This page sent two different ids. Load it again.",
  unauthenticated: "The server takes payments only from callers that it knows, and did not recognise this page.",
  not_allowed: "The server takes payments only from its own page. Load it again.",
  not_found: "The server does not know this address. Load the page again.",
  method_not_allowed: "The server does not take payments here. Load the page again.",
  unsupported_media_type: "This page sent something that the server can't read. Load it again.",
  body_too_large: "That is too much text. Shorten it.",
  invalid_member: "Something in the form is not right.",
  card_number: "This looks like a card number. Never enter one here.",
  id_conflict: "Another payment came under the same number before.",
  refused: "The server refused it.",
  // To be tried again.
  rate_limited: "Too many payments are coming from here.",
  request_timeout: "The connection is slow.",
  internal: "Something broke on our side.",
  upstream_failed: "A server did not answer.",
  upstream_timeout: "A server is slow to answer.",
  overloaded: "Many people are paying right now.",
  draining: "A server is being replaced.",
  storage_unavailable: "Payments can't be stored right now.",
  status_unavailable: "The server can't say right now what became of your payment.",
  offline: "You are offline.",
  lost: "No answer came.",
  garbled: "An answer came that is not the payment server's.",
  taken: "The server has a payment under this number, and can't say yet whether it is this one.",
  // Accepted.
  rejected: "A fault on our side holds the payment up.",
  other_refused: "Something else was sent under the same number too. Only the payment shown here was made.",
  // Settled otherwise.
  first_made: "A payment as in your first try was made, and is shown here. Your change was not made.",
  earlier_made: "The payment shown here was made under this number, and may be yours. What you sent last was not made.",
};

const NOT_KNOWN = "It is not known yet whether your payment was made.";
const SAFE = "Your payment is safe: do not pay again.";

// Above the receipt: `isCalm` unless the person has to do something.
export function trouble({ name, reason, receivedAt }) {
  const what = WORDS[reason] ?? (reason && WORDS.lost);
  switch (name) {
    case "unsure":
      return {
        text: "It is not known whether your payment was made. Send again asks the server first, and pays at most once.",
      };
    case "stalled":
      return { text: `${SAFE} It is not recorded yet, and this page has stopped asking.`, isCalm: true };
    case "accepted":
    case "following":
      return { text: what ? `${what} ${SAFE}` : "", isCalm: true };
    case "matched":
      return { text: "If you sent it, you have paid: do not pay again. Whose name it has is not told.", isCalm: true };
    case "earlier":
      return { text: `${what} Pay again only if you want both.` };
    case "recorded":
      return { text: what ?? "", isCalm: true };
    case "before":
      return {
        text: `A payment like this was made before under this number, on ${moment(receivedAt)}. Nothing more was paid. To make yours as well, make another payment.`,
      };
    default:
      if (!what) return { text: "" };
      return { text: `${what} ${NOT_KNOWN} This page asks before it sends it again.`, isCalm: reason === "offline" };
  }
}

// Above the form.
export function problem({ code, detail, row, isLost }) {
  if (code === "reopened") return MAY_ARRIVE;
  if (code === "cancelled") return `Cancelled. ${MAY_ARRIVE}`;
  if (code === "id_conflict") {
    const made = row?.amount ? ` That one was ${row.amount} ${row.currency}.` : "";
    return `Your payment was not made. ${WORDS.id_conflict}${made} To make yours as well, press Pay: it has a new number.`;
  }
  const what = WORDS[code] ?? detail ?? WORDS.refused;
  return isLost ? `${what} ${MAY_ARRIVE}` : `Your payment was not made. ${what}`;
}

const MAY_ARRIVE =
  "An earlier try may still arrive. If you pay again here, it goes out under the same number, so that only one is made.";

// By the person's own clock.
export const moment = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "long" });
