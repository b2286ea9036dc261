// The camera's frames with their times.

import { Observable } from 'rxjs';

export interface VideoFrame {
  /** When the camera took it, in `performance.now()`; where the browser does not know that, when it was shown. */
  page_ms: number;
  /** The frame's own place in the stream. */
  media_s: number;
  width_px: number;
  height_px: number;
}

/** Every frame that the browser presents. */
export const frames$ = (video: HTMLVideoElement): Observable<VideoFrame> => new Observable((out) => {
  let handle = 0;
  const present = (now: number, about: VideoFrameCallbackMetadata) => {
    handle = video.requestVideoFrameCallback(present);
    out.next({
      page_ms: about.captureTime ?? now, media_s: about.mediaTime, width_px: about.width, height_px: about.height,
    });
  };
  handle = video.requestVideoFrameCallback(present);
  return () => video.cancelVideoFrameCallback(handle);
});

/** The same where a browser cannot say when frames come: looked at 30 times a second, double ones left out. */
export const polledFrames$ = (video: HTMLVideoElement): Observable<VideoFrame> => new Observable((out) => {
  let last = -1;
  const timer = setInterval(() => {
    const media_s = video.currentTime;
    if (media_s === last) return;
    last = media_s;
    out.next({ page_ms: performance.now(), media_s, width_px: video.videoWidth, height_px: video.videoHeight });
  }, 33);
  return () => clearInterval(timer);
});

export const framesOf = (video: HTMLVideoElement): Observable<VideoFrame> =>
  'requestVideoFrameCallback' in video ? frames$(video) : polledFrames$(video);
