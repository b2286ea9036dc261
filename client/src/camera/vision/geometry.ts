// Where things are in a picture: the program's `geometry.rs` in TypeScript.
//
// Coordinates are px, x to the right, y down; the centre of the first pixel is (0.5, 0.5). Angles are degrees, positive
// clockwise as seen in the picture.

export type Point = readonly [number, number];

/** Number of facial landmarks, iBUG 300-W order. */
export const LANDMARKS = 68;

export interface Rect { left: number; top: number; width: number; height: number }

export const around = (points: readonly Point[]): Rect => {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { left, top, width: right - left, height: bottom - top };
};

export const centre = (r: Rect): Point => [r.left + r.width / 2, r.top + r.height / 2];
export const area = (r: Rect): number => Math.max(r.width, 0) * Math.max(r.height, 0);
export const longestSide = (r: Rect): number => Math.max(r.width, r.height);
export const contains = (r: Rect, [x, y]: Point): boolean =>
  x >= r.left && x <= r.left + r.width && y >= r.top && y <= r.top + r.height;

const sharedArea = (a: Rect, b: Rect): number => {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  return Math.max(width, 0) * Math.max(height, 0);
};

/** Intersection over union, 0 … 1. */
export const overlap = (a: Rect, b: Rect): number => {
  const shared = sharedArea(a, b);
  return shared / Math.max(area(a) + area(b) - shared, 1e-9);
};

/** The share of the first rectangle that is inside the other. */
export const shareInside = (a: Rect, b: Rect): number => sharedArea(a, b) / Math.max(area(a), 1e-9);

/** Takes points of one frame to points of another: `x' = xx·x + xy·y + x0`, `y' = yx·x + yy·y + y0`. */
export interface Affine { xx: number; xy: number; x0: number; yx: number; yy: number; y0: number }

/**
 * From the output's pixels to the picture: the similarity transform that places the two eyes at the given fractions of the output.
 * Null where both eyes are in one place. As complex numbers a similarity is z → a·z + b, and two pairs of points
 * determine a and b.
 */
export const fromEyes = (
  [left, right]: readonly [Point, Point], places: readonly [Point, Point], output_px: readonly [number, number],
): Affine | null => {
  const at = (place: Point): Point => [place[0] * output_px[0], place[1] * output_px[1]];
  const [placeLeft, placeRight] = [at(places[0]), at(places[1])];
  const [dx, dy] = [placeRight[0] - placeLeft[0], placeRight[1] - placeLeft[1]];
  const [sx, sy] = [right[0] - left[0], right[1] - left[1]];
  const length2 = dx * dx + dy * dy;
  const [re, im] = [(sx * dx + sy * dy) / length2, (sy * dx - sx * dy) / length2];
  if (!Number.isFinite(re) || !Number.isFinite(im) || Math.hypot(re, im) < 1e-6) return null;
  return {
    xx: re, xy: -im, x0: left[0] - (re * placeLeft[0] - im * placeLeft[1]),
    yx: im, yy: re, y0: left[1] - (im * placeLeft[0] + re * placeLeft[1]),
  };
};

/** A square part of the picture, turned by an angle about its centre. */
export interface Crop { centre: Point; side_px: number; roll_deg: number }

const radians = (deg: number) => (deg * Math.PI) / 180;

/** From pixels of an output of `output_px`² to the picture. */
export const cropToPicture = (crop: Crop, output_px: number): Affine => {
  const scale = crop.side_px / output_px;
  const [sin, cos] = [Math.sin(radians(crop.roll_deg)), Math.cos(radians(crop.roll_deg))];
  const half = crop.side_px / 2;
  const [cx, cy] = crop.centre;
  return {
    xx: scale * cos, xy: -scale * sin, x0: cx - half * cos + half * sin,
    yx: scale * sin, yy: scale * cos, y0: cy - half * sin - half * cos,
  };
};

/** A place in fractions of the crop, in picture px. */
export const pointFromFraction = (crop: Crop, x: number, y: number): Point => {
  const [sin, cos] = [Math.sin(radians(crop.roll_deg)), Math.cos(radians(crop.roll_deg))];
  const [dx, dy] = [(x - 0.5) * crop.side_px, (y - 0.5) * crop.side_px];
  return [crop.centre[0] + dx * cos - dy * sin, crop.centre[1] + dx * sin + dy * cos];
};

export const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** The angle of the line from `a` to `b`. */
export const angleDeg = (a: Point, b: Point): number => (Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI;

/** An angle brought into −180 … 180. */
export const wrapDeg = (angle: number): number => ((((angle + 180) % 360) + 360) % 360) - 180;

const mean = (points: readonly Point[]): Point => {
  let [x, y] = [0, 0];
  for (const p of points) {
    x += p[0];
    y += p[1];
  }
  return [x / points.length, y / points.length];
};

/** Centres of the image-left and the image-right eye: the mean of each contour's six points. */
export const eyeCentres = (points: readonly Point[]): [Point, Point] => [mean(points.slice(36, 42)), mean(points.slice(42, 48))];

const apart = (points: readonly Point[], a: number, b: number): number => distance(points[a]!, points[b]!);

/** The eye aspect ratio of Soukupová & Čech, CVWW 2016: lid distance over eye width. */
export const eyeOpenness = (points: readonly Point[]): [number, number] => {
  const of = (k: number) => (apart(points, k + 1, k + 5) + apart(points, k + 2, k + 4)) / Math.max(2 * apart(points, k, k + 3), 1e-6);
  return [of(36), of(42)];
};

/** Inner lip distance over mouth width. */
export const mouthOpenness = (points: readonly Point[]): number =>
  (apart(points, 61, 67) + apart(points, 62, 66) + apart(points, 63, 65)) / 3 / Math.max(apart(points, 48, 54), 1e-6);

/** Distance of the outer eye corners. */
export const interOcularPx = (points: readonly Point[]): number => apart(points, 36, 45);
