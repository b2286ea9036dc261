//! What the numbers of the window mean. One table, shown on hover and in the help (F1).

use eframe::egui;
use egui::{Rect, Response, Sense, Ui};

/// A number that the window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    Valence,
    Arousal,
    Band,
    Plane,
    Expressions,
    Grade,
    Camera,
    Expected,
    Stored,
    Scored,
    Skipped,
    Lost,
    Inference,
    Queue,
    DiskLeft,
    Keyboard,
    Phase,
    Gap,
    FaceShare,
    PageClock,
    PageBusy,
    Events,
    Epochs,
    LeftOut,
    Average,
    Difference,
    Interval,
    CohensD,
    Clusters,
    Ccc,
    Correlation,
    Lag,
    Kappa,
    Baseline,
}

/// The help shows the terms in these groups.
pub const GROUPS: [(&str, &[Term]); 5] = [
    (
        "The face",
        &[Term::Valence, Term::Arousal, Term::Band, Term::Plane, Term::Expressions, Term::Baseline, Term::FaceShare],
    ),
    (
        "The recording",
        &[
            Term::Camera,
            Term::Expected,
            Term::Stored,
            Term::Scored,
            Term::Skipped,
            Term::Lost,
            Term::Inference,
            Term::Queue,
            Term::DiskLeft,
            Term::Keyboard,
            Term::Phase,
        ],
    ),
    ("The quality", &[Term::Grade, Term::Gap, Term::PageClock, Term::PageBusy]),
    (
        "A study",
        &[
            Term::Events,
            Term::Epochs,
            Term::LeftOut,
            Term::Average,
            Term::Difference,
            Term::Interval,
            Term::CohensD,
            Term::Clusters,
        ],
    ),
    ("Ratings and annotations", &[Term::Ccc, Term::Correlation, Term::Lag, Term::Kappa]),
];

