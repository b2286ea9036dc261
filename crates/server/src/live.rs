//! The committed records of an open session, as the dashboard shows them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use session::{AFFECT, Body, PAGE, Record, affect, is_repeated_gap};

/// Kinds of events that are too frequent for a list.
const CONTINUOUS: [&str; 5] = ["pointermove", "scroll", "selection", "keyup", "resize"];

/// Valence and arousal at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct AffectPoint {
    pub at_s: f64,
    pub valence: Option<f32>,
    pub arousal: Option<f32>,
}

/// An event in the list of events.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EventPoint {
    pub at_s: f64,
    pub stream: String,
    pub kind: String,
    /// What the event concerns, for example the target. Empty if the event does not state it.
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct GapPoint {
    pub from_s: f64,
    pub until_s: f64,
    pub is_loss: bool,
    pub lost: u64,
}

/// Records of one session that were committed together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct LiveBatch {
    pub affect: Vec<AffectPoint>,
    pub events: Vec<EventPoint>,
    pub gaps: Vec<GapPoint>,
}

impl LiveBatch {
    pub fn add(&mut self, record: &Record) {
        let at_s = record.at.as_secs_f64();
        match &record.body {
            Body::Sample { values, .. } if record.stream.as_str() == AFFECT => {
                let value = |k: usize| values.get(k).copied().filter(|v| v.is_finite());
                self.affect.push(AffectPoint {
                    at_s,
                    valence: value(affect::VALENCE),
                    arousal: value(affect::AROUSAL),
                });
            }
            Body::Sample { .. } => {}
            Body::Event { kind, data } if is_listed(record.stream.as_str(), kind) => {
                let stream = record.stream.as_str().to_owned();
                self.events.push(EventPoint { at_s, stream, kind: kind.clone(), what: subject(data) });
            }
            Body::Event { .. } => {}
            Body::Gap(gap) if is_repeated_gap(record.stream.as_str(), gap.reason) => {}
            Body::Gap(gap) => self.gaps.push(GapPoint {
                from_s: at_s,
                until_s: gap.until.as_secs_f64(),
                is_loss: gap.reason.is_loss(),
                lost: gap.lost,
            }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.affect.is_empty() && self.events.is_empty() && self.gaps.is_empty()
    }
}

/// Whether the list of events shows this kind.
pub fn is_listed(stream: &str, kind: &str) -> bool {
    match stream {
        PAGE => !CONTINUOUS.contains(&kind),
        session::PAGE_CLOCK | session::VIDEO_FRAME | session::REPLAY => false,
        _ => true,
    }
}

/// The most informative field of the event. It never contains typed text.
fn subject(data: &serde_json::Map<String, Value>) -> String {
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let found = ["label", "name", "target", "url", "detail", "state", "how", "message"].into_iter().find_map(text);
    found.unwrap_or_default().chars().take(120).collect()
}
