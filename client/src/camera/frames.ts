// The camera's frames with their times.

export interface VideoFrame {
  /** The time of capture, in `performance.now()`; if the browser does not report it, the time of presentation. */
  page_ms: number;
  /** The frame's time in the stream. */
  media_s: number;
  width_px: number;
  height_px: number;
}

export type Frames = (each: (frame: VideoFrame) => void) => () => void;

/** Every frame that the browser presents. */
const presentedFrames = (video: HTMLVideoElement): Frames => (each) => {
  let handle = 0;
  const present = (now: number, about: VideoFrameCallbackMetadata) => {
    handle = video.requestVideoFrameCallback(present);
    each({
      page_ms: about.captureTime ?? now, media_s: about.mediaTime, width_px: about.width, height_px: about.height,
    });
  };
  handle = video.requestVideoFrameCallback(present);
  return () => video.cancelVideoFrameCallback(handle);
};

/** The same for browsers that do not report frames: polled 30 times a second, without duplicates. */
const polledFrames = (video: HTMLVideoElement): Frames => (each) => {
  let last = -1;
  const timer = setInterval(() => {
    const media_s = video.currentTime;
    if (media_s === last) return;
    last = media_s;
    each({ page_ms: performance.now(), media_s, width_px: video.videoWidth, height_px: video.videoHeight });
  }, 33);
  return () => clearInterval(timer);
};

/** Calls `each` with every frame, until the returned function is called. */
export const framesOf = (video: HTMLVideoElement): Frames =>
  'requestVideoFrameCallback' in video ? presentedFrames(video) : polledFrames(video);
