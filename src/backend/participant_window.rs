//! The participant window of a session: it is open from set-up until the operator leaves the report.

use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use desktop::port::{self, ParticipantScreen};
use page::{HostScreen, PageHost, Placement, WindowEvent, WindowOpening, Withdraw, monitor_count};
use recording::page_spec;
use session::{Seat, Study};
use store::StudyFile;

/// Events of the window that nobody has read. They follow actions of a person.
const EVENTS: usize = 64;
const CHORD_HINT: &str = "Operator: Ctrl+Shift+F12";

pub struct ParticipantWindow {
    host: Arc<PageHost>,
    events: Receiver<WindowEvent>,
    /// The window covers the operator's view, because there is one monitor.
    covers_operator: bool,
    is_in_front: bool,
    study: Study,
}

impl ParticipantWindow {
    /// `place` is the operator's choice for a window that does not cover the operator's view. `Err` is a message for the
    /// user.
    pub fn open(file: &StudyFile, seat: Seat, place: ParticipantScreen) -> Result<ParticipantWindow, String> {
        let study = &file.study;
        let covers_operator = seat == Seat::Participant && monitor_count() < 2;
        let ParticipantScreen { monitor, full_screen } = match covers_operator {
            true => ParticipantScreen { monitor: Some(0), full_screen: true },
            false => place,
        };
        let placement = Placement::ParticipantWindow { monitor, full_screen, program: None, display: None };
        let spec = page_spec(file, placement).map_err(|e| e.to_string())?;
        let p = &study.participant;
        let opening = WindowOpening {
            screen: sentence(&p.waiting, covers_operator),
            is_in_front: !covers_operator,
            has_chord: covers_operator,
            withdraw: p.withdraw.then(|| Withdraw {
                button: p.withdraw_button.clone(),
                question: p.withdraw_question.clone(),
                stop: p.withdraw_stop.clone(),
                go_on: p.withdraw_continue.clone(),
            }),
        };
        let (to, events) = bounded(EVENTS);
        let host = Arc::new(PageHost::open(spec, opening, to).map_err(|e| e.to_string())?);
        Ok(ParticipantWindow { host, events, covers_operator, is_in_front: !covers_operator, study: study.clone() })
    }

    pub fn host(&self) -> Arc<PageHost> {
        self.host.clone()
    }

    pub fn events(&self) -> &Receiver<WindowEvent> {
        &self.events
    }

    /// Whether the window covers the operator's view now. `None`: it is beside it.
    pub fn front(&self) -> Option<bool> {
        self.covers_operator.then_some(self.is_in_front)
    }

    pub fn wait(&self) {
        self.host.show(sentence(&self.study.participant.waiting, self.covers_operator));
    }

    pub fn close_session(&self) {
        self.host.show(sentence(&self.study.participant.closing, self.covers_operator));
    }

    pub fn ask_consent(&mut self) {
        let consent = &self.study.consent;
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        self.host.show(HostScreen::Consent {
            text: consent.text.clone(),
            button: filled(&consent.button).unwrap_or_else(|| "I agree".to_owned()),
            initials: filled(&consent.initials),
        });
        self.set_front(true);
    }

    /// Does nothing if the window does not cover the operator's view.
    pub fn set_front(&mut self, is_in_front: bool) {
        if self.covers_operator {
            self.is_in_front = is_in_front;
            self.host.set_front(is_in_front);
        }
    }

    pub fn is_hidden_by_chord(&mut self) {
        self.is_in_front = false;
    }

    /// The newest picture of what the participant sees.
    pub fn picture(&self) -> Option<port::Picture> {
        let jpeg = self.host.picture().try_take()?;
        match image::load_from_memory_with_format(&jpeg, image::ImageFormat::Jpeg) {
            Ok(picture) => {
                let rgb = picture.into_rgb8();
                Some(port::Picture { width_px: rgb.width(), height_px: rgb.height(), rgb: rgb.into_raw() })
            }
            Err(error) => {
                tracing::warn!("a picture of the participant's screen could not be read: {error}");
                None
            }
        }
    }
}

fn sentence(text: &str, covers_operator: bool) -> HostScreen {
    HostScreen::Sentence { sentence: text.to_owned(), hint: covers_operator.then(|| CHORD_HINT.to_owned()) }
}
