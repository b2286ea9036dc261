//! A whole study of which the truth is known, asked as people ask: by the library's functions over timelines, over
//! session files, and by the program.

use std::path::PathBuf;
use std::time::Duration;

use affectograph::analysis::{
    DropReason, EpochPlan, EventChoice, SessionEpochs, SignalId, against_zero, average, compare, epochs,
};
use affectograph::session::{Clock, ParticipantId, SessionNumber, Study, Timestamp};
use affectograph::store::{Library, NotStored, Recorder, SessionEnd, SessionFile, SessionHeader, StoredStudy};
use affectograph::study_query::{
    Cancel, Findings, Pilots, Question, StudyQueryError, StudySessions, TestSettings, ask, study_sessions,
};
use crossbeam_channel::unbounded;
use rusqlite::Connection;
use serde_json::Value;

use super::simulated::{Script, records, response, streams, timeline};
use crate::program::run as affectograph;

const STUDY: &str = "name = \"faces\"\ntitle = \"Faces\"\n[page]\naddress = \"page\"\n";
const SCRIPT: Script = Script { events: 20, rate_hz: 30.0, effect: 0.1, seed: 1 };

fn choice(text: &str) -> EventChoice {
    text.parse().unwrap()
}

fn cut(script: &Script, participants: u32, target: &str) -> Vec<SessionEpochs> {
    let choice = choice(&format!("page/click target={target}"));
    let one = |n: u32| {
        let plan = EpochPlan::default();
        epochs(&timeline(script, n), &ParticipantId::numbered(n), SessionNumber(1), &choice, &plan).unwrap()
    };
    (1..=participants).map(one).collect()
}

/// 30 participants × 40 events: the effect is found where it is, as large as it is, and nowhere else.
#[test]
fn a_known_effect_is_found_in_valence_and_in_nothing_else() {
    let plan = EpochPlan::default();
    let (a, b) = (cut(&SCRIPT, 30, "button#a"), cut(&SCRIPT, 30, "button#b"));
    let matched: u64 = a.iter().chain(&b).map(|s| s.matched).sum();
    assert_eq!(matched, 30 * 40);

    let mean = average(&a, &plan, &SignalId::valence()).unwrap();
    println!("{} of {} epochs kept: {:?}", mean.epochs, mean.matched, mean.dropped);
    assert!(
        mean.epochs > 300 && mean.dropped[&DropReason::FaceMissing] > 0 && mean.dropped[&DropReason::DataMissing] > 0
    );
    let peak = (0..mean.mean.len()).max_by(|x, y| mean.mean[*x].total_cmp(&mean.mean[*y])).unwrap();
    assert!((mean.times_s[peak] - 1.2).abs() < 0.4, "the peak is at {} s", mean.times_s[peak]);
    let interval = mean.interval.unwrap();
    let true_peak = SCRIPT.effect;
    assert!(
        interval.low[peak] < true_peak && interval.high[peak] > true_peak,
        "{} … {}",
        interval.low[peak],
        interval.high[peak]
    );

    let truth = {
        let times: Vec<f64> = plan.times_s().into_iter().filter(|t| *t >= 0.0).collect();
        SCRIPT.effect * times.iter().map(|t| response(*t)).sum::<f64>() / times.len() as f64
    };
    let valence = compare(&a, &b, &plan, &SignalId::valence(), 2000, 1).unwrap();
    println!(
        "true {truth:.4}, found {:.4} ({:.4} … {:.4}), d {:.2?}",
        valence.effect.difference, valence.effect.low, valence.effect.high, valence.effect.cohens_d
    );
    assert!(valence.effect.low > 0.0 && valence.effect.low < truth && valence.effect.high > truth);
    let best = valence.clusters.iter().min_by(|x, y| x.p.total_cmp(&y.p)).unwrap();
    assert!(best.p < 0.01 && best.mass > 0.0, "{best:?}");
    assert!(best.from_s > 0.0 && best.from_s < 1.2 && best.until_s > 1.2, "{best:?}");

    let arousal = compare(&a, &b, &plan, &SignalId::arousal(), 2000, 1).unwrap();
    println!("arousal: p {:.3}, {:.4} … {:.4}", arousal.p(), arousal.effect.low, arousal.effect.high);
    assert!(arousal.p() > 0.05 && arousal.effect.low < 0.0 && arousal.effect.high > 0.0);
    assert!(against_zero(&a, &plan, &SignalId::valence(), 2000, 1).unwrap().p() < 0.01);
    assert!(against_zero(&b, &plan, &SignalId::valence(), 2000, 1).unwrap().p() > 0.05);
}

