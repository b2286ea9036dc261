// Shows a recorded page again. The lab program's replay window loads this as `replay.js` and sends it the position of the
// playhead. Times are those of the session's clock.

import { type eventWithTime, Replayer } from 'rrweb';
import rules from 'rrweb/dist/style.css';

/** The program sends this each time the playhead is moved, and at intervals while it plays. */
interface Playhead { at_ms: number; is_playing: boolean; rate: number }

/** The replay jumps when it differs from the playhead by more than this. */
const TOLERATED_MS = 150;

const style = document.createElement('style');
style.textContent = rules;
document.head.append(style);
const stage = document.getElementById('stage')!;
const status = document.getElementById('status')!;
const report = (note: object): void =>
  (globalThis as unknown as { ipc: { postMessage(text: string): void } }).ipc.postMessage(JSON.stringify(note));

const showStatus = (sentence: string): void => {
  status.textContent = sentence;
  stage.hidden = sentence !== '';
};

/** Scales the page, which has the size of the visitor's window, to fit. */
const fit = (replayer: Replayer): void => {
  const { offsetWidth, offsetHeight } = replayer.iframe;
  if (offsetWidth === 0 || offsetHeight === 0) return;
  const scale = Math.min(innerWidth / offsetWidth, innerHeight / offsetHeight);
  replayer.wrapper.style.transform = `scale(${scale})`;
};

const begin = async (): Promise<void> => {
  const events = await (await fetch('events.json')).json() as eventWithTime[];
  const first = events[0];
  if (first === undefined || events.length < 2) {
    showStatus('Nothing of the page was recorded.');
    report({ ready: events.length });
    return;
  }
  const replayer = new Replayer(events, {
    root: stage, skipInactive: false, showWarning: false, showDebug: false, loadTimeout: 0, mouseTail: false,
    UNSAFE_replayCanvas: false, triggerFocus: false,
  });
  replayer.on('resize', () => fit(replayer));
  addEventListener('resize', () => fit(replayer));
  let playing: number | undefined; // the rate
  let wanted: Playhead | undefined;
  const show = (): void => {
    if (wanted === undefined) return;
    const { at_ms, is_playing, rate } = wanted;
    wanted = undefined;
    const offset_ms = at_ms - first.timestamp;
    showStatus(offset_ms < 0 ? 'The page was not yet there.' : '');
    const at = Math.max(offset_ms, 0);
    // Before the first snapshot of the page its clock does not run.
    if (is_playing && offset_ms >= 0) {
      const is_close = playing === rate && Math.abs(replayer.getCurrentTime() - at) < TOLERATED_MS * rate;
      if (!is_close) {
        replayer.setConfig({ speed: rate });
        replayer.play(at);
      }
      playing = rate;
    } else {
      replayer.pause(at);
      playing = undefined;
    }
    fit(replayer);
    report({ shown_ms: at_ms });
  };
  // While the playhead is dragged, only the newest position is drawn.
  (globalThis as unknown as { showAt(playhead: Playhead): void }).showAt = (playhead) => {
    if (wanted === undefined) requestAnimationFrame(show);
    wanted = playhead;
  };
  report({ ready: events.length });
};

begin().catch((error: unknown) => {
  showStatus('The page cannot be replayed.');
  report({ problem: String(error) });
});
