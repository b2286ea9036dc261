// Face and page beside the curves, at one playhead on the session's clock.

import { lines } from "./api.js";
import { clock, h } from "./dom.js";

const TICK_MS = 66;
/** While the session plays, pictures are requested at these steps. */
const PICTURE_STEP_S = 0.05;

/**
 * `moved` is called with the playhead's time. `end_s` is the end of the session. Null if the session has neither pictures nor a
 * recorded page. Nothing is shown before the first call of `to`, because the element is not in the page before.
 */
export function playback(path, data, end_s, moved) {
  if (!data.has_pictures && !data.has_replay) return null;
  let at_s = 0;
  let begun = null; // performance.now() and playhead at the start of playing
  const face = data.has_pictures ? pictures(path) : null;
  const page = data.has_replay ? recordedPage(path) : null;
  const play = h("button", { type: "button", class: "first", onclick: () => toggle() }, "Play");
  const place = h("input", { type: "range", min: 0, max: Math.max(1, end_s).toFixed(1), step: 0.1, value: 0, "aria-label": "Time in the session" });
  const shown = h("span", { class: "weak small" });
  const draw = () => {
    place.value = at_s.toFixed(1);
    shown.textContent = `${clock(at_s)} of ${clock(end_s)}`;
    face?.show(at_s, begun !== null);
    page?.show(at_s, begun !== null);
    moved(at_s);
  };
  const to = (s) => {
    at_s = Math.max(0, Math.min(end_s, s));
    if (begun) begun = { ms: performance.now(), at_s };
    draw();
  };
  const toggle = () => {
    if (begun === null && at_s >= end_s) at_s = 0;
    begun = begun === null ? { ms: performance.now(), at_s } : null;
    play.textContent = begun === null ? "Play" : "Pause";
    draw();
  };
  place.addEventListener("input", () => to(Number(place.value)));
  const timer = setInterval(() => {
    if (begun === null) return;
    at_s = Math.min(end_s, begun.at_s + (performance.now() - begun.ms) / 1000);
    if (at_s >= end_s) toggle();
    else draw();
  }, TICK_MS);
  const element = h("section", { class: "card" },
    h("div", { class: "row" }, h("h2", {}, "Playback"), play, h("label", { class: "place" }, place), shown),
    h("div", { class: "media" }, face?.element, page?.element));
  return { element, to, end: () => { clearInterval(timer); page?.end(); } };
}

/** One picture is requested at a time. While it loads, only the newest time is remembered. */
function pictures(path) {
  const img = h("img", { class: "face", alt: "The participant's face at the time of the playhead" });
  const none = h("p", { class: "weak small" }, "No picture at this time.");
  let wanted = null;
  let shown = null;
  let isLoading = false;
  const next = () => {
    if (isLoading || wanted === null || wanted === shown) return;
    isLoading = true;
    shown = wanted;
    img.src = `${path}/picture?at_s=${shown}`;
  };
  const loaded = (isThere) => {
    isLoading = false;
    img.hidden = !isThere;
    none.hidden = isThere;
    next();
  };
  img.addEventListener("load", () => loaded(true));
  img.addEventListener("error", () => loaded(false));
  none.hidden = true;
  const show = (at_s, is_playing) => {
    const step_s = is_playing ? PICTURE_STEP_S : 0.001;
    // Rounded up, so that the first picture is found at its own time.
    wanted = (Math.ceil(at_s / step_s - 1e-6) * step_s).toFixed(3);
    next();
  };
  return { element: h("figure", {}, h("figcaption", { class: "weak small" }, "Face"), img, none), show };
}

/** The recorded page, in a document of its own that may request nothing. It is loaded when the owner asks for it. */
function recordedPage(path) {
  const status = h("p", { class: "weak small", role: "status" });
  const load = h("button", { type: "button", onclick: () => begin() }, "Load the recorded page");
  const place = h("div", {}, load, status);
  let frame = null;
  let isReady = false;
  let events = null; // until the page has them
  let last = { at_ms: 0, is_playing: false, rate: 1 };
  const tell = (message) => frame?.contentWindow?.postMessage(message, location.origin);
  const heard = (e) => {
    if (e.source !== frame?.contentWindow || e.origin !== location.origin) return;
    if (e.data.wants_events) tell({ events });
    if (e.data.ready !== undefined) { isReady = true; events = null; status.textContent = ""; tell({ playhead: last }); }
    if (e.data.problem) status.textContent = "The page cannot be replayed.";
  };
  const begin = async () => {
    load.disabled = true;
    status.textContent = "Reading the recorded page …";
    try {
      events = await lines(`${path}/replay`);
    } catch (e) {
      load.disabled = false;
      status.textContent = e.message;
      return;
    }
    if (events.length < 2) {
      status.textContent = "Nothing of the page was recorded.";
      return;
    }
    frame = h("iframe", { src: "/dashboard/replay.html", sandbox: "allow-scripts allow-same-origin", title: "The recorded page" });
    addEventListener("message", heard);
    place.replaceChildren(frame, status);
  };
  const show = (at_s, is_playing) => {
    last = { at_ms: at_s * 1000, is_playing, rate: 1 };
    if (isReady) tell({ playhead: last });
  };
  return {
    element: h("figure", {}, h("figcaption", { class: "weak small" }, "Page"), place), show,
    end: () => removeEventListener("message", heard),
  };
}
