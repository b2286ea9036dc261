//! The signals that the operator has chosen to see below valence and arousal. Stored with the preferences.

use serde::{Deserialize, Serialize};

use analysis::SignalId;

/// More lanes would be too low to read.
pub const MOST_LANES: usize = 6;

/// The moving mean of a lane. Only what is drawn is smoothed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Smoothing {
    #[default]
    #[serde(rename = "none")]
    None,
    #[serde(rename = "0.5 s")]
    HalfSecond,
    #[serde(rename = "2 s")]
    TwoSeconds,
}

impl Smoothing {
    /// The length of the moving mean.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Smoothing::None => None,
            Smoothing::HalfSecond => Some(0.5),
            Smoothing::TwoSeconds => Some(2.0),
        }
    }

    /// The choice after this one. After the last comes the first.
    pub fn next(self) -> Smoothing {
        match self {
            Smoothing::None => Smoothing::HalfSecond,
            Smoothing::HalfSecond => Smoothing::TwoSeconds,
            Smoothing::TwoSeconds => Smoothing::None,
        }
    }
}

/// The scale of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneScale {
    /// From 0 to 1 or from −1 to 1 if the field's description says so. Otherwise as [`LaneScale::Fitted`].
    #[default]
    Whole,
    /// The range of the values in view.
    Fitted,
}

impl LaneScale {
    pub fn other(self) -> LaneScale {
        match self {
            LaneScale::Whole => LaneScale::Fitted,
            LaneScale::Fitted => LaneScale::Whole,
        }
    }
}

/// A signal, and how its lane shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneChoice {
    pub signal: SignalId,
    #[serde(default)]
    pub smoothing: Smoothing,
    #[serde(default)]
    pub scale: LaneScale,
}

/// At most [`MOST_LANES`] different signals, in the order of their lanes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<LaneChoice>", into = "Vec<LaneChoice>")]
pub struct LaneList(Vec<LaneChoice>);

impl LaneList {
    pub fn iter(&self) -> impl Iterator<Item = &LaneChoice> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_full(&self) -> bool {
        self.0.len() >= MOST_LANES
    }

    pub fn has(&self, signal: &SignalId) -> bool {
        self.position(signal).is_some()
    }

    /// Adds a lane below the others. The error is a message for the operator.
    pub fn add(&mut self, signal: SignalId) -> Result<(), String> {
        if self.has(&signal) {
            return Ok(());
        }
        if self.is_full() {
            return Err(format!(
                "{} was not added: at most {MOST_LANES} signals are shown. Remove one first.",
                signal.title()
            ));
        }
        self.0.push(LaneChoice { signal, smoothing: Smoothing::None, scale: LaneScale::Whole });
        Ok(())
    }

    pub fn remove(&mut self, signal: &SignalId) {
        self.0.retain(|lane| lane.signal != *signal);
    }

    /// Moves a lane to the place of another one. The lanes between the two move by one place.
    pub fn move_to(&mut self, signal: &SignalId, place_of: &SignalId) {
        if let (Some(from), Some(to)) = (self.position(signal), self.position(place_of)) {
            let lane = self.0.remove(from);
            self.0.insert(to, lane);
        }
    }

    pub fn set_smoothing(&mut self, signal: &SignalId, smoothing: Smoothing) {
        if let Some(k) = self.position(signal) {
            self.0[k].smoothing = smoothing;
        }
    }

    pub fn set_scale(&mut self, signal: &SignalId, scale: LaneScale) {
        if let Some(k) = self.position(signal) {
            self.0[k].scale = scale;
        }
    }

    fn position(&self, signal: &SignalId) -> Option<usize> {
        self.0.iter().position(|lane| lane.signal == *signal)
    }
}

