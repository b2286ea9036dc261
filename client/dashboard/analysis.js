// The mean time course of signals of a study around events that the owner chooses from a list, alone or compared with others.

import { encode, get } from "./api.js";
import { count, h, show, showStatus, withMinus } from "./dom.js";
import { around } from "./plots.js";

export async function analysis(study) {
  const path = `/v1/library/studies/${encode(study)}`;
  const found = await get(`${path}/events`);
  const first = choice(found, "Events");
  const other = choice(found, "Compared with", true);
  const signal = h("select", {}, h("option", { value: "" }, "valence and arousal"), found.signals.map((id) => h("option", { value: id }, id)));
  const seconds = (value) => h("input", { type: "number", step: "0.1", value, required: true });
  const [from, until] = [seconds("-1"), seconds("4")];
  const result = h("section", { class: "card", "aria-live": "polite" });
  let stops = [];
  let draw = () => [];
  let turn = 0;
  const stop = () => { stops.forEach((end) => end()); stops = []; };
  const load = async () => {
    const mine = ++turn;
    stop();
    draw = () => [];
    if (!first.is()) return result.replaceChildren(h("p", { class: "empty" }, "This study has no event in a closed session yet."));
    result.replaceChildren(h("p", { class: "empty" }, "Reading the study's sessions …"));
    const query = new URLSearchParams({ ...first.parameters(), from_s: from.value, until_s: until.value, ...(signal.value && { signal: signal.value }) });
    try {
      const is_comparison = other.is();
      if (is_comparison) for (const [name, value] of Object.entries(other.parameters())) query.set(`other_${name}`, value);
      const answer = await get(`${path}/${is_comparison ? "comparison" : "average"}?${query}`);
      if (mine !== turn) return;
      draw = () => (is_comparison ? showComparison(result, answer) : showAverage(result, answer));
      stops = draw();
    } catch (e) {
      if (e.status === 401) throw e;
      if (mine === turn) result.replaceChildren(h("p", { class: "empty" }, e.message));
    }
  };
  show(
    h("h1", {}, `Events · ${study}`),
    h("form", { class: "card row", onsubmit: (e) => { e.preventDefault(); load().catch((e) => showStatus(e.message)); } },
      first.elements, other.elements,
      h("label", {}, "Signal", signal),
      h("label", {}, "From (s)", from), h("label", {}, "Until (s)", until),
      h("button", { class: "first" }, "Show")),
    found.left_out.map((why) => h("p", { class: "loss small" }, why)),
    result);
  // The plots have the colours of the scheme in which they were drawn.
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => { stop(); stops = draw(); };
  scheme.addEventListener("change", recolour);
  await load();
  return () => { turn++; stop(); scheme.removeEventListener("change", recolour); };
}

/** Selects: the kind of events, one target or value of them, and the condition of the sessions. */
function choice({ kinds, conditions }, label, isOptional = false) {
  const option = (value, text) => h("option", { value }, text);
  const kind = h("select", {}, isOptional && option("", "nothing"),
    kinds.map((k, n) => option(n, `${k.stream} · ${k.kind} (${k.count})`)));
  const usual = kinds.findIndex((k) => k.stream === "page" && k.kind === "click");
  if (!isOptional && usual >= 0) kind.value = usual;
  const which = h("select");
  const chosen = () => (kind.value === "" ? undefined : kinds[Number(kind.value)]);
  const whichLabel = h("label", {}, "Which", which);
  const condition = h("select", {}, option("", "all"), conditions.map((c) => option(c.name, `${c.name} (${c.count})`)));
  const conditionLabel = h("label", {}, "Condition", condition);
  const fill = () => {
    const k = chosen();
    conditionLabel.hidden = !k || conditions.length === 0;
    const all = k ? [...k.targets.map((t) => ["target", t]), ...k.values.map((v) => ["value", v])] : [];
    which.replaceChildren(option("", "all"), ...all.map(([field, { name, count: n }]) => option(JSON.stringify([field, name]), `${name} (${n})`)));
    whichLabel.hidden = all.length === 0;
  };
  kind.addEventListener("change", fill);
  fill();
  const parameters = () => {
    const { stream, kind: name } = chosen();
    const [field, value] = which.value === "" ? [] : JSON.parse(which.value);
    return { stream, kind: name, ...(field && { [field]: value }), ...(condition.value && { condition: condition.value }) };
  };
  return { elements: [h("label", {}, label, kind), whichLabel, conditionLabel], is: () => chosen() !== undefined, parameters };
}

