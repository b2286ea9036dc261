// Shows a recorded page again. The lab program's replay window loads this as `replay.js` and sends it the position of the
// playhead. Times are those of the session's clock.

import type { eventWithTime } from 'rrweb';
import rules from 'rrweb/dist/style.css';
import { type Playhead, showStatus, startPlayer } from './replay-player';

const style = document.createElement('style');
style.textContent = rules;
document.head.append(style);
const report = (note: object): void =>
  (globalThis as unknown as { ipc: { postMessage(text: string): void } }).ipc.postMessage(JSON.stringify(note));

const begin = async (): Promise<void> => {
  const events = await (await fetch('events.json')).json() as eventWithTime[];
  (globalThis as unknown as { showAt(playhead: Playhead): void }).showAt = startPlayer(events, report);
  report({ ready: events.length });
};

begin().catch((error: unknown) => {
  showStatus('The page cannot be replayed.');
  report({ problem: String(error) });
});
