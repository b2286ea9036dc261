// One record as it is sent. Its number is added when it is stored.

import { slice, stringify } from '../natives/js';
import { json } from '../natives/plain';
import { mapped } from '../natives/lists';
import type { Numbers } from './store';

export interface Draft {
  stream: string;
  page_ms: number;
  /** The rest of the record's fields as JSON, without braces: `"kind":"click","data":{…}`. */
  rest: string;
}

export const eventRest = (kind: string, dataJson: string): string => `"kind":${stringify(kind)},"data":${dataJson}`;

export const sampleRest = (frame: number, values: readonly number[]): string =>
  // NaN means that a network has no such output. JSON writes it as null.
  `"frame":${frame},"values":${json(values)}`;

export interface Gap {
  until_ms: number;
  reason: string;
  lost: number;
  note: string;
}

export const gapRest = (gap: Gap): string => `"gap":${json(gap)}`;

/** Gives each draft its number, and increments `next`. */
export const number = (drafts: readonly Draft[], document: number, next: Numbers): string[] =>
  mapped(drafts, ({ stream, page_ms, rest }) => {
    const seq = next[stream] ?? 0;
    next[stream] = seq + 1;
    return `{"stream":${stringify(stream)},"seq":${seq},"document":${document},"page_ms":${page_ms},${rest}}`;
  });

/** Replaces a record that the server does not understand with a gap of the same number, so that later records do not wait. */
export const refusedAsGap = (record: string, why: string): string => {
  const { stream, seq, document, page_ms } = JSON.parse(record) as {
    stream: string; seq: number; document: number; page_ms: number;
  };
  const gap: Gap = { until_ms: page_ms, reason: 'corrupt', lost: 1, note: slice(why, 0, 200) };
  return json({ stream, seq, document, page_ms, gap });
};