/** `valence` of `affect.valence`. Other signals have their whole names. */
export const shortName = (signal) => signal.replace(/^affect\.(?=valence$|arousal$)/, "");

/** `EDA (µS)`. A plain number has no unit. */
const titled = ({ signal, unit }) => shortName(signal) + (["", "1", "n/a"].includes(unit) ? "" : ` (${unit})`);

const keys = (names) => names.map(([style, name]) => h("span", { class: `key ${style}` }, h("span", {}, name)));

function showAverage(result, answer) {
  const plot = h("div", { class: "plot" });
  // Valence and arousal have colours of their own.
  const lines = answer.signals.map((band) => ({ style: answer.signals.length > 1 ? shortName(band.signal) : "a", name: titled(band), band }));
  const dropped = Object.entries(answer.dropped).map(([why, n]) => `${why.replaceAll("_", " ")} (${n})`).join(", ");
  result.replaceChildren(
    h("div", { class: "row" }, h("h2", {}, `${count(answer.epochs, "epoch")} of ${count(answer.participants, "participant")}`), keys(lines.map(({ style, name }) => [style, name]))),
    plot,
    h("p", { class: "weak small" }, `Mean of the participants' means, relative to the time before the event. Bands are 95 % intervals. ${count(answer.matched, "event")} in ${count(answer.sessions, "session")}${dropped ? `; dropped epochs: ${dropped}` : ""}.`),
    ...answer.left_out.map((why) => h("p", { class: "loss small" }, why)));
  return [around(plot, answer.times_s, lines)];
}

function showComparison(result, answer) {
  const bands = (s) => new Map(s.signals.map((band) => [shortName(band.signal), band]));
  const [of_a, of_b] = [bands(answer.a), bands(answer.b)];
  const plots = [...of_a].filter(([measure]) => of_b.has(measure)).map(([measure, band]) => ({ measure, title: titled(band), plot: h("div", { class: "plot" }) }));
  const side = (s) => `${s.name}: ${count(s.epochs, "epoch")} of ${count(s.participants, "participant")}`;
  result.replaceChildren(
    h("div", { class: "row" }, h("h2", {}, "Two kinds of events"), keys([["a", side(answer.a)], ["b", side(answer.b)]])),
    ...plots.flatMap(({ measure, title, plot }) => [h("h3", {}, title), plot, tested(answer.comparisons.find((c) => c.measure === measure))]),
    h("p", { class: "weak small" }, `Means of the participants' means, relative to the time before the event, with 95 % intervals. Cluster-based permutation test with ${answer.permutations} permutations, seed ${answer.seed}; ${count(answer.sessions, "session")}.`),
    ...answer.notes.map((sentence) => h("p", { class: "weak small" }, sentence)),
    ...answer.left_out.map((why) => h("p", { class: "loss small" }, why)));
  return plots.map(({ measure, plot }) => around(plot, answer.times_s, [
    { style: "a", name: answer.a.name, band: of_a.get(measure) }, { style: "b", name: answer.b.name, band: of_b.get(measure) }]));
}

const number = (value, digits = 3) => (value === null ? "–" : withMinus(value.toFixed(digits)));
const p = (value) => (value < 0.001 ? "p < 0.001" : `p = ${value.toFixed(3)}`);

function tested(c) {
  if (!c) return h("p", { class: "weak small" }, "The difference could not be tested.");
  const clusters = c.clusters.filter((k) => k.is_significant);
  const where = clusters.length
    ? `They differ from ${clusters.map((k) => `${number(k.from_s, 2)} s to ${number(k.until_s, 2)} s (${p(k.p)})`).join(", and from ")}.`
    : `No difference is significant${c.clusters.length ? ` (smallest ${p(Math.min(...c.clusters.map((k) => k.p)))})` : ""}.`;
  return h("div", { class: "small" },
    h("p", {}, `${where} Mean difference from the event on: ${number(c.difference)} (95 % ${number(c.low)} to ${number(c.high)}${c.cohens_d === null ? "" : `, d = ${number(c.cohens_d, 2)}`}), ${c.design}, n = ${c.n_a} and ${c.n_b}.`),
    c.notes.map((sentence) => h("p", { class: "weak" }, sentence)));
}
