//! The window's backend without its window, for tests of set-up and recording.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use affectograph::desktop::port::*;
use affectograph::places::Places;
use affectograph::session::{CheckId, ParticipantId, Seat, SessionNumber};

const PATIENCE: Duration = Duration::from_secs(40);

pub struct BackendWindow {
    pub backend: Box<dyn Backend>,
    /// The newest ones.
    pub checks: Vec<Check>,
    /// Those that were raised and not cleared.
    pub alarms: Vec<Alarm>,
}

impl BackendWindow {
    /// Opens the set-up of a study with this text.
    pub fn set_up(folder: &Path, study: &str) -> BackendWindow {
        let study_file = folder.join("study.toml");
        std::fs::write(&study_file, study).unwrap();
        let places = Places { sessions: folder.join("sessions"), ..Places::find(None) };
        let host = Host { wake: Wake::new(|| {}), window: None };
        let mut backend = affectograph::backend::start(places, host).unwrap();
        backend.begin_rehearsal(SessionPlan {
            study_file,
            participant: ParticipantId::numbered(1),
            session: SessionNumber(1),
            condition: None,
            proposed: None,
            seat: Seat::Pilot,
        });
        BackendWindow { backend, checks: Vec::new(), alarms: Vec::new() }
    }

    /// Polls until an event or what is known passes.
    #[track_caller]
    pub fn wait<T>(&mut self, what: &str, pick: impl Fn(&BackendWindow, &BackendEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut found = None;
            for event in self.backend.poll() {
                match &event {
                    BackendEvent::Checks(checks) => self.checks.clone_from(checks),
                    BackendEvent::Alarm(alarm) => {
                        self.alarms.retain(|known| known.key != alarm.key);
                        self.alarms.push(alarm.clone());
                    }
                    BackendEvent::AlarmCleared { key } => self.alarms.retain(|known| known.key != *key),
                    BackendEvent::Failed { sentence, .. } => panic!("{what}: {sentence}"),
                    _ => {}
                }
                // The events after it are known, too.
                found = found.or_else(|| pick(self, &event));
            }
            if let Some(found) = found {
                return found;
            }
            let known = (&self.checks, &self.alarms);
            assert!(Instant::now() < deadline, "{what} never came: {known:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Of the sources, in the order of the study.
    pub fn sources(&self) -> Vec<(CheckState, &str)> {
        let sources = self.checks.iter().filter(|check| check.id == CheckId::Source);
        sources.map(|check| (check.state, check.sentence.as_str())).collect()
    }

    /// Waits until this source, counted from 0, has this state and says this.
    #[track_caller]
    pub fn wait_for_source(&mut self, number: usize, state: CheckState, part: &str) {
        self.wait(part, |window, _| {
            let found = window.sources().get(number).is_some_and(|(is, said)| *is == state && said.contains(part));
            found.then_some(())
        });
    }

    #[track_caller]
    pub fn record(&mut self, overridden_checks: Vec<CheckId>) {
        self.backend.start_recording(RecordingRequest { overridden_checks, consent_text: None, given_consent: None });
        self.wait("the recording", |_, event| matches!(event, BackendEvent::RecordingStarted(_)).then_some(()));
    }

    /// Stops and returns the session's folder.
    #[track_caller]
    pub fn stop(mut self) -> PathBuf {
        self.backend.stop_recording();
        let folder = self.finished();
        self.backend.close();
        folder
    }

    /// Waits until the recording has ended, and returns the session's folder.
    #[track_caller]
    pub fn finished(&mut self) -> PathBuf {
        self.wait("the end", |_, event| match event {
            BackendEvent::RecordingFinished(finished) => Some(finished.session.folder.clone()),
            _ => None,
        })
    }
}
