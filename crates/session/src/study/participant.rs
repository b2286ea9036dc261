//! What a study says about the participant's screen and consent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who sits at the participant's screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    /// The page fills the participant's screen. No measurement is shown there.
    Participant,
    /// The operator tries the study. The session is marked and left out of averages.
    Pilot,
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Seat::Participant => "Participant",
            Seat::Pilot => "Pilot",
        })
    }
}

/// The study's choice of the seat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatChoice {
    /// Each new session asks.
    #[default]
    Ask,
    Participant,
    Pilot,
}

impl SeatChoice {
    /// `None`: each new session asks.
    pub fn fixed(self) -> Option<Seat> {
        match self {
            SeatChoice::Ask => None,
            SeatChoice::Participant => Some(Seat::Participant),
            SeatChoice::Pilot => Some(Seat::Pilot),
        }
    }
}

/// The table `[participant]` of a study. All texts are shown to the participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParticipantSettings {
    pub screen: SeatChoice,
    /// Shown before the recording.
    pub waiting: String,
    /// Shown after the recording.
    pub closing: String,
    /// Whether the participant has a button to stop.
    pub withdraw: bool,
    pub withdraw_button: String,
    pub withdraw_question: String,
    pub withdraw_stop: String,
    pub withdraw_continue: String,
}

impl Default for ParticipantSettings {
    fn default() -> Self {
        ParticipantSettings {
            screen: SeatChoice::Ask,
            waiting: "Please wait.".to_owned(),
            closing: "Thank you. This part is finished.".to_owned(),
            withdraw: false,
            withdraw_button: "Stop".to_owned(),
            withdraw_question: "Do you want to stop? The recording ends then.".to_owned(),
            withdraw_stop: "Stop".to_owned(),
            withdraw_continue: "Continue".to_owned(),
        }
    }
}

/// Who confirms the consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentBy {
    /// The operator ticks a box.
    #[default]
    Operator,
    /// The participant presses a button on the participant's screen.
    Participant,
}