impl Term {
    pub fn name(self) -> &'static str {
        match self {
            Term::Valence => "Valence (V)",
            Term::Arousal => "Arousal (A)",
            Term::Band => "Band around a curve",
            Term::Plane => "Affect plane",
            Term::Expressions => "Expressions (%)",
            Term::Grade => "Grade",
            Term::Camera => "camera",
            Term::Expected => "Frames expected",
            Term::Stored => "stored",
            Term::Scored => "scored",
            Term::Skipped => "skipped",
            Term::Lost => "lost",
            Term::Inference => "inference",
            Term::Queue => "queue",
            Term::DiskLeft => "disk left",
            Term::Keyboard => "keyboard",
            Term::Phase => "phase",
            Term::Gap => "Largest gap",
            Term::FaceShare => "Time with a face",
            Term::PageClock => "Page clock uncertainty",
            Term::PageBusy => "Page unresponsive",
            Term::Events => "Events",
            Term::Epochs => "Epochs averaged",
            Term::LeftOut => "Left out",
            Term::Average => "Average and its band",
            Term::Difference => "Difference after the event",
            Term::Interval => "95 % interval",
            Term::CohensD => "Cohen's d",
            Term::Clusters => "Clusters and p",
            Term::Ccc => "CCC",
            Term::Correlation => "r",
            Term::Lag => "lag",
            Term::Kappa => "κ",
            Term::Baseline => "Corrected values",
        }
    }

    #[expect(clippy::too_many_lines, reason = "one text per term")]
    pub fn text(self) -> &'static str {
        match self {
            Term::Valence => {
                "How pleasant the face looks, from −1 (unpleasant) to +1 (pleasant). A network reads it from each frame. It \
                 is an estimate of what the face shows, not a measurement of what the person feels."
            }
            Term::Arousal => {
                "How excited the face looks, from −1 (calm) to +1 (excited). A network reads it from each frame. It is an \
                 estimate of what the face shows, not a measurement of what the person feels."
            }
            Term::Band => {
                "The certainty of the network: the value plus and minus one standard deviation of its own estimate. A wide \
                 band means that the network is uncertain about this frame."
            }
            Term::Plane => {
                "Valence to the right and arousal up. The point is the newest reading, the ellipse its band, and the trail the \
                 last 8 s."
            }
            Term::Expressions => {
                "The network's certainty for each of eight expressions. The eight values add up to 100 %. A posed smile and a \
                 felt one can have the same value."
            }
            Term::Grade => {
                "The quality of the recording, from A to F, by three numbers: the share of lost frames, the longest time between \
                 two frames, and the share of frames with a face. A: nothing lost, at most 0.2 s, 95 %. B: up to 0.1 %, 0.5 s, \
                 90 %. C: up to 1 %, 2 s, 75 %. D: up to 5 %, 10 s, 50 %. An unresponsive page also lowers the grade."
            }
            Term::Camera => "Frames that the camera delivered in the last second.",
            Term::Expected => {
                "The camera's rate times the time from the first frame to the end of the recording. Of a video file: its frames \
                 and those that are lost."
            }
            Term::Stored => "Frames in the video file.",
            Term::Scored => "Frames that the networks have scored.",
            Term::Skipped => {
                "Frames that were not scored live. They are in the video and can be scored later: nothing is lost."
            }
            Term::Lost => "Frames and records that cannot be recovered. Each loss is stored as a gap with its reason.",
            Term::Inference => "Time that the networks need for one frame: the mean of the last second.",
            Term::Queue => {
                "How full the fullest queue on the way to the disk is. At 100 % data is lost, and an alarm is shown."
            }
            Term::DiskLeft => "Free space on the disk, and how long it lasts at the present rate.",
            Term::Keyboard => {
                "Who receives the keys: you, the participant's page, or another program. Ctrl 1 … 9 set markers in the first two \
                 cases. F6 changes between you and the page."
            }
            Term::Phase => {
                "The phase that runs by the study's plan: time since its start, and time left. Pauses do not count. The page \
                 times its tasks itself."
            }
            Term::Gap => {
                "The longest stretch without a stored frame, with its reason. Frames that end before the recording are a gap, too."
            }
            Term::FaceShare => "The share of the scored frames in which a face was found.",
            Term::PageClock => {
                "The largest possible error of a page event's time. Pings measure the offset of the page's clock."
            }
            Term::PageBusy => "The share of the time in which the page did not react, and the longest such time.",
            Term::Events => "What was recorded at one time: an action on the page, a marker, a phase, or a warning.",
            Term::Epochs => "The stretches of valence and arousal around the events that were averaged.",
            Term::LeftOut => {
                "Epochs that were not averaged, with the reason: for example the face was missing, or another event was too near."
            }
            Term::Average => {
                "The mean over participants. Each participant counts once. The band is the 95 % interval of the mean."
            }
            Term::Difference => {
                "The mean difference of A and B after the event, on the scale from −1 to +1, or in standard deviations of the \
                 baseline if values are z-scored."
            }
            Term::Interval => {
                "If the study were repeated many times, 95 % of such intervals would contain the true difference."
            }
            Term::CohensD => {
                "The difference in standard deviations. By convention 0.2 is small, 0.5 medium and 0.8 large. For paired data \
                 (d_z), the standard deviation is that of the differences."
            }
            Term::Clusters => {
                "Neighbouring points in time at which A and B differ, tested together (cluster-based permutation test). p is the \
                 share of random relabellings with a cluster at least as large."
            }
            Term::Ccc => {
                "Concordance correlation coefficient: 1 if rating and network are equal, 0 if they have nothing in common."
            }
            Term::Correlation => "Pearson's correlation: 1 if both courses are the same, up to scale and offset.",
            Term::Lag => {
                "The delay of the rating with the highest correlation. People rate with a delay of some seconds. It is given \
                 only if rating and network overlap long enough at each compared delay."
            }
            Term::Kappa => {
                "Cohen's kappa: the agreement of two people's labels in steps of 0.1 s, corrected for chance. 1 is perfect, 0 is \
                 chance. No label counts as a category."
            }
            Term::Baseline => {
                "Values minus the participant's own mean in the guided baseline, or in standard deviations of it (z). Stored \
                 values do not change."
            }
        }
    }
}

/// Shows the explanation of a number on hover.
pub trait Explained {
    fn explained(self, term: Term) -> Self;
}

impl Explained for Response {
    fn explained(self, term: Term) -> Response {
        explained_by(self, &[term])
    }
}

fn explained_by(response: Response, terms: &[Term]) -> Response {
    response.on_hover_ui(|ui| {
        ui.set_max_width(340.0);
        for term in terms {
            ui.strong(term.name());
            ui.add(egui::Label::new(term.text()).wrap());
        }
    })
}

/// Explains a name that is painted at `rect`.
pub fn explain(ui: &mut Ui, rect: Rect, name: &str, terms: &[Term]) {
    let response = ui.interact(rect, ui.scope_id().with(("explained", name)), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("What {name} means")));
    explained_by(response, terms);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_in_one_group_and_has_a_sentence() {
        let listed: Vec<Term> = GROUPS.iter().flat_map(|(_, terms)| terms.iter().copied()).collect();
        for (k, term) in listed.iter().enumerate() {
            assert!(!listed[k + 1..].contains(term), "{term:?} is listed twice");
            assert!(term.text().ends_with('.') && term.text().len() > 20, "{term:?}");
        }
        // The last variant in the order of the enum.
        assert_eq!(listed.len(), Term::Baseline as usize + 1);
    }
}
