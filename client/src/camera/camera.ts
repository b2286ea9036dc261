// The camera: requested once, and observed while it runs. Without a camera the recording continues.

import { append } from '../natives/lists';
import { json } from '../natives/plain';
import { background } from '../natives/promise';
import type { Settings } from '../options';
import type { CameraState, RecordedAffect } from '../state';
import { type Draft, eventRest, gapRest, sampleRest } from '../transport/record';
import type { Store, StoredSession } from '../transport/store';
import { EXPRESSIONS } from './expressions';
import { framesOf } from './frames';
import { startScores } from './scores';
import { type VideoRecording, recordVideo } from './video';

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 }, facingMode: 'user' },
};

/** Converts an error of `getUserMedia` to the session's terms. */
export const whyNot = (error: unknown): { state: CameraState; detail: string } => {
  const { name = '', message = '' } = error instanceof Error ? error : {};
  switch (name) {
    case 'NotAllowedError': case 'SecurityError':
      return { state: 'refused', detail: 'the visitor or the browser refused the camera' };
    case 'NotFoundError': case 'OverconstrainedError':
      return { state: 'absent', detail: 'there is no camera' };
    case 'NotReadableError': case 'AbortError':
      return { state: 'taken', detail: 'another program uses the camera' };
    default:
      return { state: 'absent', detail: `the camera does not start: ${message || name || String(error)}` };
  }
};

export interface CameraListener {
  state(state: CameraState): void;
  affect(affect: RecordedAffect): void;
  /** A chunk was stored. */
  stored(): void;
}

export class Camera {
  private stream: MediaStream | null = null;
  private recording: VideoRecording | null = null;
  private end: (() => Promise<void>) | null = null;
  private storing: Promise<void> | null = null;
  private ends: (() => void)[] = [];
  private isStopped = false;

  constructor(
    private readonly settings: Settings,
    private readonly session: StoredSession,
    private readonly store: Store,
    private readonly add: (draft: Draft) => void,
    private readonly listener: CameraListener,
  ) {}

  /** Never rejects. Without a camera the session continues, and this is recorded. */
  async start(): Promise<void> {
    this.listener.state('starting');
    try {
      if (!navigator.mediaDevices) throw new Error('the page is not served over https');
      const stream = await navigator.mediaDevices.getUserMedia(WANTED);
      this.stream = stream;
      if (this.isStopped) return this.release();
      await this.run(stream);
      if (this.isStopped) return this.release();
      this.listener.state('on');
    } catch (error) {
      this.release();
      if (this.isStopped) return;
      const { state, detail } = whyNot(error);
      this.health(`camera_${state}`, { detail });
      this.listener.state(state);
      this.waitForAnother(state);
    }
  }

  /** The page is being left: what waits to be recorded is recorded now. */
  flush(): void {
    this.recording?.flush();
  }

  /** `isAtOnce`: no picture is taken after this call. Otherwise the recorder may take some more until it has stopped. */
  async stop(isAtOnce = false): Promise<void> {
    this.isStopped = true;
    if (isAtOnce) this.stopTracks();
    for (const end of this.ends) end();
    this.ends = [];
    const { end } = this;
    this.end = null;
    await end?.();
    await this.storing;
    this.release();
    this.listener.state('off');
  }

  private async run(stream: MediaStream): Promise<void> {
    const [track] = stream.getVideoTracks();
    if (!track) throw new DOMException('no picture', 'NotFoundError');
    const { width = 0, height = 0, frameRate = 0 } = track.getSettings();
    this.health('camera_started', { width_px: width, height_px: height, rate_hz: frameRate });
    const video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    await video.play();
    if (this.isStopped) return;
    const end = this.settings.camera === 'video' ? await this.runVideo(stream, video) : await this.runScores(video);
    if (this.isStopped) return end(); // while the networks were loaded
    this.end = end;
    this.once(track, 'ended', () => void this.lost());
  }

