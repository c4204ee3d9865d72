// The server's rules, so that a person hears of a mistake before it is sent. The server decides all the same; a test
// holds both to the same answers.

const WHOLE_DIGITS_MAX = 15;

// Each check returns what is wrong, in words, or nothing.
export const checks = {
  amount(text, { decimals, code }) {
    if (text === "") return "Enter an amount.";
    const number = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text);
    if (!number) return "Enter a number such as 100 or 100.00, with a point before the decimals.";
    const [, minus, whole, fraction = "", exponent = "0"] = number;
    const digits = (whole + fraction).replace(/^0+/, "");
    const zeros = (whole + fraction).length - digits.length;
    const point = whole.length - zeros + Math.max(-1000, Math.min(1000, Number(exponent)));
    const significant = digits.replace(/0+$/, "");
    if (minus || significant === "") return "Enter an amount of more than 0.";
    if (point > WHOLE_DIGITS_MAX) return `Enter at most ${WHOLE_DIGITS_MAX} digits before the point.`;
    if (significant.length - point > decimals) return precision(decimals, code);
    return isCard(text) || isCard(written(significant, point, decimals)) ? CARD : "";
  },
  payer_name: (text, { chars }) => tooLong(text, chars) || (isCard(text) ? CARD : ""),
  transaction: (text, { chars }) => tooLong(text, chars) || (isCard(text) ? CARD : ""),
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

// 13 to 19 digits, in groups as on a card, that start as an issuer's do and pass the Luhn check. UUIDs and digests
// hold such digits by chance.
export function isCard(text) {
  const plain = text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{32,}/gi, "x");
  return (plain.match(/\d+(?:[ .\u00a0-]\d+)*/g) ?? []).some((match) => {
    const runs = match.split(/\D/);
    return runs.some((_, first) =>
      runs.slice(first).some((_, more) => {
        const digits = runs.slice(first, first + more + 1).join("");
        return hasIssuer(digits) && passesLuhn(digits);
      }),
    );
  });
}

function hasIssuer(digits) {
  const first = (count) => Number(digits.slice(0, count));
  const within = (count, ...ranges) => ranges.some(([from, to = from]) => first(count) >= from && first(count) <= to);
  const diners = within(3, [300, 305], [309]) || within(2, [36], [38], [39]);
  const visa = digits[0] === "4";
  const jcb = within(4, [3528, 3589]);
  switch (digits.length) {
    case 13: return visa;
    case 14: return diners;
    case 15: return within(2, [34], [37]);
    case 16: return visa || diners || jcb || within(2, [50, 69], [81, 82]) || within(4, [2200, 2204], [2221, 2720]);
    case 17: case 18: case 19: return visa || jcb || within(2, [50], [56, 69]);
    default: return false;
  }
}

function passesLuhn(digits) {
  const values = [...digits].reverse().map((digit, at) => Number(digit) * (at % 2 ? 2 : 1));
  return values.reduce((sum, value) => sum + Math.floor(value / 10) + (value % 10), 0) % 10 === 0;
}
