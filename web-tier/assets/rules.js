// The server's rules, so that a person hears of a mistake before it is sent. The server decides all the same; a test
// holds both to the same answers.

import { isCard, plainDigits } from "./card.js";

const WHOLE_DIGITS_MAX = 15;

export const CARD = "This looks like a card number. Never enter one here.";
const SEPARATORS = "Enter the amount without separators of thousands, such as 1234.50 or 1234,50.";
const NO_TEXT = "This holds half of a character, which can't be sent. Type it again.";
const ONLY_THE_NUMBER = "Enter the number alone, and choose the currency in the list.";

const GROUPED = /^\d{1,3}([ \u00a0\u2009\u202f'\u2019\u066c])\d{3}(?:\1\d{3})*(?![^.,])/;

// An amount as people type it, in the notation of JSON, or nothing if it has two readings: `1,234`, `1.234,50`, and
// `1.234` unless the currency has three decimals.
function typed(text, { code, symbol, decimals }) {
  const plain = plainDigits(text.trim()).replace(/[\u066b\uff0e]/g, ".").replace(/\uff0c/g, ",");
  const number = withoutCurrency(plain, [symbol, code]).replace(GROUPED, (groups) => groups.replace(/\D/g, ""));
  const [, whole = "", fraction = ""] = /^(\d*)[.,](\d*)$/.exec(number) ?? [];
  if (number.includes(",") && (whole + fraction === "" || fraction.length > 2)) return undefined;
  if (fraction.length === 3 && decimals < 3) return undefined;
  if (whole + fraction === "") return number;
  return fraction === "" ? whole : `${whole || "0"}.${fraction}`;
}

function withoutCurrency(text, marks) {
  const mark = marks.find((mark) => mark && (text.startsWith(mark) || text.endsWith(mark)));
  if (!mark) return text;
  return (text.startsWith(mark) ? text.slice(mark.length) : text.slice(0, -mark.length)).trim();
}

// The amount in its normal form, with all decimals of its currency, or what is wrong with it, in words.
export function readAmount(text, currency) {
  const { decimals, code, exempt } = currency;
  const number = typed(text, currency);
  if (number === undefined) return { fault: SEPARATORS };
  if (number === "") return { fault: "Enter an amount." };
  const parts = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(number);
  if (!parts) return { fault: /\p{Sc}/u.test(number) ? ONLY_THE_NUMBER : "Enter a number such as 100 or 100.00." };
  const [, minus, whole, fraction = "", exponent = "0"] = parts;
  const digits = (whole + fraction).replace(/^0+/, "");
  const zeros = (whole + fraction).length - digits.length;
  const point = whole.length - zeros + Math.max(-1000, Math.min(1000, Number(exponent)));
  const significant = digits.replace(/0+$/, "");
  if (minus || significant === "") return { fault: "Enter an amount of more than 0." };
  if (point > WHOLE_DIGITS_MAX) return { fault: `Enter at most ${WHOLE_DIGITS_MAX} digits before the point.` };
  if (significant.length - point > decimals) return { fault: precision(decimals, code) };
  // An exponent may hide the digits of a card number.
  const amount = written(significant, point, decimals);
  return !exempt && (isCard(number) || isCard(amount)) ? { fault: CARD } : { amount };
}

// Each check returns what is wrong, in words, or nothing.
export const checks = {
  amount: (text, currency) => readAmount(text, currency).fault ?? "",
  payer_name: textFault,
  transaction: textFault,
};

function textFault(text, { chars, exempt }) {
  if (/\p{Surrogate}/u.test(text)) return NO_TEXT;
  return tooLong(text, chars) || (!exempt && isCard(text) ? CARD : "");
}

// Every digit of an amount as it is, in groups of three.
export function grouped(amount) {
  const [whole, ...fraction] = amount.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...fraction].join(".");
}

function written(significant, point, decimals) {
  const whole = point > 0 ? significant.padEnd(point, "0").slice(0, point) : "0";
  const fraction = point > 0 ? significant.slice(point) : "0".repeat(-point) + significant;
  return decimals === 0 ? whole : `${whole}.${fraction.padEnd(decimals, "0")}`;
}

function precision(decimals, code) {
  if (decimals === 0) return `${code} has no decimals.`;
  return `${code} has at most ${decimals} decimals.`;
}

// Characters as the server counts them: an emoji is one, where a string's length says two.
function tooLong(text, chars) {
  const count = [...text].length;
  return count > chars ? `At most ${chars} characters; this has ${count}.` : "";
}
