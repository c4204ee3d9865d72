// What this tab keeps over a reload: one record of each payment, the oldest first.

const NAME = "payments";

// Those that are still needed; the others go.
export function kept(isNeeded) {
  const needed = new Map([...records()].filter(([, record]) => isNeeded(record)));
  store(needed);
  return [...needed.values()];
}

// Only its own page may know what became of a payment: pages that the browser holds for Back and Forward share this.
export function keep(id, record) {
  store(records().set(id, record));
}

export function forget(id) {
  const all = records();
  if (all.delete(id)) store(all);
}

function records() {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(NAME)));
  } catch {
    return new Map();
  }
}

// A browser that keeps nothing still sends under one id while the page is open.
function store(records) {
  try {
    if (records.size > 0) sessionStorage.setItem(NAME, JSON.stringify([...records]));
    else sessionStorage.removeItem(NAME);
  } catch {}
}
