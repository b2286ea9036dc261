// `camera: "scores"`: each frame is sent to a worker, which returns numbers. Pictures are not sent anywhere else.

import { asset } from '../assets';
import { background, promise } from '../natives/promise';
import type { Settings } from '../options';
import type { Gap } from '../transport/record';
import type { Frames } from './frames';
import type { FromWorker, FaceReading, Networks, ToWorker } from './messages';

export interface ScoresSink {
  /** The networks were loaded. */
  ready(networks: Networks): void;
  /** The count of the session's frames. */
  counted(frames: number): void;
  reading(reading: FaceReading): void;
  gap(page_ms: number, gap: Gap): void;
  failed(detail: string): void;
}

/** The largest number of frames in one gap record, so that gaps are recorded soon. */
const GAP_FRAMES = 30;
const COUNT_INTERVAL_FRAMES = 30;

/** Starts the worker. If its file is on another origin, the file is fetched with CORS and started from a local address. */
const startWorker = async (url: string): Promise<Worker> => {
  if (new URL(url).origin === location.origin) return new Worker(url, { type: 'module' });
  const response = await fetch(url, { credentials: 'omit' });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const local = URL.createObjectURL(new Blob([await response.text()], { type: 'text/javascript' }));
  try {
    return new Worker(local, { type: 'module' });
  } finally {
    setTimeout(() => URL.revokeObjectURL(local), 10_000);
  }
};

/** Next replaces `new URL` with two literals by an address without an origin. */
const absolute = ({ href }: URL): string => new URL(href, document.baseURI).href;

/** The addresses of files that are not modules of this page. Bundlers recognise `new URL` with two literals. */
const urlsOf = (assets: string | undefined): { worker: string; runtime: string } => (assets === undefined
  ? {
    worker: absolute(new URL('./scores.worker.js', import.meta.url)),
    runtime: absolute(new URL('./ort-wasm-simd-threaded.wasm', import.meta.url)),
  }
  : { worker: asset(assets, 'scores.worker.js'), runtime: asset(assets, 'ort-wasm-simd-threaded.wasm') });

/** Combines consecutive frames without a face, or skipped frames, into gaps. */
class Gaps {
  private open: { reason: 'no_face' | 'skipped'; from_ms: number; until_ms: number; lost: number } | null = null;

  constructor(private readonly sink: ScoresSink) {}

  add(reason: 'no_face' | 'skipped', page_ms: number): void {
    if (this.open && (this.open.reason !== reason || this.open.lost >= GAP_FRAMES)) this.close();
    this.open ??= { reason, from_ms: page_ms, until_ms: page_ms, lost: 0 };
    this.open.until_ms = page_ms;
    this.open.lost += 1;
  }

  close(): void {
    if (!this.open) return;
    const { reason, from_ms, until_ms, lost } = this.open;
    this.open = null;
    this.sink.gap(from_ms, { until_ms, reason, lost, note: '' });
  }
}

/** Starts scoring. The returned function ends it. Rejects if the networks cannot be loaded. */
export const startScores = async (
  settings: Settings, frames: Frames, video: HTMLVideoElement, first: number, sink: ScoresSink,
): Promise<() => Promise<void>> => {
  const urls = urlsOf(settings.assets);
  const worker = await startWorker(urls.worker);
  const post = (message: ToWorker, transfer: Transferable[] = []) => worker.postMessage(message, transfer);
  const models = settings.models ?? `${settings.server}/v1/models/`;
  await promise<void>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'ready') resolve(sink.ready(data.networks));
      else if (data.kind === 'failed') reject(new Error(data.why));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message || 'the worker does not start'));
    };
    post({ kind: 'load', models: new URL(models, document.baseURI).href, runtime: urls.runtime });
  });
  const gaps = new Gaps(sink);
  let frame = first;
  let isBusy = false;
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    isBusy = false;
    if (data.kind === 'failed') return sink.failed(data.why);
    if (data.kind !== 'scored') return;
    if (!data.reading) return gaps.add('no_face', data.page_ms);
    gaps.close();
    sink.reading(data.reading);
  };
  const endFrames = frames(({ page_ms }) => {
    const number = frame++;
    if (frame % COUNT_INTERVAL_FRAMES === 0) sink.counted(frame);
    // As in the lab, frames that come while the networks are busy are skipped, counted and recorded.
    if (isBusy) return gaps.add('skipped', page_ms);
    isBusy = true;
    const send = async () => {
      const picture = await createImageBitmap(video);
      post({ kind: 'frame', frame: number, page_ms, picture }, [picture]);
    };
    void background(send, () => {
      isBusy = false;
      gaps.add('skipped', page_ms);
    });
  });
  return async () => {
    endFrames();
    worker.terminate();
    gaps.close();
    sink.counted(frame);
  };
};