fn until_taken(mut send: impl FnMut() -> Result<(), NotStored>) {
    while let Err(refused) = send() {
        assert!(matches!(refused, NotStored::QueueFull(_)), "{refused}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Recorded by the program's own recorder.
fn lay(library: &Library, script: &Script, participant: u32) -> PathBuf {
    let clock = Clock::start();
    let (id, number) = (ParticipantId::numbered(participant), SessionNumber(1));
    let folder = library.create_session(&id, number, "faces", clock.zero_utc()).unwrap();
    let header =
        SessionHeader::plain(id, number, StoredStudy::new(&Study::parse(STUDY).unwrap(), STUDY), clock.zero_utc());
    let recorder = Recorder::create(&folder, header, streams(script.rate_hz), unbounded().0).unwrap();
    let mut end = Timestamp::ZERO;
    for r in records(script, participant) {
        let to = recorder.stream(r.stream.as_str()).unwrap();
        until_taken(|| to.put(r.seq, r.at, r.body.clone()));
        end = end.max(r.at);
    }
    recorder.finish(SessionEnd { at: end, quality: None }).unwrap();
    folder
}

const SHORT: Script = Script { events: 6, effect: 0.3, ..SCRIPT };

fn question() -> Question {
    Question {
        conditions: ["button#a", "button#b"].map(|t| choice(&format!("page/click target={t}"))).to_vec(),
        plan: EpochPlan::default(),
    }
}

/// What is read around the events gives the same as the whole session, in files of today and of yesterday.
#[test]
fn files_answer_as_timelines_do() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    let folders: Vec<PathBuf> = (1..=3).map(|n| lay(&library, &SHORT, n)).collect();
    let found = study_sessions(&library, "faces", Pilots::LeftOut).unwrap();
    assert_eq!(found, StudySessions { folders: folders.clone(), ..StudySessions::default() });
    let mut told = Vec::new();
    let answer = ask(&folders, &question(), |p| told.push((p.done, p.sessions)), &Cancel::default()).unwrap();
    assert_eq!(told, [(1, 3), (2, 3), (3, 3)]);
    for (session, n) in answer.sessions.iter().zip(1..) {
        let whole = SessionFile::open(&session.folder).unwrap().timeline().unwrap();
        for (k, choice) in question().conditions.iter().enumerate() {
            let expected = epochs(&whole, &ParticipantId::numbered(n), SessionNumber(1), choice, &question().plan);
            assert_eq!(session.conditions[k], expected.unwrap());
        }
        assert!(!session.conditions[0].epochs.is_empty());
    }
    let file = folders[1].join("session.sqlite");
    let older = Connection::open(&file).unwrap();
    older.execute_batch("DROP INDEX record_by_time; PRAGMA user_version = 2").unwrap();
    older.close().unwrap();
    assert_eq!(ask(&folders, &question(), |_| {}, &Cancel::default()).unwrap(), answer);
    let findings = Findings::of(&answer, TestSettings { permutations: 200, seed: 1 }).unwrap();
    assert_eq!((findings.conditions.len(), findings.comparisons.len()), (2, 2));
}

#[test]
fn a_question_can_be_taken_back() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    let folder = lay(&library, &SHORT, 1);
    let cancel = Cancel::default();
    let again = cancel.clone();
    let taken_back = ask(&vec![folder; 50], &question(), |_| again.cancel(), &cancel);
    assert!(matches!(taken_back, Err(StudyQueryError::Cancelled)));
}

/// As one asks at a terminal; what cannot be answered is a sentence.
#[test]
fn the_command_answers_and_says_what_to_do() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    let folders: Vec<PathBuf> = (1..=4).map(|n| lay(&library, &SHORT, n)).collect();
    let out = tmp.path().join("out");
    let event = "page/click target=button#a";
    let against = "page/click target=button#b";
    let to = out.display().to_string();
    let study = ["epochs", "--study", "faces", "--permutations", "200"];

    let output =
        affectograph(&[&study[..], &["--event", event, "--against", against, "--to", &to]].concat(), tmp.path());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("of 24 events kept, of 4 participant(s); ") && text.contains("bootstrap"), "{text}");
    let mut table = csv::Reader::from_path(out.join("epochs.csv")).unwrap();
    let kept: usize = text.lines().filter_map(|l| l.trim().split_once(" of 24 events")?.0.parse::<usize>().ok()).sum();
    assert_eq!(table.records().count(), 2 * kept);
    let findings: Value = serde_json::from_slice(&std::fs::read(out.join("findings.json")).unwrap()).unwrap();
    assert_eq!(findings["findings"]["comparisons"][0]["measure"], "valence");
    for name in ["average.csv", "participants.csv", "clusters.csv"] {
        assert!(csv::Reader::from_path(out.join(name)).unwrap().headers().unwrap().len() > 5, "{name}");
    }
    assert!(std::fs::read_to_string(out.join("average.svg")).unwrap().contains("time from the event (s)"));
    assert!(image::open(out.join("average.png")).unwrap().width() > 1000);

    // A newer and a foreign file are left out of a study with a sentence, and the rest answers.
    let path = folders[0].join("session.sqlite");
    let mut newer = std::fs::read(&path).unwrap();
    newer[60..64].copy_from_slice(&99u32.to_be_bytes());
    std::fs::write(&path, newer).unwrap();
    std::fs::write(folders[1].join("session.sqlite"), "a shopping list").unwrap();
    let output = affectograph(&[&study[..], &["--event", event, "--json"]].concat(), tmp.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("newer affectograph (file version 99") && said.contains("no session file of affectograph"),
        "{said}"
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["findings"]["conditions"][0]["averages"][0]["participants"], 2);
    assert_eq!(answer["left_out"].as_array().unwrap().len(), 2);

    // One participant is an answer, too, and says what it is worth.
    let alone = folders[2].display().to_string();
    let output = affectograph(&["epochs", &alone, "--event", event], tmp.path());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("is not valid for other people"), "{text}");

    for (arguments, says) in [
        (
            vec![&alone[..], "--event", "page/click target=nowhere"],
            "no event matches `page/click target=nowhere` in 1 session(s)",
        ),
        (vec![&alone, "--event", event, "--window", "4..1"], "must begin before it ends"),
        (vec![&alone, "--event", event, "--window", "-1..500"], "reaches outside the recording"),
        (vec![&alone, "--event", event, "--values", "z_scored"], "no guided baseline phase"),
        (vec![&folders[1].display().to_string(), "--event", event], "no session could be read"),
        (vec!["--study", "cats", "--event", event], "there is no session of the study `cats`"),
        (vec![&alone, "--event", event, "--to", &to], "is not empty: choose a new folder"),
    ] {
        let output = affectograph(&[&["epochs"], &arguments[..]].concat(), tmp.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    let wrong = affectograph(&["epochs", &alone, "--event", "page matches=("], tmp.path());
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no regular expression"));
}
