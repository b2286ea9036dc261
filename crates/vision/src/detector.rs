//! Finds all faces in a picture, with five points each. The network is anchor-free: each cell of a coarse grid gives the
//! probability that a face's centre is in it, and the positions of that face's edges and points.

use super::chain_card::{DetectionCard, TrackingCard};
use super::chain_check::detector_tables;
use super::geometry::{Affine, Point, Rect};
use super::model::{ModelKind, Network};
use super::picture::Picture;
use super::resample::Resampler;
use super::{Runtime, VisionError};

/// The figure in the card: the lowest score of a detection.
const THRESHOLD_FIGURE: &str = "score_threshold";

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    pub rect: Rect,
    pub score: f32,
    /// Image-left eye, image-right eye, nose tip, image-left and image-right corner of the mouth.
    pub points: [Point; 5],
}

#[derive(Debug)]
pub struct Detector {
    network: Network,
    threshold: f32,
    detection: DetectionCard,
    tracking: TrackingCard,
    grid: Grid,
    score: usize,
    boxes: usize,
    points: usize,
    resampler: Resampler,
    found: Vec<Detection>,
}

#[derive(Clone, Copy, Debug)]
struct Grid {
    columns: usize,
    rows: usize,
    stride_px: f32,
}

impl Detector {
    pub fn load(runtime: &Runtime, folder: &std::path::Path) -> Result<Detector, VisionError> {
        let network = Network::load(runtime, folder, ModelKind::Detector)?;
        network.require_grey()?;
        let card = network.card();
        let Some(threshold) = card.number(THRESHOLD_FIGURE).filter(|t| *t > 0.0 && *t < 1.0) else {
            let found = format!("{:?}", card.number(THRESHOLD_FIGURE));
            return Err(card.misfit("the figures", format!("`{THRESHOLD_FIGURE}` between 0 and 1"), found));
        };
        let (detection, tracking) = detector_tables(card)?;
        let score = network.require_output("score", &[Some(1), Some(1), None, None])?;
        let shape = &card.outputs[score].shape;
        let (rows, columns) = (shape[2], shape[3]);
        let boxes = network.require_output("box", &[Some(1), Some(4), Some(rows), Some(columns)])?;
        let points = network.require_output("points", &[Some(1), Some(10), Some(rows), Some(columns)])?;
        let (width, height) = (network.format().width_px, network.format().height_px);
        let (rows, columns) = (rows as usize, columns as usize);
        if width % columns != 0 || height % rows != 0 || width / columns != height / rows {
            let expected = format!("a grid whose square cells fill {width}×{height} px");
            return Err(card.misfit("output `score`", expected, format!("{columns}×{rows} cells")));
        }
        let grid = Grid { columns, rows, stride_px: (width / columns) as f32 };
        Ok(Detector {
            threshold: threshold as f32,
            detection,
            tracking,
            grid,
            score,
            boxes,
            points,
            network,
            resampler: Resampler::default(),
            found: Vec::new(),
        })
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    pub fn detection(&self) -> &DetectionCard {
        &self.detection
    }

    pub fn tracking(&self) -> &TrackingCard {
        &self.tracking
    }

    /// All faces, the highest score first.
    pub fn detect(&mut self, picture: Picture) -> Result<&[Detection], VisionError> {
        let px_per_input_px = self.fill(picture);
        self.network.run()?;
        self.read_cells(px_per_input_px);
        Ok(&self.found)
    }

    /// Fits the picture inside the input, at its top left. Returns the scale back.
    fn fill(&mut self, picture: Picture) -> f32 {
        let (format, input) = self.network.input_mut();
        let (width, height) = (f64::from(picture.width_px()), f64::from(picture.height_px()));
        let scale = (width / format.width_px as f64).max(height / format.height_px as f64);
        let covered = [width, height].map(|side| ((side / scale).round() as usize).max(1));
        let to_source = Affine { xx: scale, xy: 0.0, x0: 0.0, yx: 0.0, yy: scale, y0: 0.0 };
        self.resampler.fill(picture, &to_source, format, covered, input);
        scale as f32
    }

    fn read_cells(&mut self, scale: f32) {
        let Grid { columns, rows, stride_px } = self.grid;
        let cells = columns * rows;
        let (scores, boxes) = (self.network.output(self.score), self.network.output(self.boxes));
        let points = self.network.output(self.points);
        self.found.clear();
        for (cell, score) in scores.iter().enumerate().filter(|(_, score)| **score >= self.threshold) {
            let x = ((cell % columns) as f32 + 0.5) * stride_px;
            let y = ((cell / columns) as f32 + 0.5) * stride_px;
            let edge = |k: usize| boxes[k * cells + cell];
            let rect = Rect::from_edges(x - edge(0), y - edge(1), x + edge(2), y + edge(3));
            // NaN compares false. A box with NaN is left out.
            if !(rect.width > 0.0 && rect.height > 0.0) {
                continue;
            }
            self.found.push(Detection {
                rect: Rect {
                    left: rect.left * scale,
                    top: rect.top * scale,
                    width: rect.width * scale,
                    height: rect.height * scale,
                },
                score: *score,
                points: std::array::from_fn(|k| {
                    [(x + points[2 * k * cells + cell]) * scale, (y + points[(2 * k + 1) * cells + cell]) * scale]
                }),
            });
        }
        suppress(&mut self.found, self.detection.max_overlap);
    }
}

/// Sorts by score and removes boxes that overlap with a box of a higher score.
fn suppress(found: &mut Vec<Detection>, max_overlap: f32) {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = 0;
    for candidate in 0..found.len() {
        if found[..kept].iter().all(|better| better.rect.overlap(&found[candidate].rect) <= max_overlap) {
            found.swap(kept, candidate);
            kept += 1;
        }
    }
    found.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX_OVERLAP: f32 = 0.4;

    fn detection(left: f32, top: f32, side: f32, score: f32) -> Detection {
        let rect = Rect { left, top, width: side, height: side };
        Detection { rect, score, points: [[0.0; 2]; 5] }
    }

    #[test]
    fn one_face_seen_by_many_cells_is_one_face() {
        let mut found = vec![
            detection(12.0, 10.0, 50.0, 0.7),
            detection(10.0, 10.0, 50.0, 0.9),
            detection(200.0, 10.0, 50.0, 0.6),
            detection(8.0, 12.0, 52.0, 0.8),
        ];
        suppress(&mut found, MAX_OVERLAP);
        assert_eq!(found.iter().map(|d| d.score).collect::<Vec<_>>(), [0.9, 0.6]);
    }

    proptest! {
        #[test]
        fn what_is_kept_does_not_overlap_and_covers_the_rest(
            boxes in prop::collection::vec((0f32..300.0, 0f32..200.0, 5f32..80.0, 0f32..1.0), 0..40),
        ) {
            let all: Vec<Detection> = boxes.iter().map(|b| detection(b.0, b.1, b.2, b.3)).collect();
            let mut kept = all.clone();
            suppress(&mut kept, MAX_OVERLAP);
            prop_assert!(kept.is_sorted_by(|a, b| a.score >= b.score));
            for (i, a) in kept.iter().enumerate() {
                prop_assert!(kept[..i].iter().all(|b| a.rect.overlap(&b.rect) <= MAX_OVERLAP));
            }
            for a in &all {
                prop_assert!(kept.iter().any(|b| b == a || (b.score >= a.score && b.rect.overlap(&a.rect) > MAX_OVERLAP)));
            }
        }
    }
}
