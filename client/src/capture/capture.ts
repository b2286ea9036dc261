// Puts the sources together. Knows no transport: the lab's ipc and the web's HTTP get the very same calls of `deliver`.

import { TooLong, call, isError, stringify } from '../natives/js';
import { here, listen, now, place, unlisten } from '../natives/dom';
import { type Body, type Deliver, type Emit, type Lane, emitter } from './emit';
import { type Content, type Masking, masking } from './privacy';
import { selector } from './selector';
import { address, text } from './text';

export type Stop = () => void;

/** What a source is given. */
export interface Desk {
  emit: Emit;
  masks: Masking;
  /** Adds a listener whose errors are told and never reach the page. `t` is the moment at which it began. */
  on<E extends Event>(target: EventTarget, type: string, handle: (event: E, t: number) => void): void;
  /** Runs something of ours on the page's behalf, with the same promise. */
  guarded(kind: string, t: number, run: () => void): void;
}

/** Begins to tell; what it returns ends what listeners cannot end. */
export type Source = (desk: Desk) => Stop | undefined;

export interface Capture {
  /** Adds the listeners again where the page took them away, as `document.open()` does. */
  attach(): void;
  mark(name: unknown, data: unknown): void;
  emit: Emit;
  stop(): void;
}

export interface CaptureSettings {
  mask: readonly string[];
  content: Content;
}

interface Listener { target: EventTarget; type: string; run: EventListener }

const TYPED = 4000;
const MARK_JSON = 32000;
const OPTIONS = { __proto__: null, capture: true, passive: true } as AddEventListenerOptions;

export const laneOf = (event: Event): Lane => (event.isTrusted ? 'u' : 'p');
/** Made by the page's own script, not by the participant. */
export const synthetic = (event: Event): true | undefined => (event.isTrusted ? undefined : true);

export const size = (): Body => ({
  __proto__: null, width_px: here.innerWidth, height_px: here.innerHeight, pixel_ratio: here.devicePixelRatio,
});

/** Something happened there, and that is all that is told. */
export const spot = (masks: Masking, event: Event, node: unknown): Body => ({
  __proto__: null,
  target: selector(node),
  is_masked: masks.isMasked(node) || undefined,
  synthetic: synthetic(event),
});

/** How coarse this clock is: the least of three of its steps, since a busy machine makes some look larger. At most
 * 4 ms, or the first step. */
export const tick = (): number => {
  const start = now();
  let last = start;
  let least = Infinity;
  for (let steps = 0; steps < 3 && (steps === 0 || last - start < 4);) {
    const time = now();
    if (time === last) continue;
    if (time - last < least) least = time - last;
    last = time;
    steps++;
  }
  return least;
};

/** The JSON of what the page says in a mark; `undefined` where that cannot be written. */
const markJson = (data: unknown): { json: string | undefined; isRefused: boolean } => {
  try {
    const json = stringify(data, (_, value: unknown) => (typeof value === 'string' ? text(value, TYPED) : value)) as
      string | undefined;
    if (json !== undefined && json.length > MARK_JSON) throw new TooLong('too long');
    return { __proto__: null, json, isRefused: false } as { json: string | undefined; isRefused: boolean };
  } catch {
    // circular, too long, or its own code threw
    return { __proto__: null, json: undefined, isRefused: true } as { json: undefined; isRefused: boolean };
  }
};

/** `lose` hears of an event that could not even be told. */
export const capture = (
  settings: CaptureSettings, sources: readonly Source[], deliver: Deliver, lose: (t: number) => void,
): Capture => {
  const emit = emitter(deliver);
  const masks = masking(settings.mask, settings.content);
  let isStopped = false;

  const failed = (kind: string, t: number, error: unknown) => {
    const message = isError(error) ? error.message : error;
    emit.now('p', 'recorder_failed', t, { __proto__: null, during: text(kind, 32), message: text(message, 200) });
  };
  const guarded = (kind: string, t: number, run: () => void) => {
    try {
      if (!isStopped) run();
    } catch (error) {
      try {
        failed(kind, t, error);
      } catch {
        lose(t);
      }
    }
  };
  // Without a prototype, so that a page cannot change how the list is read; filled once below.
  const listeners = { __proto__: null } as unknown as Record<number, Listener>;
  let count = 0;
  const on: Desk['on'] = (target, type, handle) => {
    const run = (event: Event) => {
      const t = now();
      guarded(type, t, () => handle(event as never, t));
    };
    listeners[count++] = { __proto__: null, target, type, run } as unknown as Listener;
  };
  const attach = () => {
    // The same listener is added only once, so this can be repeated.
    for (let i = 0; i < count && !isStopped; i++) listen(listeners[i]!.target, listeners[i]!.type, listeners[i]!.run, OPTIONS);
  };

  const t = now();
  const first = size();
  first.url = address(place.href);
  first.tick_ms = tick();
  emit.now('c', 'document', t, first);
  const desk = { __proto__: null, emit, masks, on, guarded } as unknown as Desk;
  const stops = { __proto__: null } as unknown as Record<number, Stop | undefined>;
  for (let i = 0; i < sources.length; i++) stops[i] = sources[i]!(desk);
  attach();
  if (masks.problem) failed('mask', t, masks.problem);

  return {
    __proto__: null,
    attach,
    emit,
    mark: (name: unknown, data: unknown) => {
      const t = now();
      guarded('mark', t, () => {
        const { json, isRefused } = markJson(data);
        emit.written('p', 'mark', t, '{"name":' + stringify(text(name, 100)) + (isRefused ? ',"data_is_refused":true' : '')
          + (json === undefined ? '' : ',"data":' + json) + '}');
      });
    },
    stop: () => {
      if (isStopped) return;
      emit.release();
      isStopped = true;
      for (let i = 0; i < count; i++) unlisten(listeners[i]!.target, listeners[i]!.type, listeners[i]!.run, OPTIONS);
      for (let i = 0; i < sources.length; i++) {
        const stop = stops[i];
        if (stop) call(stop, undefined, []);
      }
      masks.stop();
    },
  } as unknown as Capture;
};
