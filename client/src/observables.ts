// Selects the events of some sources from `recorder.events$`.

import { Observable } from 'rxjs';
import type { RecordedEvent } from './state';

const KINDS = {
  pointer: ['pointerdown', 'pointerup', 'pointercancel', 'pointermove', 'click', 'dblclick', 'contextmenu', 'dragstart', 'drop', 'dragend'],
  key: ['keydown', 'keyup'],
  edits: ['input', 'composition_start', 'composition_end'],
  controls: ['change', 'submit'],
  scroll: ['scroll', 'resize'],
  media: ['play', 'pause', 'seeked', 'ended'],
  screen: ['fullscreen', 'print', 'orientation'],
  focus: ['focus', 'blur', 'selection', 'copy', 'cut', 'paste'],
  visibility: ['visibility'],
  navigation: ['document', 'load', 'pageshow', 'pagehide', 'navigate'],
  network: ['network'],
  trouble: ['error', 'rejection', 'recorder_failed', 'busy', 'frames'],
  marks: ['mark'],
} as const;

export type SourceName = keyof typeof KINDS;

/** `recorder.events$.pipe(only('pointer', 'key'))`. */
export const only = (...names: SourceName[]) => (events$: Observable<RecordedEvent>): Observable<RecordedEvent> => {
  const kinds = new Set<string>();
  for (const name of names) for (const kind of KINDS[name]) kinds.add(kind);
  // `filter` of RxJS would add 250 bytes to the core (gzipped).
  return new Observable((out) => events$.subscribe({
    next: (event) => { if (kinds.has(event.kind)) out.next(event); },
    error: (error) => out.error(error),
    complete: () => out.complete(),
  }));
};
