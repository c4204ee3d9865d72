// Card numbers, by the rules of the server's own check (payment-core, module card), so that none leaves the browser. One
// table of examples holds both to the same answers.

const DINERS = [[3000, 3059], [3095, 3095], [3600, 3699], [3800, 3999]];
const AMEX = [[3400, 3499], [3700, 3799]];
const SIXTEEN = [...DINERS, [2200, 2204], [2221, 2720], [3528, 3589], [4000, 6999], [8100, 8299]];
const NINETEEN = [[3528, 3589], [4000, 5099], [5600, 5899], [6000, 6999], [8100, 8199]];
const ISSUERS = { 14: DINERS, 15: AMEX, 16: SIXTEEN, 19: NINETEEN };
const LENGTHS = [14, 15, 16, 19];

// With an expiry date right behind the number, only what many cards have: chance would find too much.
const AND_MORE = {
  14: DINERS,
  15: AMEX,
  16: [
    [2221, 2720], [3528, 3589], [4000, 4999], [5018, 5018], [5020, 5020], [5038, 5038], [5100, 5599], [5893, 5893],
    [6011, 6011], [6200, 6299], [6304, 6304], [6440, 6599], [6759, 6759], [6761, 6763], [8100, 8199],
  ],
  19: [[6200, 6299], [8100, 8199]],
};
const YEARS = [24, 36];

const PRINTED = ["4-4-4-4", "4-6-5", "4-6-4", "4-4-4-4-3"];
const INVISIBLE = String.raw`\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff`;
const BLANK = String.raw`[\s\p{Cc}${INVISIBLE}]`;
const GAP = new RegExp(String.raw`^(?!$)${BLANK}*[^\p{Alphabetic}\p{N}]?${BLANK}*$`, "u");

export function isCard(text) {
  if (text.length < 14) return false;
  const views = [text];
  while (views.length < 4) {
    const next = decode(views.at(-1));
    if (next === views.at(-1)) break;
    views.push(next);
  }
  return (
    views.some(isWritten) ||
    views.some((view) => hexTracks(view).some(isWritten)) ||
    views.some((view) => isDumped(dumped(view)))
  );
}

function isWritten(text) {
  let groups = [];
  return runs(text).some((run) => {
    if (run.digits.length >= 12 && isInRun(text, run)) return true;
    if (run.digits.length < 3 || run.digits.length > 6) {
      groups = [];
      return false;
    }
    if (groups.length > 0 && !GAP.test(text.slice(groups.at(-1).end, run.start))) groups = [];
    groups = [...groups, run].slice(-5);
    return PRINTED.some((printed) => isPrinted(text, groups, printed));
  });
}

const runs = (text) =>
  [...text.matchAll(/\d+/g)].map(({ 0: digits, index }) => ({ digits, start: index, end: index + digits.length }));

function isPrinted(text, groups, printed) {
  const last = groups.slice(-printed.split("-").length);
  if (last.map((run) => run.digits.length).join("-") !== printed) return false;
  const gaps = last.slice(1).map((run, at) => text.slice(last[at].end, run.start));
  // A decimal point, unless all gaps are points.
  const isDecimal = gaps.some((gap) => gap === "." || gap === ",") && gaps.some((gap) => gap !== gaps[0]);
  const digits = last.map((run) => run.digits).join("");
  return isNumber(digits) && !isDecimal && !isIdentifier(text, last[0].start, last.at(-1).end);
}

function isInRun(text, { digits, start, end }) {
  if (isTrack(text, digits, start, end)) return true;
  const number = decimalAround(text, start, end);
  if (number) {
    const [, card, more] = /^(\d+)\.(\d{3,4})$/.exec(number) ?? [];
    return isNumberOrMore(wholeDigits(number)) || (more !== undefined && isNumber(card));
  }
  return isNumberOrMore(digits) && !isIdentifier(text, start, end);
}

// ---- the digits

const within = (ranges, digits) => ranges.some(([from, to]) => digits >= from && digits <= to);
const startsAs = (ranges, digits) => within(ranges ?? [], Number(digits.slice(0, 4)));
const isNumber = (digits) => startsAs(ISSUERS[digits.length], digits) && passesLuhn(digits);

function isNumberOrMore(digits) {
  return (
    isNumber(digits) ||
    LENGTHS.some((length) => {
      const card = digits.slice(0, length);
      const more = digits.slice(length);
      const code = length === 15 ? 4 : 3;
      const isMore = [4, 6].some(
        (expiry) => [expiry, expiry + code].includes(more.length) && isExpiry(more.slice(0, expiry)),
      );
      return isMore && startsAs(AND_MORE[length], card) && passesLuhn(card);
    })
  );
}

