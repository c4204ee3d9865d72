// The receipt: its id goes to the clipboard with one press. Without a script it is selected as a whole.

import { forget } from "./kept.js";

const id = document.getElementById("id");
const copy = document.getElementById("copy");

// What is recorded needs no following: the next payment of this tab starts with an empty form.
const isRecorded = document.querySelector("[data-recorded]") !== null;
if (isRecorded) forget(id.textContent);

copy.hidden = false;
copy.addEventListener("click", async () => {
  copy.textContent = (await isCopied()) ? "Copied" : "Select it";
});

async function isCopied() {
  try {
    await navigator.clipboard.writeText(id.textContent);
    return true;
  } catch {
    // Pages over plain HTTP have no clipboard of that kind.
    getSelection().selectAllChildren(id);
    return document.execCommand("copy");
  }
}
