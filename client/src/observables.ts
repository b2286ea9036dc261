// Selects the events of some sources from `recorder.events$`.

import { type Observable, filter } from 'rxjs';
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
  return events$.pipe(filter((event) => kinds.has(event.kind)));
};
