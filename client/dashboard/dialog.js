// Questions that the owner answers before something is changed that cannot be undone.

import { attempt, h } from "./dom.js";

/**
 * Opens a dialog. `run` is awaited when the owner confirms. Its error is shown, and the dialog stays open. `typed` is a word
 * that the owner has to type first.
 */
export function confirmFirst({ title, text, action, typed, run }) {
  const problem = h("p", { class: "loss", role: "alert" });
  const word = typed && h("input", { autocomplete: "off", required: true, pattern: typed.replace(/[^\w-]/g, "") });
  const button = h("button", { class: "first" }, action);
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" },
    h("form", { onsubmit: (e) => { e.preventDefault(); go(); } },
      h("h2", { id: "dialog-title" }, title),
      h("p", {}, text),
      word && h("label", {}, `Type ${typed} to confirm`, word),
      problem,
      h("div", { class: "row" }, button, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  const go = async () => {
    if (await attempt(button, problem, run)) dialog.close();
  };
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
