//! The thread `review_worker`: reads and writes what is stored, for the home and review screens.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::orders::{Order, Orders};
use super::rows;
use super::to_window::ToWindow;
use crate::cli::{Loaded, Places, figure_title, frame_rows, recover_crashed};
use analysis::{Measure, agreement, signal};
use capture::{Decoder, to_rgb};
use desktop::port::{
    self, Activity, Added, AddedStream, Addition, Agreement, ExportFormat, ExportOrder, PageReplay, Update,
};
use export::{FigureFormat, write_csv, write_figure};
use page::{ReplayMoment, ReplayNote, ReplaySpec, ReplayWindow};
use session::{AFFECT, Body, Record, StreamInfo, Timestamp, annotation_stream, rating_stream};
use store::{AddedStreams, SessionFile, StoreError};

pub enum Errand {
    Library,
    Erase(PathBuf),
    Cameras,
    Open(PathBuf),
    Close,
    Picture(u64),
    Export(ExportOrder),
    Page(PageReplay),
    Add(Addition),
    CompareRating(u32),
}

impl Order for Errand {
    fn replaces(&self, older: &Self) -> bool {
        matches!(
            (self, older),
            (Errand::Library, Errand::Library)
                | (Errand::Cameras, Errand::Cameras)
                | (Errand::Picture(_), Errand::Picture(_))
                | (Errand::Page(PageReplay::At { .. }), Errand::Page(PageReplay::At { .. }))
        )
    }
}

pub fn start(places: Places, errands: Orders<Errand>, window: ToWindow) -> std::io::Result<JoinHandle<()>> {
    let worker = ReviewWorker { places, window, opened: None, added: None, page: None, decoder: Decoder::default() };
    std::thread::Builder::new().name("review_worker".into()).spawn(move || worker.run(&errands))
}

struct ReviewWorker {
    places: Places,
    window: ToWindow,
    opened: Option<Loaded>,
    /// Once somebody adds to the opened session: kept, because closing it after each word would hold up the pictures.
    added: Option<AddedStreams>,
    /// The opened session's page, while somebody looks at it.
    page: Option<ReplayWindow>,
    decoder: Decoder,
}

/// What went wrong, as a sentence.
type Sentence = String;

impl ReviewWorker {
    fn run(mut self, errands: &Orders<Errand>) {
        self.recover();
        for errand in errands.each() {
            let (during, done) = match errand {
                Errand::Library => (Activity::Library, self.library()),
                Errand::Erase(folder) => (Activity::Erase, self.erase(&folder)),
                Errand::Cameras => (Activity::Rehearse, rows::cameras().map(Update::Cameras)),
                Errand::Open(path) => (Activity::Open, self.open(&path)),
                Errand::Close => {
                    self.shut();
                    continue;
                }
                Errand::Picture(number) => (Activity::Picture, self.picture(number)),
                Errand::Page(order) => match self.replay_page(order) {
                    Ok(()) => continue,
                    Err(sentence) => (Activity::PageReplay, Err(sentence)),
                },
                Errand::Export(order) => (Activity::Export, self.export(&order)),
                Errand::Add(addition) => (Activity::Add, self.add(addition)),
                Errand::CompareRating(pass) => (Activity::Add, self.compare_rating(pass)),
            };
            self.window.tell(done.unwrap_or_else(|sentence| Update::Failed { during, sentence }));
        }
        self.shut();
    }

    /// Readers go first: only then the session becomes one file again.
    fn shut(&mut self) {
        self.close_page();
        self.opened = None;
        if let Some(Err(e)) = self.added.take().map(AddedStreams::close) {
            self.window
                .tell(Update::Notice(format!("What was added is stored, but the session was not closed cleanly: {e}")));
        }
    }

    /// At the program's start: what a crash left open is closed.
    fn recover(&self) {
        let closed = self.places.library().and_then(|library| recover_crashed(&library));
        match closed {
            Ok(sentences) => sentences.into_iter().for_each(|s| self.window.tell(Update::Notice(s))),
            Err(e) => self.window.tell(Update::Failed { during: Activity::Library, sentence: e.to_string() }),
        }
    }

    fn library(&self) -> Result<Update, Sentence> {
        rows::library(&self.places).map(Update::Library).map_err(|e| e.to_string())
    }

    fn erase(&self, folder: &Path) -> Result<Update, Sentence> {
        self.places.library().and_then(|library| library.erase(folder)).map_err(|e| e.to_string())?;
        self.library()
    }

    fn open(&mut self, path: &Path) -> Result<Update, Sentence> {
        self.shut();
        let loaded = Loaded::open(path).map_err(|e| e.to_string())?;
        let opened = rows::opened(&loaded).map_err(|e| e.to_string())?;
        self.opened = Some(loaded);
        Ok(Update::Opened(Box::new(opened)))
    }

