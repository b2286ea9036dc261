// The mean time course of a study around one kind of event.

import { encode, get } from "./api.js";
import { h, show } from "./dom.js";
import { course } from "./plots.js";

export async function average(study) {
  const stream = h("input", { value: "page", required: true });
  const kind = h("input", { value: "click", required: true });
  const target = h("input", { placeholder: "any" });
  const seconds = (value) => h("input", { type: "number", step: "0.1", value, required: true });
  const [from, until] = [seconds("-1"), seconds("4")];
  const result = h("section", { class: "card", "aria-live": "polite" });
  let stop = () => {};
  const load = async () => {
    stop();
    stop = () => {};
    result.replaceChildren(h("p", { class: "empty" }, "Reading the study's sessions …"));
    const query = new URLSearchParams({ stream: stream.value, kind: kind.value, from_s: from.value, until_s: until.value });
    if (target.value) query.set("target", target.value);
    try {
      const answer = await get(`/v1/library/studies/${encode(study)}/average?${query}`);
      const plot = h("div", { class: "plot" });
      const dropped = Object.entries(answer.dropped).map(([why, n]) => `${n} ${why.replaceAll("_", " ")}`).join(", ");
      result.replaceChildren(
        h("div", { class: "row" }, h("h2", {}, `${answer.epochs} epochs of ${answer.participants} participants`),
          h("span", { class: "key valence" }, h("span", {}, "valence")), h("span", { class: "key arousal" }, h("span", {}, "arousal"))),
        plot,
        h("p", { class: "weak small" }, `Mean of the participants' means, relative to the time before the event. Bands are 95 % intervals. ${answer.matched} events in ${answer.sessions} sessions${dropped ? `; dropped epochs: ${dropped}` : ""}.`),
        answer.left_out.map((why) => h("p", { class: "loss small" }, why)));
      stop = course(plot, answer);
    } catch (e) {
      if (e.status === 401) throw e;
      result.replaceChildren(h("p", { class: "empty" }, e.message));
    }
  };
  show(
    h("h1", {}, `Average around events · ${study}`),
    h("form", { class: "card row", onsubmit: (e) => { e.preventDefault(); load(); } },
      h("label", {}, "Stream", stream), h("label", {}, "Kind", kind), h("label", {}, "Target (recorded selector)", target),
      h("label", {}, "From (s)", from), h("label", {}, "Until (s)", until),
      h("button", { class: "first" }, "Show")),
    result);
  await load();
  return () => stop();
}
