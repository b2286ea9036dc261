//! Image quality of a face, for judging the values that were computed from it.

use super::geometry::{LANDMARKS, Point, inter_ocular_px};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean grey level of the face, 0 … 1.
    pub brightness: f32,
    /// Variance of the Laplacian (4 neighbours) of the face in the landmark network's crop, grey levels 0 … 255.
    /// After Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000. A small face that was
    /// enlarged to the crop is less sharp, as intended.
    pub sharpness: f32,
    /// Distance of the outer eye corners.
    pub inter_ocular_px: f32,
}

/// `crop` has `side`² grey values. Its middle half is used, which contains brows to mouth and no hair.
pub fn quality(crop: &[f32], side: usize, points: &[Point; LANDMARKS]) -> Quality {
    let middle = side / 4..side - side / 4;
    let (mut grey, mut edge, mut edge_squares, mut count) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for y in middle.clone() {
        let line = |dy: usize| &crop[(y + dy - 1) * side..(y + dy) * side];
        let (above, here, below) = (line(0), line(1), line(2));
        let (mut row_grey, mut row_edge, mut row_squares) = (0.0f32, 0.0f32, 0.0f32);
        for x in middle.clone() {
            let laplacian = above[x] + below[x] + here[x - 1] + here[x + 1] - 4.0 * here[x];
            row_grey += here[x];
            row_edge += laplacian;
            row_squares += laplacian * laplacian;
        }
        grey += f64::from(row_grey);
        edge += f64::from(row_edge);
        edge_squares += f64::from(row_squares);
        count += middle.len() as f64;
    }
    let mean_edge = edge / count;
    Quality {
        brightness: (grey / count / 255.0) as f32,
        sharpness: (edge_squares / count - mean_edge * mean_edge).max(0.0) as f32,
        inter_ocular_px: inter_ocular_px(points),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_is_blurred_and_a_chessboard_is_sharp() {
        let points = [[0.0; 2]; LANDMARKS];
        let flat = quality(&[51.0; 64 * 64], 64, &points);
        assert!((flat.brightness - 0.2).abs() < 1e-6 && flat.sharpness.abs() < 1e-3);
        let board: Vec<f32> = (0..64 * 64).map(|i| if (i % 64 + i / 64) % 2 == 0 { 100.0 } else { 110.0 }).collect();
        // Every pixel differs by 10 from its four neighbours: the Laplacian is ±40.
        assert!((quality(&board, 64, &points).sharpness - 1600.0).abs() < 1.0);
    }
}
