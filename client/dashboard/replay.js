// The recorded page in a document of its own. The dashboard around it sends the events and the playhead.

import { startPlayer } from "../src/replay-player.ts";

const report = (note) => parent.postMessage(note, location.origin);
let showAt = () => {};

addEventListener("message", (e) => {
  if (e.source !== parent || e.origin !== location.origin) return;
  if (e.data.events) {
    showAt = startPlayer(e.data.events, report);
    report({ ready: e.data.events.length });
  }
  if (e.data.playhead) showAt(e.data.playhead);
});
report({ wants_events: true });
