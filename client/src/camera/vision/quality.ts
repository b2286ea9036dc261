// How well a face was seen: the program's `quality.rs` in TypeScript.

/** Of the middle half of a crop, which holds brows to mouth: mean grey 0 … 1, and variance of the Laplacian. */
export const quality = (crop: Float32Array, side: number): { brightness: number; sharpness: number } => {
  const [from, until] = [Math.floor(side / 4), side - Math.floor(side / 4)];
  let [grey, edge, squares] = [0, 0, 0];
  for (let y = from; y < until; y++) {
    for (let x = from; x < until; x++) {
      const i = y * side + x;
      const here = crop[i]!;
      const laplacian = crop[i - side]! + crop[i + side]! + crop[i - 1]! + crop[i + 1]! - 4 * here;
      grey += here;
      edge += laplacian;
      squares += laplacian * laplacian;
    }
  }
  const count = (until - from) ** 2;
  return { brightness: grey / count / 255, sharpness: Math.max(squares / count - (edge / count) ** 2, 0) };
};
