// The messages between the page and its worker.

export type ToWorker =
  /** The folders of the networks and of ONNX Runtime's files. */
  | { kind: 'load'; models: string; runtime: string }
  | { kind: 'frame'; frame: number; page_ms: number; picture: ImageBitmap };

/** One face in one frame, in the fields of the session's streams. */
export interface FaceReading {
  frame: number;
  page_ms: number;
  /** Stream and values. `affect` is the first one. */
  samples: [string, number[]][];
}

/** A network, as it is stored in the session's header. */
export interface NetworkIdentity {
  name: string;
  version: string;
  /** The checksum of the bytes that run, 64 hexadecimal digits; null if the browser computes none (a page without https). */
  sha256: string | null;
  /** The checksum in the network's card. */
  card_sha256: string;
}

export type Networks = Record<'detector' | 'landmarks' | 'affect', NetworkIdentity> & { actions?: NetworkIdentity };

export type FromWorker =
  | { kind: 'ready'; networks: Networks }
  | { kind: 'scored'; page_ms: number; reading: FaceReading | null }
  | { kind: 'failed'; why: string };
