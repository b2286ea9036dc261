// One participant: all sessions, and erasing them.

import { encode, erase } from "./api.js";
import { confirmFirst } from "./dialog.js";
import { h, show, showStatus } from "./dom.js";
import { sessionList } from "./sessions.js";

export async function participant(name) {
  const list = sessionList({ participant: name });
  await list.first;
  show(
    h("div", { class: "row" }, h("h1", {}, name), list.count,
      h("span", { class: "end row" }, h("button", { type: "button", onclick: () => eraseParticipant(name) }, "Erase participant…"))),
    list.table);
  return list.end;
}

export const eraseParticipant = (name) => confirmFirst({
  title: `Erase ${name} permanently?`,
  text: "This erases all sessions of this participant, their videos, the notes, the link to the recruiting service, and the row in participants.tsv from this server. It cannot be undone. Downloaded copies are not erased.",
  action: "Erase",
  typed: name,
  run: async () => {
    await erase(`/v1/library/participants/${encode(name)}`);
    showStatus(`${name} was erased.`);
    location.hash = "#/";
  },
});
