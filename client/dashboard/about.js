// What is known about a session: its study and quality, the consent, and the owner's note.

import { put } from "./api.js";
import { clock, count, dateTime, h, showStatus } from "./dom.js";

const list = (pairs) => h("dl", {}, pairs.filter(Boolean).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));

export function about(data) {
  const q = data.quality;
  const ofFace = q && q.face_record !== "nothing";
  return list([
    ["Study", data.study_title], ["Started", dateTime(data.started_utc)], ["Camera", data.camera],
    data.condition !== null && ["Condition", data.condition],
    q && ["Length", clock(q.seconds)],
    q && ["Grade", h("span", { class: "grade" }, q.grade)],
    ofFace && ["Frames scored", q.frames_scored],
    ofFace && q.face_record === "scores" && ["Frames not scored, no picture is stored", q.frames_skipped],
    ofFace && ["Frames with a face", q.face_share === null ? "–" : `${(100 * q.face_share).toFixed(1)} %`],
    ofFace && ["Frames lost", q.frames_lost ? h("span", { class: "loss" }, q.frames_lost) : 0],
    q && q.page_busy && ["Page blocked", `${(100 * q.page_busy.share).toFixed(1)} %, at most ${q.page_busy.longest_s.toFixed(2)} s at a time`],
    q && q.frames_unseen > 0 && ["Frames of other sites, not recorded", q.frames_unseen],
    q && q.clock_uncertainty_ms !== null && ["Uncertainty of the page's clock", `± ${q.clock_uncertainty_ms.toFixed(2)} ms`],
    q && q.clock_jumps && ["Jumps of the page's clock", `${count(q.clock_jumps.count, "jump")}, events of uncertain time: ${q.clock_jumps.events}`],
  ]);
}

/** The record of the participant's consent. */
export function consent({ consent: c }) {
  const given = c.given_utc !== null;
  const isOwn = c.is_study_text;
  const text = isOwn === true ? "the study's text, below" : isOwn === false ? "another text of the page; only its checksum is stored" : "the library's description of what is recorded, or a text of the page; only its checksum is stored";
  return h("section", { class: "card" },
    h("h2", {}, "Consent"),
    list([
      ["Given", given ? dateTime(c.given_utc) : "No consent was sent."],
      c.was_required !== null && ["Required by the study", c.was_required ? "yes" : "no"],
      given && ["Text that was shown", text],
      given && ["SHA-256 of that text", h("code", {}, c.text_sha256)],
    ]),
    c.study_text !== "" && h("details", { class: "small" }, h("summary", {}, "The study's text when the session began"), h("p", { class: "text" }, c.study_text)));
}

/** The owner's note, which is stored when the field is left. */
export function note(path, data) {
  const field = h("textarea", { rows: 3, maxlength: 5000, placeholder: "For example: answered the telephone at 02:10" });
  field.value = data.note;
  let stored = data.note;
  const store = async () => {
    const written = field.value.trim();
    if (written === stored) return;
    try {
      await put(`${path}/note`, { note: written });
      stored = written;
      showStatus("The note is stored.");
    } catch (e) {
      showStatus(`The note was not stored. ${e.message}`);
    }
  };
  field.addEventListener("change", store);
  return h("section", { class: "card" }, h("h2", {}, "Note"), h("label", {}, "Only this server has the note. Downloads do not contain it.", field));
}
