// What page and worker say to each other.

export type ToWorker =
  /** Folders: the networks', and ONNX Runtime's own files. */
  | { kind: 'load'; models: string; runtime: string }
  | { kind: 'frame'; frame: number; page_ms: number; picture: ImageBitmap };

/** One face in one frame, in the fields of the session's streams (`src/session/streams.rs`). */
export interface FaceReading {
  frame: number;
  page_ms: number;
  affect: number[];
  face: number[];
  landmarks: number[];
}

/** Which network ran, as the session's header will say. */
export interface NetworkIdentity {
  name: string;
  version: string;
  /** Of the bytes that run, 64 hexadecimal digits; null where this browser makes no sums (a page without https). */
  sha256: string | null;
  /** What the network's card says of its file. */
  card_sha256: string;
}

export type Networks = Record<'detector' | 'landmarks' | 'affect', NetworkIdentity>;

export type FromWorker =
  | { kind: 'ready'; networks: Networks }
  | { kind: 'scored'; page_ms: number; reading: FaceReading | null }
  | { kind: 'failed'; why: string };
