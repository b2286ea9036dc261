//! The thread `review_worker`: reads and writes stored sessions for the home and review screens.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::command_queue::{CommandQueue, QueuedCommand};
use super::session_changes::SessionChange;
use super::study_files::{self, StudyFileCommand};
use super::to_window::ToWindow;
use super::{rows, session_export};
use crate::places::{Places, recover_crashed};
use analysis::{agreement, signal};
use capture::{Decoder, to_rgb};
use desktop::port::{
    self, Activity, AddedRecords, AddedStream, Agreement, BackendEvent, NewRecords, PageReplayCommand, Preferences,
    SessionExport,
};
use page::{ReplayEvent, ReplayMoment, ReplaySpec, ReplayWindow};
use session::{AFFECT, Body, Record, StreamInfo, Timestamp, annotation_stream, rating_stream};
use store::{AddedStreams, SessionFile, StoreError};
use stored_frames::FrameReader;
use study_query::StoredSession;

pub enum ReviewCommand {
    /// Stores the preferences in the file.
    Preferences(Box<Preferences>, PathBuf),
    Library,
    Change(SessionChange),
    /// Draws a session's figure for the clipboard.
    Figure(PathBuf),
    Cameras,
    Open(PathBuf),
    Close,
    Picture(u64),
    Export(SessionExport),
    Page(PageReplayCommand),
    Add(NewRecords),
    CompareRating(u32),
    Study(StudyFileCommand),
}

impl QueuedCommand for ReviewCommand {
    fn replaces(&self, older: &Self) -> bool {
        matches!(
            (self, older),
            (ReviewCommand::Library, ReviewCommand::Library)
                | (ReviewCommand::Preferences(..), ReviewCommand::Preferences(..))
                | (ReviewCommand::Cameras, ReviewCommand::Cameras)
                | (ReviewCommand::Picture(_), ReviewCommand::Picture(_))
                | (ReviewCommand::Study(StudyFileCommand::Check(_)), ReviewCommand::Study(StudyFileCommand::Check(_)))
                | (
                    ReviewCommand::Page(PageReplayCommand::MoveTo { .. }),
                    ReviewCommand::Page(PageReplayCommand::MoveTo { .. })
                )
        )
    }
}

pub fn start(
    places: Places,
    commands: CommandQueue<ReviewCommand>,
    window: ToWindow,
) -> std::io::Result<JoinHandle<()>> {
    let worker = ReviewWorker {
        places,
        window,
        opened: None,
        frames: None,
        added: None,
        page: None,
        decoder: Decoder::default(),
    };
    std::thread::Builder::new().name("review_worker".into()).spawn(move || worker.run(&commands))
}

struct ReviewWorker {
    places: Places,
    window: ToWindow,
    opened: Option<StoredSession>,
    /// Open after the first picture of the session.
    frames: Option<FrameReader>,
    /// Open after the first addition to the session. It stays open, because closing it after each addition would delay the
    /// pictures.
    added: Option<AddedStreams>,
    /// The replay window of the session's page.
    page: Option<ReplayWindow>,
    decoder: Decoder,
}

/// A message for the user about a failure.
type Sentence = String;

impl ReviewWorker {
    fn run(mut self, commands: &CommandQueue<ReviewCommand>) {
        self.recover();
        for command in commands.each() {
            let (during, done) = match command {
                ReviewCommand::Preferences(preferences, file) => {
                    if let Err(e) = preferences.store(&file) {
                        self.window.send(BackendEvent::Notice(e.to_string()));
                    }
                    continue;
                }
                ReviewCommand::Library => (Activity::Library, self.library()),
                ReviewCommand::Change(change) => match change.carry_out(&self.places) {
                    Ok(changed) => {
                        self.window.send(changed);
                        (Activity::Library, self.library())
                    }
                    Err(sentence) => {
                        // A part of it may be done.
                        self.library().into_iter().for_each(|listed| self.window.send(listed));
                        (change.activity(), Err(sentence))
                    }
                },
                ReviewCommand::Figure(folder) => (Activity::Figure, figure(&folder)),
                ReviewCommand::Cameras => (Activity::Rehearse, rows::cameras().map(BackendEvent::Cameras)),
                ReviewCommand::Open(path) => (Activity::Open, self.open(&path)),
                ReviewCommand::Close => {
                    self.shut();
                    continue;
                }
                ReviewCommand::Picture(number) => (Activity::Picture, self.picture(number)),
                ReviewCommand::Page(order) => match self.replay_page(order) {
                    Ok(()) => continue,
                    Err(sentence) => (Activity::PageReplay, Err(sentence)),
                },
                ReviewCommand::Export(order) => (Activity::Export, self.export(&order)),
                ReviewCommand::Add(addition) => (Activity::AddRecords, self.add(addition)),
                ReviewCommand::CompareRating(pass) => (Activity::AddRecords, self.compare_rating(pass)),
                ReviewCommand::Study(command) => (Activity::EditStudy, self.study(command)),
            };
            self.window.send(done.unwrap_or_else(|sentence| BackendEvent::Failed { during, sentence }));
        }
        self.shut();
    }