    fn opened(&self) -> Result<&Loaded, Sentence> {
        self.opened.as_ref().ok_or_else(|| "No session is open.".to_owned())
    }

    fn picture(&mut self, number: u64) -> Result<Update, Sentence> {
        let loaded = self.opened.as_ref().ok_or("No session is open.")?;
        let frame = loaded.file.frame(number).map_err(|e| e.to_string())?;
        let rgb = to_rgb(&frame, &mut self.decoder).map_err(|e| e.to_string())?;
        Ok(Update::Picture { frame_number: number, picture: rows::picture(rgb) })
    }

    fn close_page(&mut self) {
        if let Some(page) = self.page.take() {
            page.end();
        }
    }

    fn replay_page(&mut self, order: PageReplay) -> Result<(), Sentence> {
        match order {
            PageReplay::Open => {
                self.close_page();
                let loaded = self.opened()?;
                let program = std::env::current_exe().map_err(|e| format!("The program does not find itself: {e}"))?;
                let spec = ReplaySpec { title: rows::title(loaded.file.folder()) };
                let to_window = self.window.clone();
                let tell = move |note| {
                    let update = match note {
                        ReplayNote::Ready(_) | ReplayNote::Shown { .. } => return,
                        ReplayNote::Problem(sentence) => Update::Failed { during: Activity::PageReplay, sentence },
                        ReplayNote::Closed => Update::PageReplayClosed,
                    };
                    to_window.tell(update);
                };
                let window = ReplayWindow::start(&program, None, &spec, rows::page_events(&loaded.timeline), tell);
                self.page = Some(window.map_err(|e| format!("The window with the page could not be opened: {e}"))?);
            }
            PageReplay::At { at, is_playing, rate } => {
                if let Some(page) = &mut self.page {
                    page.show(ReplayMoment { at_ms: at.as_secs_f64() * 1e3, is_playing, rate });
                }
            }
            PageReplay::Close => self.close_page(),
        }
        Ok(())
    }

    fn export(&self, order: &ExportOrder) -> Result<Update, Sentence> {
        let loaded = self.opened()?;
        self.window.tell(Update::Exporting { done: 0.0 });
        let figure = |format| {
            let title = figure_title(&loaded.file);
            write_figure(&loaded.timeline, &title, Some(order.from..order.until), &order.to, format)
                .map_err(|e| e.to_string())
        };
        match order.format {
            ExportFormat::Csv => {
                let rows = frame_rows(&loaded.file).map_err(|e| e.to_string())?;
                let json = loaded.json().map_err(|e| e.to_string())?;
                write_csv(&loaded.timeline, rows, &json, &order.to).map_err(|e| e.to_string())?;
            }
            ExportFormat::FigurePng => figure(FigureFormat::Png)?,
            ExportFormat::FigureSvg => figure(FigureFormat::Svg)?,
        }
        Ok(Update::Exported { to: order.to.clone() })
    }

    /// What a person says about the opened session, stored at once.
    fn add(&mut self, addition: Addition) -> Result<Update, Sentence> {
        let Addition { stream, author, bodies } = addition;
        let stream = match stream {
            AddedStream::Annotation => annotation_stream(),
            AddedStream::Rating { pass } => rating_pass(pass)?,
        };
        let loaded = self.opened.as_mut().ok_or("No session is open.")?;
        let records = append(&mut self.added, loaded.file.folder(), &stream, &author, bodies);
        let records = records.map_err(|e| e.to_string())?;
        loaded.timeline.declare_added(stream.clone());
        records.iter().for_each(|r| loaded.timeline.ingest(r));
        Ok(Update::Added(Added { stream, author, records }))
    }

    fn compare_rating(&self, pass: u32) -> Result<Update, Sentence> {
        let loaded = self.opened()?;
        let stream = rating_pass(pass)?.name;
        // Who rated is told by the file as it is now, not as it was when it was opened.
        let file = SessionFile::open(loaded.file.folder()).map_err(|e| e.to_string())?;
        let author = file.additions().iter().find(|a| a.stream == stream).map(|a| a.author.clone());
        let fields = Measure::ALL.map(|measure| {
            let of = |stream: &str| signal(&loaded.timeline, stream, measure.as_str());
            let missing = || format!("There is no {measure} to compare.");
            let (rating, network) = of(stream.as_str()).zip(of(AFFECT)).ok_or_else(missing)?;
            agreement(&rating, &network, AGREEMENT_HZ, LONGEST_BRIDGE_S, LONGEST_LAG_S).map_err(|e| e.to_string())
        });
        Ok(Update::Agreement(Agreement { pass, author: author.unwrap_or_default(), fields }))
    }
}

/// Rating and network are compared at this rate, with holes of no more than this bridged. People rate some seconds
/// late.
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
