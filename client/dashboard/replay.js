// The recorded page in a document of its own. The dashboard around it sends the events and the playhead.

import { showStatus, startPlayer } from "../src/replay-player.ts";

const report = (note) => parent.postMessage(note, location.origin);
let showAt = () => {};

function begin(events) {
  try {
    showAt = startPlayer(events, () => {}); // the dashboard needs no message for each moment that is drawn
    report({ ready: events.length });
  } catch (error) {
    showStatus("The page cannot be replayed.");
    report({ problem: String(error) });
  }
}

addEventListener("message", (e) => {
  if (e.source !== parent || e.origin !== location.origin) return;
  if (e.data.events) begin(e.data.events);
  if (e.data.playhead) showAt(e.data.playhead);
});
report({ wants_events: true });