function isExpiry(digits) {
  const isYear = (year) => within([YEARS], Number(year.length === 4 ? year.replace(/^20(?=..$)/, "") : year));
  return (
    (isMonth(digits.slice(0, 2)) && isYear(digits.slice(2))) || (isMonth(digits.slice(-2)) && isYear(digits.slice(0, -2)))
  );
}

const isMonth = (digits) => within([[1, 12]], Number(digits));

function passesLuhn(digits) {
  const values = [...digits].reverse().map((digit, at) => Number(digit) * (at % 2 ? 2 : 1));
  return values.reduce((sum, value) => sum + Math.floor(value / 10) + (value % 10), 0) % 10 === 0;
}

function decimalAround(text, start, end) {
  const isDigit = (at) => /^\d$/.test(text[at] ?? "");
  let point = -1;
  if (text[end] === "." && isDigit(end + 1)) point = end;
  else if (text[start - 1] === "." && isDigit(start - 2)) point = start - 1;
  if (point < 0) return undefined;
  let [from, to] = [point, point + 1];
  while (isDigit(from - 1)) from -= 1;
  while (isDigit(to)) to += 1;
  if (text[from - 1] === "." || (text[to] === "." && isDigit(to + 1))) return undefined;
  return text.slice(from, to) + (/^[eE][-+]?\d+/.exec(text.slice(to))?.[0] ?? "");
}

