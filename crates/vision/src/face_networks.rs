//! The networks that read one face whose landmarks are known: affect, and facial actions if that network is installed.

use std::path::Path;

use super::actions::{ActionsReader, FaceActions};
use super::affect::{Affect, AffectReader};
use super::geometry::{LANDMARKS, Point};
use super::model::{CARD_FILE, ModelCard};
use super::picture::{Colour, Picture};
use super::reading::StepTimes;
use super::timing::timed;
use super::{Runtime, VisionError};

/// The folder of the network of facial actions.
const ACTIONS_FOLDER: &str = "actions";

#[derive(Debug)]
pub struct FaceNetworks {
    pub affect: AffectReader,
    /// `None` if the folder of networks has no such network.
    pub actions: Option<ActionsReader>,
}

impl FaceNetworks {
    /// `folder` has one folder per network. `affect` is the folder that the study selects. A network of facial actions is
    /// optional, but an installed one must be valid.
    pub fn load(runtime: &Runtime, folder: &Path, affect: &str) -> Result<FaceNetworks, VisionError> {
        let actions = folder.join(ACTIONS_FOLDER);
        let is_installed = actions.join(CARD_FILE).exists();
        Ok(FaceNetworks {
            affect: AffectReader::load(runtime, &folder.join(affect))?,
            actions: is_installed.then(|| ActionsReader::load(runtime, &actions)).transpose()?,
        })
    }

    /// How frames must be decoded. Grey takes less time and is sufficient for our own networks.
    pub fn colour(&self) -> Colour {
        if self.affect.network().needs_colour() { Colour::Rgb } else { Colour::Grey }
    }

    pub fn actions_card(&self) -> Option<&ModelCard> {
        self.actions.as_ref().map(|actions| actions.network().card())
    }

    /// `None` if both eyes are in one place.
    pub fn read(
        &mut self,
        picture: Picture,
        points: &[Point; LANDMARKS],
        times: &mut StepTimes,
    ) -> Result<Option<(Affect, Option<FaceActions>)>, VisionError> {
        let affect = timed(&mut times.affect_ms, || self.affect.read(picture, points))?;
        let Some(affect) = affect else { return Ok(None) };
        let actions = match &mut self.actions {
            Some(reader) => timed(&mut times.actions_ms, || reader.read(picture, points))?,
            None => None,
        };
        Ok(Some((affect, actions)))
    }
}
