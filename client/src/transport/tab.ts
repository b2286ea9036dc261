// Notes in this tab that a session continues. They are readable before anything is loaded.

import { json } from '../natives/plain';
import type { Camera } from '../options';

/** What a reloaded page needs before its first event, without waiting for IndexedDB. */
export interface TabNote {
  session: string;
  mask: string[];
  content: string[];
  /** What the session records, as the study and the page decided. */
  camera?: Camera;
  replay?: boolean;
  /** The visitor paused the recording in this tab. */
  isPaused?: boolean;
}

const tabKey = (server: string, study: string) => `affectograph.tab.${server}.${study}`;

export const tabNote = (server: string, study: string): TabNote | null => {
  try {
    return JSON.parse(sessionStorage.getItem(tabKey(server, study)) ?? 'null') as TabNote | null;
  } catch {
    return null;
  }
};

export const noteTab = (server: string, study: string, note: TabNote | null): void => {
  try {
    if (note) sessionStorage.setItem(tabKey(server, study), json(note));
    else sessionStorage.removeItem(tabKey(server, study));
  } catch {
    // Without it a reload begins a new session.
  }
};