impl TryFrom<Vec<LaneChoice>> for LaneList {
    type Error = String;
    fn try_from(lanes: Vec<LaneChoice>) -> Result<Self, String> {
        if lanes.len() > MOST_LANES {
            return Err(format!("{} signals are listed. At most {MOST_LANES} are shown.", lanes.len()));
        }
        for (k, lane) in lanes.iter().enumerate() {
            if lanes[..k].iter().any(|other| other.signal == lane.signal) {
                return Err(format!("The signal {} is listed twice.", lane.signal));
            }
        }
        Ok(LaneList(lanes))
    }
}

impl From<LaneList> for Vec<LaneChoice> {
    fn from(list: LaneList) -> Self {
        list.0
    }
}

/// The lanes of the two screens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lanes {
    pub live: LaneList,
    pub review: LaneList,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SignalId {
        text.parse().unwrap()
    }

    fn listed(list: &LaneList) -> Vec<String> {
        list.iter().map(|lane| lane.signal.to_string()).collect()
    }

    fn of(names: &[&str]) -> LaneList {
        let mut list = LaneList::default();
        names.iter().for_each(|name| list.add(id(name)).unwrap());
        list
    }

    #[test]
    fn signals_are_added_once_and_six_at_most() {
        let mut list = of(&["a.x", "a.y", "a.x", "b.x", "b.y", "c.x", "c.y"]);
        assert_eq!(listed(&list), ["a.x", "a.y", "b.x", "b.y", "c.x", "c.y"]);
        let refusal = list.add(id("d.x")).unwrap_err();
        assert!(refusal.contains("d · x") && refusal.contains("at most 6"), "{refusal}");
        assert_eq!(list.len(), 6);
        list.remove(&id("b.x"));
        list.add(id("d.x")).unwrap();
        assert_eq!(listed(&list), ["a.x", "a.y", "b.y", "c.x", "c.y", "d.x"]);
    }

    #[test]
    fn a_moved_lane_takes_the_place_of_another_one() {
        let mut list = of(&["a.x", "b.x", "c.x", "d.x"]);
        list.set_smoothing(&id("a.x"), Smoothing::TwoSeconds);
        list.move_to(&id("a.x"), &id("c.x"));
        assert_eq!(listed(&list), ["b.x", "c.x", "a.x", "d.x"]);
        assert_eq!(list.iter().nth(2).unwrap().smoothing, Smoothing::TwoSeconds);
        list.move_to(&id("d.x"), &id("b.x"));
        assert_eq!(listed(&list), ["d.x", "b.x", "c.x", "a.x"]);
        list.move_to(&id("d.x"), &id("e.x"));
        list.move_to(&id("e.x"), &id("d.x"));
        assert_eq!(listed(&list), ["d.x", "b.x", "c.x", "a.x"]);
    }

    #[test]
    fn the_choice_is_stored_by_name_and_a_wrong_list_is_refused() {
        let mut lanes = Lanes { live: of(&["pulse.rate_bpm"]), review: of(&["lsl_eda.EDA", "action.au12"]) };
        lanes.review.set_smoothing(&id("action.au12"), Smoothing::HalfSecond);
        lanes.review.set_scale(&id("action.au12"), LaneScale::Fitted);
        let text = toml::to_string(&lanes).unwrap();
        assert!(text.contains("signal = \"pulse.rate_bpm\"") && text.contains("smoothing = \"0.5 s\""), "{text}");
        assert_eq!(toml::from_str::<Lanes>(&text).unwrap(), lanes);
        let named = |names: &[&str]| {
            let rows = names.iter().map(|name| format!("{{ signal = \"{name}\" }}"));
            toml::from_str::<Lanes>(&format!("live = [{}]", rows.collect::<Vec<_>>().join(", ")))
        };
        assert_eq!(named(&["a.x", "b.x"]).unwrap().live, of(&["a.x", "b.x"]));
        assert!(named(&["a.x", "a.x"]).unwrap_err().to_string().contains("listed twice"));
        assert!(named(&["a.a", "a.b", "a.c", "a.d", "a.e", "a.f", "a.g"]).is_err());
        assert!(named(&["pulse"]).unwrap_err().to_string().contains("is no signal"));
    }
}