    /// Closes the readers first. SQLite removes the log file when the last connection is closed.
    fn shut(&mut self) {
        self.close_page();
        self.opened = None;
        self.frames = None;
        if let Some(Err(e)) = self.added.take().map(AddedStreams::close) {
            self.window
                .send(BackendEvent::Notice(format!("The additions are stored, but the session file could not be closed: {e}. Open the session again to check it.")));
        }
    }

    /// Closes the sessions that a crash left open. Called at the start of the program.
    fn recover(&self) {
        let closed = self.places.library().and_then(|library| recover_crashed(&library));
        match closed {
            Ok(sentences) => sentences.into_iter().for_each(|s| self.window.send(BackendEvent::Notice(s))),
            Err(e) => self.window.send(BackendEvent::Failed { during: Activity::Library, sentence: e.to_string() }),
        }
    }

    fn library(&self) -> Result<BackendEvent, Sentence> {
        rows::library(&self.places).map(BackendEvent::Library).map_err(|e| e.to_string())
    }

    /// The list of studies follows each change of a study.
    fn study(&self, command: StudyFileCommand) -> Result<BackendEvent, Sentence> {
        let is_change = matches!(command, StudyFileCommand::Create(_) | StudyFileCommand::Save(_));
        let done = study_files::execute(&self.places, command)?;
        if is_change {
            let library = self.library();
            self.window.send(library.unwrap_or_else(BackendEvent::Notice));
        }
        Ok(done)
    }

    fn open(&mut self, path: &Path) -> Result<BackendEvent, Sentence> {
        self.shut();
        let loaded = StoredSession::open(path).map_err(|e| e.to_string())?;
        let opened = rows::opened(&loaded).map_err(|e| e.to_string())?;
        self.opened = Some(loaded);
        Ok(BackendEvent::SessionOpened(Box::new(opened)))
    }

    fn opened(&self) -> Result<&StoredSession, Sentence> {
        self.opened.as_ref().ok_or_else(|| "No session is open.".to_owned())
    }

    fn picture(&mut self, number: u64) -> Result<BackendEvent, Sentence> {
        let loaded = self.opened.as_ref().ok_or("No session is open.")?;
        let frames = match &mut self.frames {
            Some(frames) => frames,
            None => self.frames.insert(FrameReader::open(&loaded.file).map_err(|e| e.to_string())?),
        };
        let frame = frames.frame(&loaded.file, number).map_err(|e| e.to_string())?;
        let rgb = to_rgb(&frame, &mut self.decoder).map_err(|e| e.to_string())?;
        Ok(BackendEvent::Picture { frame_number: number, picture: rows::picture(rgb) })
    }

    fn close_page(&mut self) {
        if let Some(page) = self.page.take() {
            page.end();
        }
    }

    fn replay_page(&mut self, order: PageReplayCommand) -> Result<(), Sentence> {
        match order {
            PageReplayCommand::Open => {
                self.close_page();
                let loaded = self.opened()?;
                let program = std::env::current_exe()
                    .map_err(|e| format!("The program's own file was not found: {e}. Start it again."))?;
                let spec = ReplaySpec { title: rows::title(loaded.file.folder()) };
                let to_window = self.window.clone();
                let on_event = move |event| {
                    let update = match event {
                        ReplayEvent::Ready(_) | ReplayEvent::Shown { .. } => return,
                        ReplayEvent::Problem(sentence) => {
                            BackendEvent::Failed { during: Activity::PageReplay, sentence }
                        }
                        ReplayEvent::Closed => BackendEvent::PageReplayClosed,
                    };
                    to_window.send(update);
                };
                let window = ReplayWindow::start(&program, None, &spec, rows::page_events(&loaded.timeline), on_event);
                self.page = Some(window.map_err(|e| format!("The replay window could not be opened: {e}"))?);
            }
            PageReplayCommand::MoveTo { at, is_playing, rate } => {
                if let Some(page) = &mut self.page {
                    page.show(ReplayMoment { at_ms: at.as_secs_f64() * 1e3, is_playing, rate });
                }
            }
            PageReplayCommand::Close => self.close_page(),
        }
        Ok(())
    }