function wholeDigits(number) {
  const [, whole, fraction = "", exponent = "0"] =
    /^(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(number) ?? [];
  if (whole === undefined) return "";
  const digits = (whole + fraction).replace(/^0+/, "");
  const point = whole.length - (whole + fraction).length + digits.length + Number(exponent);
  const significant = digits.replace(/0+$/, "");
  return point <= 28 && significant.length <= point ? significant.padEnd(point, "0") : "";
}

// ---- tracks and tags

function isTrack(text, digits, start, end) {
  const [, month] = /^[Dd=]\d\d(\d\d)\d{3}/.exec(text.slice(end, end + 8)) ?? [];
  if (month && isMonth(month) && LENGTHS.some((length) => digits.length >= length && isNumber(digits.slice(-length)))) {
    return true;
  }
  if (isBehind("5A0A", text, start)) return isNumber(digits);
  if (!isBehind("5A", text, start)) return false;
  if (digits.startsWith("07")) return isNumber(digits.slice(2, 16));
  return digits.startsWith("08") && isNumber(digits.slice(2, 18));
}

const isBehind = (tag, text, start) => text.slice(Math.max(0, start - tag.length), start).toUpperCase() === tag;

function hexTracks(text) {
  const words = text.match(/[0-9a-f]{28,}/gi) ?? [];
  const codes = words.flatMap((word) => [word, word.slice(1)]).map((word) => word.match(/../g));
  const ascii = (pairs) =>
    pairs.map((pair) => (parseInt(pair, 16) < 128 ? String.fromCharCode(parseInt(pair, 16)) : "\ufffd")).join("");
  return codes.map(ascii).filter((track) => /\d{14}/.test(track));
}

function dumped(text) {
  const words = text.split(/[ \t\n\f\r:,=-]+/).filter(Boolean);
  const isByte = (word) => /^[0-9a-f]{2}$/i.test(word);
  return words.filter(isByte).length < 8 ? "" : words.map((word) => (isByte(word) ? word : "\n")).join("");
}

function isDumped(bytes) {
  return (
    runs(bytes).some(
      ({ digits, start, end }) =>
        isTrack(bytes, digits, start, end) || (isBehind("\n5A", `\n${bytes}`, start + 1) && isNumber(digits)),
    ) ||
    hexTracks(bytes).some(isWritten)
  );
}

// ---- what is known by its form

function isIdentifier(text, start, end) {
  return (
    isPhone(text, start, end) ||
    isDigest(text, start, end) ||
    isUuid(text, start, end) ||
    isIban(text, start) ||
    isTrackedByUps(text, start, end) ||
    isTrackedByUsps(text, start)
  );
}

function isTrackedByUps(text, start, end) {
  return /^\d{16}$/.test(text.slice(start, end)) && /(?<![A-Za-z0-9])1Z$/i.test(text.slice(0, start));
}

function isTrackedByUsps(text, start) {
  const label = text.slice(Math.max(0, start - 5), start + 22);
  if (!/^9[1-5]\d\d(?:[ -]\d{4}){4}[ -]\d\d$/.test(label)) return false;
  const values = [...label.replace(/\D/g, "")].reverse().map(Number);
  return values.reduce((sum, value, at) => sum + value * (at % 2 ? 3 : 1), 0) % 10 === 0;
}

function isPhone(text, start, end) {
  const count = text.slice(start, end).replace(/\D/g, "").length;
  return count <= 15 && /(^|[^\p{Alphabetic}\p{N}])\+$/u.test(text.slice(0, start));
}

function isDigest(text, start, end) {
  const isLong = (word) => word.length >= 32 && /[a-f]/i.test(word);
  const before = /[0-9a-f]*$/i.exec(text.slice(0, start))[0];
  const word = before + /^[0-9a-f]*/i.exec(text.slice(start))[0];
  if (start - before.length + word.length < end) return false;
  const [, trace = ""] = /(?:^|[^0-9a-f])([0-9a-f]*)-$/i.exec(text.slice(0, start - before.length)) ?? [];
  return isLong(word) || (word.length === 16 && isLong(trace));
}

function isUuid(text, start, end) {
  const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/iy;
  for (uuid.lastIndex = Math.max(0, start - 35); uuid.lastIndex < end; ) {
    const at = uuid.lastIndex;
    if (uuid.test(text)) return true;
    uuid.lastIndex = at + 1;
  }
  return false;
}

// Countries and the forms of their account numbers come with the page: `DE18n GB4a14n …`.
const ibans = () =>
  globalThis.document?.querySelector("[data-ibans]")?.dataset.ibans.split(" ") ?? globalThis.IBANS ?? [];

function isIban(text, start) {
  const forms = new Map(ibans().map((form) => [form.slice(0, 2), form.slice(2)]));
  const words = [...text.slice(Math.max(0, start - 70), start).matchAll(/(?<![A-Za-z0-9])[A-Za-z]{2}/g)];
  const from = Math.max(0, start - 70);
  return words.some(({ 0: country, index }) => {
    const form = forms.get(country.toUpperCase());
    if (!form) return false;
    const classes = { n: "[0-9]", a: "[A-Za-z]", c: "[A-Za-z0-9]" };
    const account = form.replace(/(\d+)([nac])/g, (_, count, kind) => `(?:[^A-Za-z0-9]?${classes[kind]}){${count}}`);
    const iban = new RegExp(`[A-Za-z]{2}(?:[^A-Za-z0-9]?[0-9]){2}${account}(?![A-Za-z0-9])`, "uy");
    iban.lastIndex = from + index;
    const found = iban.exec(text)?.[0];
    return found !== undefined && iban.lastIndex > start && remainder(found.replace(/[^A-Za-z0-9]/g, "")) === 1;
  });
}

function remainder(iban) {
  const digits = [...(iban.slice(4) + iban.slice(0, 4))].map((c) => parseInt(c, 36)).join("");
  return [...digits].reduce((rest, digit) => (rest * 10 + Number(digit)) % 97, 0);
}

// ---- what is written as something else

function decode(text) {
  const percent = text.replace(/(?:%[0-9a-f]{2})+/gi, (codes) => {
    const bytes = codes.match(/[0-9a-f]{2}/gi).map((code) => parseInt(code, 16));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  });
  const entities = percent.replace(/&(#x[0-9a-f]+|#\d+|[a-z0-9]{2,});/gi, (entity, name) => {
    if (name.length > 14) return entity;
    if (name === "amp") return "&";
    if (["shy", "zwj", "zwnj", "ZeroWidthSpace"].includes(name)) return "\u00ad";
    if (name.endsWith("sp") || name === "Tab" || name === "NewLine") return " ";
    if (!name.startsWith("#")) return "\u00b7";
    const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? entity : String.fromCodePoint(code);
  });
  return plainDigits(entities).replace(new RegExp(`[${INVISIBLE}]`, "gu"), "");
}

// Decimal digits of every script stand in tens, each ten from 0 to 9.
export function plainDigits(text) {
  return text.replace(/(?![0-9])\p{Nd}/gu, (c) => {
    let value = 0;
    while (/\p{Nd}/u.test(String.fromCodePoint(c.codePointAt(0) - value - 1))) value += 1;
    return String(value % 10);
  });
}
