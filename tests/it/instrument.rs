//! The window's backend without a window, with real files and a real server.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use affectograph::desktop::port::*;
use affectograph::places::Places;
use affectograph::session::{ANNOTATION, Body, ParticipantId, SessionNumber, Timestamp};
use affectograph::store::SessionFile;
use serde_json::json;

use super::server::{self, Served, TOKEN};

const PATIENCE: Duration = Duration::from_secs(60);

struct Window {
    instrument: Box<dyn Backend>,
    told: Vec<BackendEvent>,
}

impl Window {
    fn open(sessions: PathBuf) -> Window {
        let places = Places { sessions, studies: "assets/studies".into(), must_exist: false };
        let host = Host { wake: Wake::new(|| {}), window: None };
        Window { instrument: affectograph::backend::start(places, host).unwrap(), told: Vec::new() }
    }

    /// The first event that `pick` accepts. Earlier ones are skipped.
    #[track_caller]
    fn wait<T>(&mut self, what: &str, pick: impl Fn(&BackendEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.told.extend(self.instrument.poll());
            while !self.told.is_empty() {
                let update = self.told.remove(0);
                if let Some(found) = pick(&update) {
                    return found;
                }
                if let BackendEvent::Failed { sentence, .. } = update {
                    panic!("{what}: {sentence}");
                }
            }
            assert!(Instant::now() < deadline, "{what} never came");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn library(&mut self) -> Library {
        self.instrument.refresh_library();
        self.wait("the library", |u| if let BackendEvent::Library(l) = u { Some(l.clone()) } else { None })
    }
}

fn clicks() -> EventForm {
    EventForm { stream: "page".into(), kind: "click".into(), ..EventForm::default() }
}

#[test]
#[expect(clippy::too_many_lines, reason = "the steps of one day of a laboratory, in their order")]
fn sessions_come_from_a_server_are_opened_annotated_asked_exported_and_erased() {
    let Served { dir: _kept, running, browser } = server::served();
    (0..3).for_each(|_| server::owner::recorded(&browser));
    let closed = || {
        let list = browser.get("/v1/library/sessions").ok();
        list["sessions"].as_array().unwrap().iter().filter(|s| s["grade"].is_string()).count()
    };
    let deadline = Instant::now() + PATIENCE;
    while closed() < 3 {
        assert!(Instant::now() < deadline, "the sessions are never closed");
        std::thread::sleep(Duration::from_millis(50));
    }

    let here = tempfile::tempdir().unwrap();
    let mut window = Window::open(here.path().to_owned());
    assert_eq!(window.library().sessions.len(), 0);

    // A wrong token gets nothing but a sentence; the right one every session.
    let order = DownloadRequest { server: browser.url.clone(), token: "aga_wrong".into(), study: None };
    window.instrument.download_sessions(order.clone());
    let why = window.wait("the refusal", |u| match u {
        BackendEvent::Failed { during: Activity::Download, sentence } => Some(sentence.clone()),
        _ => None,
    });
    assert!(why.contains("unknown"), "{why}");
    window.instrument.download_sessions(DownloadRequest { token: TOKEN.into(), ..order.clone() });
    let last = window.wait("the steps", |u| {
        if let BackendEvent::DownloadProgress(s) = u { (s.number == 3).then(|| s.clone()) } else { None }
    });
    assert_eq!(last.of, 3);
    let outcome = window
        .wait("the sessions", |u| if let BackendEvent::SessionsDownloaded(o) = u { Some(o.clone()) } else { None });
    assert_eq!((outcome.fetched.len(), outcome.there_already, outcome.is_cancelled), (3, 0, false));
    // Taken back before it began, it fetches nothing and says so; what is here stays.
    window.instrument.download_sessions(DownloadRequest { token: TOKEN.into(), ..order });
    window.instrument.cancel_download();
    let again =
        window.wait("the end", |u| if let BackendEvent::SessionsDownloaded(o) = u { Some(o.clone()) } else { None });
    assert_eq!((again.fetched.len(), again.there_already), (0, 3));
    let library = window.library();
    let folders: Vec<PathBuf> = library.sessions.iter().map(|s| s.folder.clone()).collect();
    assert_eq!((folders.len(), library.participants.len()), (3, 3));

    // In review: the records, no video, and an annotation that is stored.
    window.instrument.open_session(&folders[0]);
    let (events, frames, has_page) = window.wait("the session", |u| match u {
        BackendEvent::SessionOpened(o) => Some((o.timeline.events().len(), o.frames.len(), o.has_page)),
        _ => None,
    });
    assert!(events > 0 && frames == 0 && !has_page);
    let body =
        Body::event("point", json!({"id": 1, "label": "smile", "author": "ab", "made_utc": "2026-11-23T10:00:00Z"}));
    let bodies = vec![(Timestamp::from_secs_f64(2.0), body)];
    window.instrument.add_records(NewRecords { stream: AddedStream::Annotation, author: "ab".into(), bodies });
    let added =
        window.wait("the annotation", |u| if let BackendEvent::RecordsAdded(a) = u { Some(a.clone()) } else { None });
    assert_eq!((added.author.as_str(), added.records.len()), ("ab", 1));
    for (format, name) in [(ExportFormat::Csv, "tables"), (ExportFormat::FigureSvg, "figure.svg")] {
        let to = here.path().join("export").join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let (from, until) = (Timestamp::ZERO, Timestamp::from_secs_f64(300.0));
        window.instrument.export(SessionExport { format, to: to.clone(), from, until });
        let written = window
            .wait("the export", |u| if let BackendEvent::ExportFinished { to } = u { Some(to.clone()) } else { None });
        assert!(written == to && to.exists());
    }
    window.instrument.close_session();

    // A question to the study.
    window.instrument.list_events(folders.clone());
    let catalogue =
        window.wait("the catalogue", |u| if let BackendEvent::EventCatalogue(c) = u { Some(c.clone()) } else { None });
    assert!(
        catalogue.unread.is_empty() && catalogue.kinds.iter().any(|k| k.kind == "click" && k.count == 3),
        "{catalogue:?}"
    );
    window.instrument.count_events(vec![clicks()], folders.clone());
    let matches =
        window.wait("the counts", |u| if let BackendEvent::EventCounts(m) = u { Some(m.clone()) } else { None });
    assert_eq!(matches[0].total(), 3);
    window.instrument.run_study_query(StudyQuery {
        sessions: folders.clone(),
        events: vec![clicks()],
        plan: EpochPlan::default(),
    });
    let answer = window
        .wait("the answer", |u| if let BackendEvent::StudyQueryFinished(a) = u { Some((**a).clone()) } else { None });
    assert_eq!((answer.conditions[0].participants(), answer.conditions[0].epochs.len()), (3, 3));
    let to = here.path().join("export/averages");
    window.instrument.export_study(StudyExport { format: StudyExportFormat::Tables, to: to.clone() });
    window.wait("its tables", |u| if let BackendEvent::ExportFinished { to } = u { Some(to.clone()) } else { None });
    assert!(std::fs::read_dir(&to).unwrap().count() >= 3);

    let to = here.path().join("export/dataset");
    let order = SessionsExport { sessions: folders.clone(), format: DatasetFormat::Csv, to: to.clone() };
    window.instrument.export_sessions(order);
    let job = |u: &BackendEvent| if let BackendEvent::JobFinished(result) = u { Some(result.clone()) } else { None };
    let done = window.wait("the dataset", job);
    assert!(matches!(&done, JobResult::Exported { sessions: 3, left_out, .. } if left_out.is_empty()), "{done:?}");
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 3);
    window.instrument.refresh_library();
    let noted =
        window.wait("the library", |u| if let BackendEvent::Library(l) = u { Some(l.exports.clone()) } else { None });
    assert!(noted.iter().any(|e| e.to.ends_with("export/dataset") && e.sessions.len() == 3), "{noted:?}");
    let participant = ParticipantId::numbered(77);
    let session = SessionNumber(4);
    window.instrument.reassign_session(Reassignment { folder: folders[2].clone(), participant, session });
    let moved = window.wait("the reassigned session", |u| {
        if let BackendEvent::Reassigned { folder, .. } = u { Some(folder.clone()) } else { None }
    });
    assert!(moved.parent().unwrap().ends_with("sub-77") && !folders[2].exists());
    window.wait("the library", |u| if let BackendEvent::Library(l) = u { Some(l.sessions.len()) } else { None });
    window.instrument.add_note(SessionNote { folder: moved.clone(), text: "left early".into() });
    window.wait("the note", |u| if let BackendEvent::NoteStored { folder } = u { Some(folder.clone()) } else { None });
    let events = SessionFile::open(&moved).unwrap().timeline().unwrap();
    assert!(events.events().iter().any(|e| e.what.data.get("label") == Some(&"left early".into())));
    window.wait("the library", |u| if let BackendEvent::Library(l) = u { Some(l.sessions.len()) } else { None });

    window.instrument.erase(Erasure::Sessions(vec![folders[1].clone()]));
    let left =
        window.wait("the library", |u| if let BackendEvent::Library(l) = u { Some(l.sessions.len()) } else { None });
    assert!(left == 2 && !folders[1].exists());
    window.instrument.close();
    running.stop().unwrap();
    // After closing, the annotation is in the session file, and there is no log file.
    let file = SessionFile::open(&folders[0]).unwrap();
    assert_eq!(file.timeline().unwrap().events().iter().filter(|e| e.stream.as_str() == ANNOTATION).count(), 1);
    // A worker that is not joined may close its file a moment later.
    let deadline = Instant::now() + PATIENCE;
    while folders[0].join("session.sqlite-wal").exists() {
        assert!(Instant::now() < deadline, "the log file stays");
        std::thread::sleep(Duration::from_millis(50));
    }
}
