// Plays a recorded page with rrweb at a playhead. The lab program's replay window and the dashboard use it. Their document has
// the elements `stage` and `status`. Times are those of the session's clock.

import { type eventWithTime, Replayer } from 'rrweb';

/** Sent each time the playhead is moved, and at intervals while it plays. */
export interface Playhead { at_ms: number; is_playing: boolean; rate: number }

/** The replay jumps when it differs from the playhead by more than this. */
const TOLERATED_MS = 150;

/** A sentence in the place of the page; with an empty one the page is shown. */
export const showStatus = (sentence: string): void => {
  document.getElementById('status')!.textContent = sentence;
  document.getElementById('stage')!.hidden = sentence !== '';
};

/** Scales the page, which has the size of the visitor's window, to fit. */
const fit = (replayer: Replayer): void => {
  const { offsetWidth, offsetHeight } = replayer.iframe;
  if (offsetWidth === 0 || offsetHeight === 0) return;
  const scale = Math.min(innerWidth / offsetWidth, innerHeight / offsetHeight);
  replayer.wrapper.style.transform = `scale(${scale})`;
};

/** Returns the function that shows the page at a playhead. `report` is called with each time that is shown. */
export const startPlayer = (events: eventWithTime[], report: (note: object) => void): ((playhead: Playhead) => void) => {
  const first = events[0];
  if (first === undefined || events.length < 2) {
    showStatus('Nothing of the page was recorded.');
    return () => undefined;
  }
  const replayer = new Replayer(events, {
    root: document.getElementById('stage')!, skipInactive: false, showWarning: false, showDebug: false, loadTimeout: 0,
    mouseTail: false, UNSAFE_replayCanvas: false, triggerFocus: false,
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
  return (playhead) => {
    if (wanted === undefined) requestAnimationFrame(show);
    wanted = playhead;
  };
};