    fn export(&self, order: &SessionExport) -> Result<BackendEvent, Sentence> {
        let loaded = self.opened()?;
        self.window.send(BackendEvent::ExportProgress { done: 0.0 });
        if let Some(problem) = session_export::write(&self.places, loaded, order)? {
            self.window.send(BackendEvent::Notice(problem));
        }
        Ok(BackendEvent::ExportFinished { to: order.to.clone() })
    }

    /// Stores annotations and ratings of the opened session.
    fn add(&mut self, addition: NewRecords) -> Result<BackendEvent, Sentence> {
        let NewRecords { stream, author, bodies } = addition;
        let stream = match stream {
            AddedStream::Annotation => annotation_stream(),
            AddedStream::Rating { pass } => rating_pass(pass)?,
        };
        let loaded = self.opened.as_mut().ok_or("No session is open.")?;
        let records = append(&mut self.added, loaded.file.folder(), &stream, &author, bodies);
        let records = records.map_err(|e| e.to_string())?;
        loaded.timeline.declare_added(stream.clone());
        records.iter().for_each(|r| loaded.timeline.ingest(r));
        Ok(BackendEvent::RecordsAdded(AddedRecords { stream, author, records }))
    }

    fn compare_rating(&self, pass: u32) -> Result<BackendEvent, Sentence> {
        let loaded = self.opened()?;
        let stream = rating_pass(pass)?.name;
        // The file is opened again, because the author was added after the session was opened.
        let file = SessionFile::open(loaded.file.folder()).map_err(|e| e.to_string())?;
        let author = file.additions().iter().find(|a| a.stream == stream).map(|a| a.author.clone());
        let fields = ["valence", "arousal"].map(|field| {
            let of = |stream: &str| signal(&loaded.timeline, stream, field);
            let missing = || format!("The session has no {field} to compare.");
            let (rating, network) = of(stream.as_str()).zip(of(AFFECT)).ok_or_else(missing)?;
            agreement(&rating, &network, AGREEMENT_HZ, LONGEST_BRIDGE_S, LONGEST_LAG_S).map_err(|e| e.to_string())
        });
        Ok(BackendEvent::Agreement(Agreement { pass, author: author.unwrap_or_default(), fields }))
    }
}

fn figure(folder: &Path) -> Result<BackendEvent, Sentence> {
    let stored = StoredSession::open(folder).map_err(|e| e.to_string())?;
    let title = export::session_title(stored.file.header());
    let drawn = export::draw_figure(&stored.timeline, &title).map_err(|e| e.to_string())?;
    let export::FigurePixels { width_px, height_px, rgb } = drawn;
    Ok(BackendEvent::FigureDrawn(std::sync::Arc::new(port::Picture { width_px, height_px, rgb })))
}

/// Rating and network are compared at this rate. Gaps up to this length are interpolated. Ratings are some seconds late.
const AGREEMENT_HZ: f64 = 10.0;
const LONGEST_BRIDGE_S: f64 = 0.5;
const LONGEST_LAG_S: f64 = 8.0;

fn rating_pass(pass: u32) -> Result<StreamInfo, Sentence> {
    Ok(StreamInfo { name: port::rating_stream_name(pass).parse()?, ..rating_stream() })
}

fn append(
    added: &mut Option<AddedStreams>,
    folder: &Path,
    stream: &StreamInfo,
    author: &str,
    bodies: Vec<(Timestamp, Body)>,
) -> Result<Vec<Record>, StoreError> {
    let added = match added {
        Some(added) => added,
        None => added.insert(AddedStreams::open(folder)?),
    };
    added.add_stream(stream, author)?;
    added.append(stream.name.as_str(), bodies)
}
