// What this tab keeps of the payment at hand, over a reload.

const NAME = "payment";

// A browser that keeps nothing still sends under one id while the page is open.
export function keep(payment) {
  try {
    if (payment) sessionStorage.setItem(NAME, JSON.stringify(payment));
    else sessionStorage.removeItem(NAME);
  } catch {}
}

export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return undefined;
  }
}
