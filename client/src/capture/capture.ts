// Connects the sources. It does not depend on the transport: the lab's ipc and the web's HTTP receive the same calls of
// `deliver`.

import { call, isError, memory, stringify } from '../natives/js';
import { MutationObserver, here, listen, now, setTimer, unlisten, watchLongTasks } from '../natives/dom';
import { busy } from './busy';
import { type Body, type Deliver, type Emit, type Lane, emitter } from './emit';
import { type Place, frames, inPage, thePage } from './frames';
import { markJson } from './json';
import { type Content, type Masking, masking } from './privacy';
import { type EventTime, eventTime, eventTimestamps } from './event-time';
import { selector } from './selector';
import { text } from './text';
import { tick } from './tick';

export type Stop = () => void;

/** The window or the document of the page and of each frame, or an object of the page itself. */
type Target = 'window' | 'document' | EventTarget;

/** What a source uses to record. */
export interface SourceContext {
  emit: Emit;
  masks: Masking;
  /** Adds a listener whose errors are told and never reach the page, to the page and to every frame that can be looked
   * into. `at` is when the event happened. */
  on<E extends Event>(target: Target, type: string, handle: (event: E, at: EventTime, place: Place) => void): void;
  /** The same for the page without its frames. */
  onPage<E extends Event>(target: Target, type: string, handle: (event: E, at: EventTime) => void): void;
  /** The time of a part of an event, such as one step of a pointer's path. */
  timed(event: Event, type: string, handled: number, place: Place): EventTime;
  /** Runs our code. Its errors are recorded and never reach the page. */
  guarded(kind: string, t: number, run: () => void): void;
}

/** Begins to tell; what it returns ends what listeners cannot end. */
export type Source = (context: SourceContext) => Stop | undefined;

export interface Capture {
  /** Adds the listeners again after the page removed them, as `document.open()` does. */
  attach(): void;
  mark(name: unknown, data: unknown): void;
  /** Emits the event `document` again, with the present address and size. */
  describe(): void;
  emit: Emit;
  /** The privacy policy. The page's replay uses the same one. */
  masks: Masking;
  stop(): void;
}

export interface CaptureSettings {
  mask: readonly string[];
  content: Content;
  /** Called after listeners were added again. */
  attached?: () => void;
}

interface Listener {
  target: Target;
  type: string;
  isInFrames: boolean;
  handle: (event: Event, at: EventTime, place: Place) => void;
}

/** Where the browser does not measure how long its main thread is blocked, a beat as quick as this does. */
const FAST_POLL_MS = 50;
const POLL_MS = 250;
const FIND_FRAMES_MS = 250;
const OPTIONS = { __proto__: null, capture: true, passive: true } as AddEventListenerOptions;

export const laneOf = (event: Event): Lane => (event.isTrusted ? 'u' : 'p');
const ROOT = { __proto__: null, childList: true } as MutationObserverInit;
/** Whether a script of the page made the event, not the participant. */
export const synthetic = (event: Event): true | undefined => (event.isTrusted ? undefined : true);

export const size = (): Body => ({
  __proto__: null, width_px: here.innerWidth, height_px: here.innerHeight, pixel_ratio: here.devicePixelRatio,
});

/** Adds the position in the page's viewport, also for an event in a frame. */
export const viewed = (body: Body, place: Place, x: number, y: number): Body => {
  const at = inPage(place, x, y);
  body.x_px = at.x;
  body.y_px = at.y;
  return body;
};

/** Only where an event happened, without its content. */
export const spot = (masks: Masking, event: Event, node: unknown): Body => ({
  __proto__: null,
  target: selector(node),
  is_masked: masks.isMasked(node) || undefined,
  synthetic: synthetic(event),
});

let measured_ms: number | undefined;
/** The resolution of the page's clock. It is measured once, because that may take some time. */
export const pageTick = (): number => measured_ms ??= tick(now);

