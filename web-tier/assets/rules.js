// The server's rules, so that a person hears of a mistake before it is sent. The server decides all the same; a test
// holds both to the same answers.

import { isCard, plainDigits } from "./card.js";

const WHOLE_DIGITS_MAX = 15;
const SEPARATORS = "Enter the amount without separators of thousands, such as 1234.50 or 1234,50.";

// An amount as people type it, in the notation of JSON, or nothing if it has two readings: `1,234`, `1.234,50`.
export function typed(text) {
  const plain = plainDigits(text.trim()).replace(/[\u066b\uff0e]/g, ".").replace(/\uff0c/g, ",");
  if (!plain.includes(",")) return plain;
  return /^\d+,\d{1,2}$/.test(plain) ? plain.replace(",", ".") : undefined;
}

// Each check returns what is wrong, in words, or nothing.
export const checks = {
  amount(typedText, { decimals, code, exempt }) {
    const text = typed(typedText);
    if (text === undefined) return SEPARATORS;
    if (text === "") return "Enter an amount.";
    const number = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text);
    if (!number) return "Enter a number such as 100 or 100.00.";
    const [, minus, whole, fraction = "", exponent = "0"] = number;
    const digits = (whole + fraction).replace(/^0+/, "");
    const zeros = (whole + fraction).length - digits.length;
    const point = whole.length - zeros + Math.max(-1000, Math.min(1000, Number(exponent)));
    const significant = digits.replace(/0+$/, "");
    if (minus || significant === "") return "Enter an amount of more than 0.";
    if (point > WHOLE_DIGITS_MAX) return `Enter at most ${WHOLE_DIGITS_MAX} digits before the point.`;
    if (significant.length - point > decimals) return precision(decimals, code);
    if (exempt) return "";
    return isCard(text) || isCard(written(significant, point, decimals)) ? CARD : "";
  },
  payer_name: (text, { chars, exempt }) => tooLong(text, chars) || (!exempt && isCard(text) ? CARD : ""),
  transaction: (text, { chars, exempt }) => tooLong(text, chars) || (!exempt && isCard(text) ? CARD : ""),
};

// As the log will have it: an exponent may hide the digits.
function written(significant, point, decimals) {
  const whole = point > 0 ? significant.padEnd(point, "0").slice(0, point) : "0";
  const fraction = point > 0 ? significant.slice(point) : "0".repeat(-point) + significant;
  return decimals === 0 ? whole : `${whole}.${fraction.padEnd(decimals, "0")}`;
}

export const CARD = "This looks like a card number. Never enter one here.";

function precision(decimals, code) {
  if (decimals === 0) return `${code} has no decimals.`;
  return `${code} has at most ${decimals} decimals.`;
}

// Characters as the server counts them: an emoji is one, where a string's length says two.
function tooLong(text, chars) {
  const count = [...text].length;
  return count > chars ? `At most ${chars} characters; this has ${count}.` : "";
}
