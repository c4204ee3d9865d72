// The receipt: its id goes to the clipboard with one press. Without a script it is selected as a whole.

const id = document.getElementById("id");
const copy = document.getElementById("copy");

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