/** `lose` is called for an event that could not be recorded and whose error could not be recorded either. */
export const capture = (
  settings: CaptureSettings, sources: readonly Source[], deliver: Deliver, lose: (t: number) => void,
): Capture => {
  const masks = masking(settings.mask, settings.content);
  const emit = emitter(deliver, masks.check);
  let isStopped = false;

  const failed = (kind: string, t: number, error: unknown) => {
    const message = isError(error) ? error.message : error;
    emit.now('p', 'recorder_failed', eventTime(t), { __proto__: null, during: text(kind, 32), message: text(message, 200) });
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

  // ---- listeners, in the page and in its frames ----
  // Without a prototype, so that a page cannot change how the list is read. It is filled once, below.
  const listeners = { __proto__: null } as unknown as Record<number, Listener>;
  let count = 0;
  const adder = (isInFrames: boolean): SourceContext['on'] => (target, type, handle) => {
    listeners[count++] = { __proto__: null, target, type, isInFrames, handle: handle as never } as unknown as Listener;
  };
  /** The listeners of each window. */
  const running = memory<Record<number, EventListener>>();
  const runnersOf = (at: Place): Record<number, EventListener> => {
    const runners = { __proto__: null } as unknown as Record<number, EventListener>;
    for (let i = 0; i < count; i++) {
      const { type, handle, isInFrames } = listeners[i]!;
      if (at.element && !isInFrames) continue;
      runners[i] = (event) => {
        const handled = now();
        guarded(type, handled, () => handle(event, timed(event, type, handled, at), at));
      };
    }
    return runners;
  };
  const each = (at: Place, add: typeof listen) => {
    const runners = running.get(at);
    for (let i = 0; runners && i < count; i++) {
      const { target, type } = listeners[i]!;
      const run = runners[i];
      if (run) add(target === 'window' ? at.window : target === 'document' ? at.document : target, type, run, OPTIONS);
    }
  };
  // The same listener is added only once, so this can be repeated.
  const attachTo = (at: Place) => each(at, listen);
  const detachFrom = (at: Place) => each(at, unlisten);
  const enter = (at: Place) => {
    if (at.element) masks.watch(at.document);
    running.set(at, runnersOf(at));
    attachTo(at);
    // `document.open()` removes all listeners and the root element.
    observe(at.document, ROOT);
  };
  const all = frames(enter, detachFrom);
  const attach = () => {
    if (isStopped) return;
    all.find();
    all.each(attachTo);
    settings.attached?.();
  };
  const rewritten = new MutationObserver(() => guarded('attach', now(), attach));
  const observe = rewritten.observe.bind(rewritten);
  const unobserve = rewritten.disconnect.bind(rewritten);

  // ---- polling: measures blocks, and finds new frames ----
  const blocks = busy(emit, (report) => watchLongTasks((task) => guarded('busy', now(), () => report(task))), FAST_POLL_MS);
  const poll_ms = blocks.isMeasured ? POLL_MS : FAST_POLL_MS;
  const stamp = eventTimestamps(poll_ms);
  let reported = 0;
  let searched_ms = 0;
  const findFrames = (t: number) => {
    searched_ms = t;
    all.find();
    if (reported === all.count + all.unseen) return;
    reported = all.count + all.unseen;
    emit.now('p', 'frames', eventTime(t), { __proto__: null, count: all.count, unseen: all.unseen });
  };
  const poll = () => {
    if (isStopped) return;
    setTimer(poll, poll_ms);
    const t = now();
    // Sessions store this name as `during`.
    guarded('beat', t, () => {
      stamp.poll(t);
      blocks.poll(t);
      if (t - searched_ms >= FIND_FRAMES_MS) findFrames(t);
    });
  };

  const tick_ms = pageTick();
  const describe = () => {
    const at = eventTime();
    const body = size();
    body.url = masks.here();
    body.tick_ms = tick_ms;
    body.tells_busy = true;
    emit.now('c', 'document', at, body);
    return at;
  };
  const begun = describe();
  const on = adder(true);
  const timed: SourceContext['timed'] = (event, type, handled, at) => stamp.of(event, type, at.offset, handled);
  const context = { __proto__: null, emit, masks, on, onPage: adder(false), timed, guarded } as unknown as SourceContext;
  const stops = { __proto__: null } as unknown as Record<number, Stop | undefined>;
  for (let i = 0; i < sources.length; i++) stops[i] = sources[i]!(context);
  const onPage = adder(false);
  onPage('document', 'visibilitychange', blocks.paused);
  onPage('window', 'pageshow', blocks.paused);
  // A frame that has loaded has another document.
  on('document', 'load', () => all.find());
  enter(thePage);
  poll();
  if (masks.problem) failed('mask', begun.t, masks.problem);

  return {
    __proto__: null,
    attach: () => guarded('attach', now(), attach),
    describe,
    emit,
    masks,
    mark: (name: unknown, data: unknown) => {
      const t = now();
      guarded('mark', t, () => {
        let json: string | undefined;
        let isRefused = false;
        try {
          json = markJson(data);
        } catch {
          isRefused = true;
        }
        emit.written('p', 'mark', eventTime(t), '{"name":' + stringify(text(name, 100)) + (isRefused ? ',"data_is_refused":true' : '')
          + (json === undefined ? '' : ',"data":' + json) + '}');
      });
    },
    stop: () => {
      if (isStopped) return;
      blocks.stop();
      emit.release();
      isStopped = true;
      unobserve();
      all.each(detachFrom);
      for (let i = 0; i < sources.length; i++) {
        const stop = stops[i];
        if (stop) call(stop, undefined, []);
      }
      masks.stop();
    },
  } as unknown as Capture;
};
