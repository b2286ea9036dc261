// `camera: "video"`: records WebM, or MP4 in browsers that write no WebM, in chunks of one second, and the time of each frame.

import { indexOf } from '../natives/js';
import { append, found, mapped } from '../natives/lists';
import { promise } from '../natives/promise';
import type { Chunk } from '../transport/store';
import { type VideoFrame, framesOf } from './frames';

const CHUNK_MS = 1000;
const BITS_PER_SECOND = 1_500_000;
/** VP8 first: every browser that writes WebM supports it, and it needs little CPU time. Safari writes MP4 with H.264. */
const TYPES = ['video/webm;codecs=vp8', 'video/webm;codecs=vp9', 'video/webm', 'video/mp4;codecs=avc1.42E01E', 'video/mp4'];

export interface VideoSink {
  /** A new file begins with chunk `n`. */
  started(about: { chunk: number; mime: string; width_px: number; height_px: number }): void;
  chunk(chunk: Chunk): void;
  /** Data of one `frames` event. */
  frames(page_ms: number, data: { first: number; page_ms: number[]; media_s: number[] }): void;
}

export interface VideoRecording {
  /** Hands over the times of all frames so far, for example because the page is being left. */
  flush(): void;
  /** Ends the file. Resolves after its last chunk and the times of its last frames. */
  end(): Promise<void>;
}

/** Begins a file. */
export const recordVideo = (
  stream: MediaStream, video: HTMLVideoElement, counted: { chunks: number; frames: number }, sink: VideoSink,
): VideoRecording => {
  const mimeType = found(TYPES, (type) => MediaRecorder.isTypeSupported(type));
  if (!mimeType) throw new Error('this browser records neither WebM nor MP4');
  // MP4 is written from one key frame to the next. What is not written yet is lost when the page is left.
  const keys = indexOf(mimeType, 'mp4') >= 0 ? { videoKeyFrameIntervalDuration: CHUNK_MS } : {};
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS_PER_SECOND, ...keys });
  let n = counted.chunks;
  sink.started({ chunk: n, mime: mimeType, width_px: video.videoWidth, height_px: video.videoHeight });
  recorder.ondataavailable = ({ data }) => { if (data.size > 0) sink.chunk({ n: n++, bytes: data }); };
  let first = counted.frames;
  let waiting: VideoFrame[] = [];
  const flush = () => {
    if (waiting.length === 0) return;
    const page_ms = mapped(waiting, (f) => Math.round(f.page_ms * 1000) / 1000);
    const media_s = mapped(waiting, (f) => Math.round(f.media_s * 1e6) / 1e6);
    waiting = [];
    sink.frames(page_ms[page_ms.length - 1]!, { first, page_ms, media_s });
    first += page_ms.length;
  };
  const endFrames = framesOf(video)((frame) => append(waiting, frame));
  const timer = setInterval(flush, CHUNK_MS);
  recorder.start(CHUNK_MS);
  const end = async () => {
    if (recorder.state !== 'inactive') {
      await promise<void>((resolve) => {
        recorder.onstop = () => resolve(); // after the last `dataavailable`
        recorder.stop();
      });
    }
    // The file's last frames are presented until here.
    clearInterval(timer);
    endFrames();
    flush();
  };
  return { flush, end };
};
