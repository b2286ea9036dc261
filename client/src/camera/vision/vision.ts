// One step a frame: detect, then track: the program's `tracker.rs` in TypeScript with the same numbers, so that a score
// is the same in the browser and from the video. Nothing is smoothed.

import { readActions } from './actions';
import { readAffect } from './affect';
import { type TrackingCard, chainTable, requireChainTable } from './card';
import { type Detection, detect } from './detector';
import {
  type Crop, type Rect, area, centre, distance, eyeOpenness, interOcularPx, longestSide, mouthOpenness, overlap, shareInside,
} from './geometry';
import { type Shape, accepts, agree, find, lastCropGrey, locate, nextCrop } from './landmarks';
import type { Networks } from '../messages';
import { Network, type ReadFile, type Runtime } from './network';
import { quality } from './quality';
import type { Picture } from './resample';

/** In the fields of the session's streams. */
export interface Reading {
  affect: number[];
  face: number[];
  landmarks: number[];
  /** Absent if the folder of networks has no network of facial actions. */
  action?: number[];
  eyes?: number[];
}

export class Vision {
  private next: Crop | null = null;
  private lastSeen: { rect: Rect; at_ms: number } | null = null;
  private detectedAt_ms: number | null = null;
  private others = 0;
  private unconfirmed = 0;
  private crop: Float32Array = new Float32Array();

  private constructor(
    private readonly detector: Network, private readonly landmarks: Network, private readonly affect: Network,
    private readonly actions: Network | null,
  ) {}

  static async load(runtime: Runtime, read: ReadFile): Promise<Vision> {
    const load = (folder: string) => Network.load(runtime, read, folder);
    const [detector, landmarks] = [await load('detector'), await load('landmarks')];
    // An incomplete card is an error of loading, not of the first frame.
    for (const name of ['detection', 'tracking'] as const) requireChainTable(detector.card, name);
    for (const name of ['crop', 'face'] as const) requireChainTable(landmarks.card, name);
    return new Vision(detector, landmarks, await load('affect'), await hasActions(read) ? await load('actions') : null);
  }

  private get tracking(): TrackingCard {
    return chainTable(this.detector.card, 'tracking');
  }

  /** The loaded networks. */
  get networks(): Networks {
    const { detector, landmarks, affect, actions } = this;
    const own = { detector: detector.identity, landmarks: landmarks.identity, affect: affect.identity };
    return actions ? { ...own, actions: actions.identity } : own;
  }

  /** Reads one frame. Null if there is no face. */
  async step(picture: Picture, at_ms: number): Promise<Reading | null> {
    const started_ms = performance.now();
    let shape = await this.follow(picture);
    const { detectedAt_ms } = this;
    const since = detectedAt_ms === null ? Infinity : at_ms - detectedAt_ms;
    if (!shape || since < 0 || since >= this.tracking.recount_interval_ms) shape = await this.detect(picture, at_ms, shape);
    this.next = shape && nextCrop(this.landmarks, shape);
    if (!shape) return null;
    this.lastSeen = { rect: shape.rect, at_ms };
    const affect = await readAffect(this.affect, picture, shape.points);
    if (!affect) return null;
    const actions = this.actions && await readActions(this.actions, picture, shape.points);
    const { brightness, sharpness } = quality(this.crop, this.landmarks.format.width);
    const { rect, points } = shape;
    return {
      affect,
      face: [
        rect.left, rect.top, rect.width, rect.height, shape.face_probability, shape.yaw_deg, shape.pitch_deg, shape.roll_deg,
        ...eyeOpenness(points), mouthOpenness(points), interOcularPx(points), brightness, sharpness, this.others + 1,
        performance.now() - started_ms,
      ],
      landmarks: points.flat(),
      ...actions,
    };
  }

  /** The tracked face, if it is still visible. */
  private async follow(picture: Picture): Promise<Shape | null> {
    if (!this.next) return null;
    const shape = await locate(this.landmarks, picture, this.next);
    if (!accepts(this.landmarks, shape, picture)) return null;
    this.crop = lastCropGrey(this.landmarks);
    return shape;
  }

  /** Detects faces in the whole picture. Chooses one if none is `followed`, and counts the others. */
  private async detect(picture: Picture, at_ms: number, followed: Shape | null): Promise<Shape | null> {
    const detections = await detect(this.detector, picture);
    this.detectedAt_ms = at_ms;
    const isConfirmed = !followed || detections.some((d) => agree(this.landmarks, followed, d));
    this.unconfirmed = isConfirmed ? 0 : this.unconfirmed + 1;
    let found = this.unconfirmed < this.tracking.max_unconfirmed ? followed : null;
    const remembered = this.lastSeen && at_ms - this.lastSeen.at_ms <= this.tracking.remembered_ms ? this.lastSeen.rect : null;
    this.others = 0;
    const { max_candidates } = chainTable(this.detector.card, 'detection');
    for (const candidate of candidates(detections, picture, remembered, this.tracking).slice(0, max_candidates)) {
      if (found && isSame(found.rect, candidate.rect, this.tracking)) continue;
      const face = await find(this.landmarks, picture, candidate);
      if (!face) continue;
      if (found) {
        this.others += 1;
        continue;
      }
      this.crop = lastCropGrey(this.landmarks);
      this.unconfirmed = 0;
      found = face;
    }
    return found;
  }
}

/** Whether the folder has a network of facial actions. Folders of older versions have none. */
const hasActions = (read: ReadFile): Promise<boolean> => read('actions/model.toml').then(() => true, () => false);

/** Whether a box of the detector contains this face of the landmark network, whose boxes are smaller. */
const isSame = (face: Rect, detected: Rect, { same_face_share_inside, same_face_overlap }: TrackingCard): boolean =>
  shareInside(face, detected) > same_face_share_inside || overlap(face, detected) > same_face_overlap;

/** The order of candidates: a face near the last position first, then the largest and most central ones. */
const candidates = (
  detections: readonly Detection[], { width, height }: Picture, remembered: Rect | null, { near_sides, corner_penalty }: TrackingCard,
): Detection[] => {
  const rank = ({ rect }: Detection) => {
    const isNear = remembered !== null
      && distance(centre(remembered), centre(rect)) < near_sides * Math.max(longestSide(remembered), longestSide(rect));
    const offCentre = distance(centre(rect), [width / 2, height / 2]) / Math.hypot(width / 2, height / 2);
    return { isNear, prominence: area(rect) * (1 - corner_penalty * Math.min(offCentre, 1)) };
  };
  return detections.map((detection) => ({ detection, ...rank(detection) }))
    .sort((a, b) => Number(b.isNear) - Number(a.isNear) || b.prominence - a.prominence)
    .map(({ detection }) => detection);
};
