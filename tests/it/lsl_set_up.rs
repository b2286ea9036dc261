//! The sources of a study in the set-up, with the window's backend, a phantom camera and a real sender.

use std::path::Path;
use std::time::{Duration, Instant};

use affectograph::desktop::port::*;
use affectograph::places::Places;
use affectograph::session::{CheckId, HEALTH, ParticipantId, Seat, SessionNumber};
use affectograph::store::SessionFile;

use super::lsl::{amplifier, config, tools};
use super::vision_support::models;

const PATIENCE: Duration = Duration::from_secs(40);
const STUDY: &str = "name = \"lab\"\ntitle = \"Lab\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 15.0\n\
    [[sources]]\nkind = \"lsl\"\nname = \"amp\"\n[[sources]]\nkind = \"lsl\"\nname = \"absent\"\nrequired = false\n";

struct SetUp {
    backend: Box<dyn Backend>,
    /// Of the sources, in the order of the study.
    checks: Vec<(CheckState, String)>,
}

impl SetUp {
    fn open(folder: &Path) -> SetUp {
        let study_file = folder.join("study.toml");
        std::fs::write(&study_file, STUDY).unwrap();
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
        SetUp { backend, checks: Vec::new() }
    }

    /// Polls until `is_there`.
    #[track_caller]
    fn wait<T>(&mut self, what: &str, is_there: impl Fn(&[(CheckState, String)], &BackendEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for event in self.backend.poll() {
                if let BackendEvent::Checks(checks) = &event {
                    let sources = checks.iter().filter(|check| check.id == CheckId::Source);
                    self.checks = sources.map(|check| (check.state, check.sentence.clone())).collect();
                }
                if let BackendEvent::Failed { sentence, .. } = &event {
                    panic!("{what}: {sentence}");
                }
                if let Some(found) = is_there(&self.checks, &event) {
                    return found;
                }
            }
            assert!(Instant::now() < deadline, "{what} never came: {:?}", self.checks);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn wait_for_amplifier(&mut self, state: CheckState, part: &str) {
        self.wait(part, |checks, _| {
            checks.first().filter(|(found, sentence)| *found == state && sentence.contains(part)).map(|_| ())
        });
    }
}

#[test]
fn the_set_up_shows_each_source_and_records_without_one_only_if_the_operator_wants_it() {
    let (Some(python), Some(_)) = (tools(), models()) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let lsl = config(tmp.path());
    // SAFETY: no other thread runs yet that reads or writes the environment.
    unsafe { std::env::set_var("LSLAPICFG", &lsl) };
    let sender = amplifier(&python, 300.0, false, &lsl);

    let mut set_up = SetUp::open(tmp.path());
    set_up.wait_for_amplifier(CheckState::Waiting, "`name=amp` is looked for");
    set_up.wait_for_amplifier(CheckState::Ok, "8 channels of float32 at 250 Hz");
    set_up.wait("the missing source", |checks, _| {
        checks.get(1).filter(|(state, s)| *state == CheckState::Warning && s.contains("was not found")).map(|_| ())
    });
    let (_, sentence) = &set_up.checks[0];
    assert!(sentence.contains("samples a second, its clock is known to ±"), "{sentence}");

    drop(sender);
    set_up.wait_for_amplifier(CheckState::Failed, "sends nothing");
    let sender = amplifier(&python, 300.0, false, &lsl);
    set_up.wait_for_amplifier(CheckState::Ok, "samples a second");
    drop(sender);
    set_up.wait_for_amplifier(CheckState::Failed, "sends nothing");

    let overridden_checks = vec![CheckId::Source, CheckId::FaceLight];
    set_up.backend.start_recording(RecordingRequest { overridden_checks, consent_text: None, given_consent: None });
    set_up.wait("the recording", |_, event| matches!(event, BackendEvent::RecordingStarted(_)).then_some(()));
    set_up.wait("the lamps of the recording", |checks, _| {
        let missing = checks.iter().filter(|(state, s)| *state == CheckState::Warning && s.contains("is not recorded"));
        (missing.count() == 2).then_some(())
    });
    set_up.backend.stop_recording();
    let folder = set_up.wait("the end", |_, event| match event {
        BackendEvent::RecordingFinished(finished) => Some(finished.session.folder.clone()),
        _ => None,
    });
    set_up.backend.close();
    let file = SessionFile::open(&folder).unwrap();
    assert!(file.header().overridden_checks.contains(&CheckId::Source));
    let timeline = file.timeline().unwrap();
    let is_missing = |kind: &str| kind == "source_missing";
    let missing = timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH && is_missing(&e.what.kind));
    assert_eq!(missing.count(), 2);
}