  private async runVideo(stream: MediaStream, video: HTMLVideoElement): Promise<() => Promise<void>> {
    const counted = await this.store.session(this.session.id);
    this.recording = recordVideo(stream, video, { chunks: counted?.video_chunks ?? 0, frames: counted?.frames ?? 0 }, {
      started: (about) => {
        this.add({ stream: 'video_frame', page_ms: performance.now(), rest: eventRest('started', json(about)) });
      },
      chunk: (chunk) => {
        this.afterwards(async () => {
          if (!await this.store.keepChunk(this.session.id, chunk)) throw new Error('this browser has deleted the session');
          this.listener.stored();
        }, (error) => this.health('video_lost', { detail: `a second of video could not be stored: ${String(error)}` })); // the loss is recorded
      },
      frames: (page_ms, data) => {
        this.add({ stream: 'video_frame', page_ms, rest: eventRest('frames', json(data)) });
        this.count(data.first + data.page_ms.length);
      },
    });
    return this.recording.end;
  }

  private async runScores(video: HTMLVideoElement): Promise<() => Promise<void>> {
    const first = (await this.store.session(this.session.id))?.frames ?? 0;
    return startScores(this.settings, framesOf(video), video, first, {
      counted: (frames) => this.count(frames),
      ready: (networks) => this.health('scores_started', networks),
      reading: ({ frame, page_ms, samples }) => {
        for (const [stream, values] of samples) this.add({ stream, page_ms, rest: sampleRest(frame, values) });
        this.listener.affect(described(page_ms, frame, samples[0]![1]));
      },
      // As in the lab, once for all streams of the same frames.
      gap: (page_ms, gap) => this.add({ stream: 'affect', page_ms, rest: gapRest(gap) }),
      failed: (detail) => {
        this.health('scores_unavailable', { detail });
        void this.lost();
      },
    });
  }

  private async lost(): Promise<void> {
    if (this.isStopped) return;
    const { end } = this;
    this.end = null;
    this.health('camera_lost', { detail: 'the camera stopped giving pictures' });
    this.listener.state('lost');
    await end?.();
    this.release();
    this.waitForAnother('lost');
  }

  /** A camera that is connected again is used again. A camera that the visitor refused is not requested again. */
  private waitForAnother(state: CameraState): void {
    if (state === 'refused' || this.isStopped || !navigator.mediaDevices) return;
    this.once(navigator.mediaDevices, 'devicechange', () => void this.start());
  }

  private once(target: EventTarget, type: string, run: () => void): void {
    target.addEventListener(type, run, { once: true });
    append(this.ends, () => target.removeEventListener(type, run));
  }

  private release(): void {
    this.stopTracks();
    this.stream = null;
  }

  private stopTracks(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }

  /** Stores the count of frames, from which the next document continues. */
  private count(frames: number): void {
    // If it fails, they are counted again with the next ones.
    this.afterwards(() => this.store.change(this.session.id, (s) => { s.frames = frames; }));
  }

  /** Runs `work` when everything before it is stored. */
  private afterwards(work: () => Promise<unknown>, failed?: (error: unknown) => void): void {
    const before = this.storing;
    this.storing = background(async () => {
      await before;
      await work();
    }, failed);
  }

  private health(kind: string, data: object): void {
    this.add({ stream: 'health', page_ms: performance.now(), rest: eventRest(kind, json(data)) });
  }
}

const described = (page_ms: number, frame: number, values: readonly number[]): RecordedAffect => {
  const at = (k: number) => values[k] ?? Number.NaN;
  const expression: Record<string, number> = {};
  for (let k = 0; k < EXPRESSIONS.length; k++) expression[EXPRESSIONS[k]!] = at(4 + k);
  return {
    page_ms, frame, valence: at(0), arousal: at(1), valence_sd: at(2), arousal_sd: at(3),
    expression,
  };
};
