// What page and worker say to each other.

export type ToWorker =
  /** Folders: the networks', and ONNX Runtime's own files. */
  | { kind: 'load'; models: string; runtime: string }
  | { kind: 'frame'; frame: number; page_ms: number; picture: ImageBitmap };

/** One face in one frame, in the fields of the session's streams (`src/session/streams.rs`). */
export interface Look {
  frame: number;
  page_ms: number;
  affect: number[];
  face: number[];
  landmarks: number[];
}

export type FromWorker =
  | { kind: 'ready'; networks: Record<string, string> }
  | { kind: 'looked'; page_ms: number; look: Look | null }
  | { kind: 'failed'; why: string };
