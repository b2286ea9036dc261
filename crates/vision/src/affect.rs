//! Valence, arousal, their uncertainty and the expression probabilities of one aligned face.
//!
//! A study chooses its network. Outputs are therefore found by name and expressions by label. Values that a network does
//! not compute are NaN, never 0.

use super::aligned_face::AlignedFaceNetwork;
use super::geometry::{LANDMARKS, Point};
use super::model::{ModelKind, Network};
use super::picture::Picture;
use super::{Runtime, VisionError};
use session::EXPRESSIONS;

/// The largest deviation of the sum of one face's probabilities from 1.
const MAX_SUM_ERROR: f32 = 0.01;

/// Raw network output, neither smoothed nor clipped. NaN: the network does not compute the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affect {
    /// −1 … 1.
    pub valence: f32,
    /// −1 … 1.
    pub arousal: f32,
    /// The network's own standard deviation.
    pub valence_sd: f32,
    pub arousal_sd: f32,
    /// Probabilities in the order of [`EXPRESSIONS`].
    pub expression: [f32; EXPRESSIONS.len()],
}

#[derive(Debug)]
pub struct AffectReader {
    face: AlignedFaceNetwork,
    valence_arousal: Option<usize>,
    log_variance: Option<usize>,
    expression: Option<Expression>,
}

#[derive(Debug)]
struct Expression {
    output: usize,
    /// For each value of the output, its index in [`EXPRESSIONS`].
    indexes: Vec<usize>,
}

impl AffectReader {
    pub fn load(runtime: &Runtime, folder: &std::path::Path) -> Result<AffectReader, VisionError> {
        let face = AlignedFaceNetwork::load(runtime, folder, ModelKind::Affect)?;
        let network = face.network();
        let card = network.card();
        let pair = |name: &str| match network.output_index(name) {
            Some(_) => network.require_output(name, &[Some(1), Some(2)]).map(Some),
            None => Ok(None),
        };
        let (valence_arousal, log_variance) = (pair("valence_arousal")?, pair("log_variance")?);
        let expression = match network.output_index("expression") {
            Some(output) => {
                network.require_output("expression", &[Some(1), None])?;
                Some(Expression { output, indexes: network.label_indexes(output, &EXPRESSIONS)? })
            }
            None => None,
        };
        if valence_arousal.is_none() && expression.is_none() {
            let names: Vec<&str> = card.outputs.iter().map(|o| o.name.as_str()).collect();
            return Err(card.misfit("the outputs", "`valence_arousal` or `expression`", names.join(", ")));
        }
        let mut reader = AffectReader { face, valence_arousal, log_variance, expression };
        reader.check_probabilities()?;
        Ok(reader)
    }

    pub fn network(&self) -> &Network {
        self.face.network()
    }

    /// Reads the face with these 68 points. `None` if both eyes are in one place.
    pub fn read(&mut self, picture: Picture, points: &[Point; LANDMARKS]) -> Result<Option<Affect>, VisionError> {
        Ok(self.face.run(picture, points)?.map(|_| self.outputs()))
    }

    /// Reads a picture that is a cropped face.
    pub fn read_cropped(&mut self, picture: Picture) -> Result<Affect, VisionError> {
        self.face.run_cropped(picture)?;
        Ok(self.outputs())
    }

    fn outputs(&self) -> Affect {
        let network = self.network();
        let pair = |output: Option<usize>| match output {
            Some(index) => [0, 1].map(|k| network.output(index)[k]),
            None => [f32::NAN; 2],
        };
        let [valence, arousal] = pair(self.valence_arousal);
        let [valence_sd, arousal_sd] = pair(self.log_variance).map(|v| (0.5 * v).exp());
        let mut expression = [f32::NAN; EXPRESSIONS.len()];
        if let Some(Expression { output, indexes }) = &self.expression {
            for (index, value) in indexes.iter().zip(network.output(*output)) {
                expression[*index] = *value;
            }
        }
        Affect { valence, arousal, valence_sd, arousal_sd, expression }
    }

    /// Runs once on uniform grey and checks the probabilities. Without this check, a network that was exported without
    /// its softmax would fill files with scores that look like probabilities.
    fn check_probabilities(&mut self) -> Result<(), VisionError> {
        self.face.run_blank()?;
        if let Some(Expression { output, .. }) = &self.expression {
            let values = self.network().output(*output);
            let sum: f32 = values.iter().sum();
            if !values.iter().all(|p| (0.0..=1.0).contains(p)) || (sum - 1.0).abs() > MAX_SUM_ERROR {
                let expected = "probabilities with the sum 1 (export the network with its softmax)";
                return Err(self.network().card().misfit("output `expression`", expected, format!("{values:?}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelCard;

    /// The fields of the stream `affect` are a file format. They have the labels of the shipped network.
    #[test]
    fn the_streams_expressions_are_the_labels_of_the_shipped_network() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/affect");
        let card = ModelCard::read(&folder).unwrap();
        let labels = card.output("expression").unwrap().labels.clone().unwrap();
        assert_eq!(labels, EXPRESSIONS);
    }
}
