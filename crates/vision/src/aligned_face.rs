//! A network whose input is one face, turned and scaled so that the eyes are at fixed places.

use super::VisionError;
use super::geometry::{Affine, LANDMARKS, Point, eye_centres};
use super::model::{ModelKind, Network};
use super::picture::{Colour, Picture};
use super::resample::Resampler;
use super::runtime::Runtime;

/// Smallest distance of the eyes in the input, in fractions of its sides.
const MIN_EYE_DISTANCE: f64 = 0.05;

#[derive(Debug)]
pub struct AlignedFaceNetwork {
    network: Network,
    eye_places: [[f64; 2]; 2],
    resampler: Resampler,
}

impl AlignedFaceNetwork {
    pub fn load(
        runtime: &Runtime,
        folder: &std::path::Path,
        kind: ModelKind,
    ) -> Result<AlignedFaceNetwork, VisionError> {
        let network = Network::load(runtime, folder, kind)?;
        let card = network.card();
        let distance = |left: [f64; 2], right: [f64; 2]| (right[0] - left[0]).hypot(right[1] - left[1]);
        let eye_places = match (card.input.left_eye, card.input.right_eye) {
            (Some(left), Some(right)) if distance(left, right) > MIN_EYE_DISTANCE => [left, right],
            other => {
                let expected =
                    "the positions of the eyes, as fractions of width and height: `left_eye = [x, y]` and `right_eye`";
                return Err(card.misfit("`input` in model.toml", expected, format!("{other:?}")));
            }
        };
        Ok(AlignedFaceNetwork { network, eye_places, resampler: Resampler::default() })
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    fn size_px(&self) -> [usize; 2] {
        let format = self.network.format();
        [format.width_px, format.height_px]
    }

    /// Runs on the face with these 68 points. Returns the transform from the input to the picture, or `None` if both eyes are
    /// in one place.
    pub fn run(&mut self, picture: Picture, points: &[Point; LANDMARKS]) -> Result<Option<Affine>, VisionError> {
        let Some(to_picture) = Affine::from_eyes(eye_centres(points), self.eye_places, self.size_px()) else {
            return Ok(None);
        };
        self.run_transformed(picture, &to_picture)?;
        Ok(Some(to_picture))
    }

    /// Runs on a picture that is a cropped face, stretched over the input.
    pub fn run_cropped(&mut self, picture: Picture) -> Result<(), VisionError> {
        let whole = Affine::whole_picture([picture.width_px(), picture.height_px()], self.size_px());
        self.run_transformed(picture, &whole)
    }

    /// Runs on uniform grey.
    pub fn run_blank(&mut self) -> Result<(), VisionError> {
        self.network.input_mut().1.fill(0.0);
        self.network.run()
    }

    fn run_transformed(&mut self, picture: Picture, to_picture: &Affine) -> Result<(), VisionError> {
        if self.network.needs_colour() && picture.colour() == Colour::Grey {
            return Err(VisionError::NeedsColour { model: self.network.card().name.clone() });
        }
        let size = self.size_px();
        let (format, input) = self.network.input_mut();
        self.resampler.fill(picture, to_picture, format, size, input);
        self.network.run()
    }
}
