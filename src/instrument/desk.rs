//! The window's side of the instrument: turns each call into an order for a thread, and never waits.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::conductor::{self, Order};
use super::counter::Newest;
use super::gamepad::Gamepad;
use super::shelf::{self, Errand};
use super::{asker, counter, puller};
use crate::capture::Latest;
use crate::cli::{Failure, Places};
use crate::desktop::port::{
    Addition, AnswerExport, CameraControl, CameraMode, EventForm, ExportOrder, Host, Instrument, InstrumentBuilder,
    MarkerOrder, PageReplay, PixelRect, PullOrder, Question, SessionPlan, StartOrder, Update, Wake,
};
use crate::session::{Clock, PagePlacement, Timestamp};
use crate::survey::Cancel;

/// What a window asks, without one.
pub fn start(places: Places, host: Host) -> Result<Box<dyn Instrument>, String> {
    Ok(Box::new(Desk::start(places, host)?))
}

/// Opens the window and returns when it is closed.
pub fn open_window(places: Places) -> Result<ExitCode, Failure> {
    let builder: InstrumentBuilder = Box::new(move |host| start(places, host));
    // The embedded page's own window may go away under winit's feet.
    #[cfg(target_os = "linux")]
    crate::page::keys::overlook_lost_page_window();
    let preferences = crate::desktop::Preferences::default_path();
    crate::desktop::run(crate::desktop::Options { build: builder, open: None, preferences })?;
    Ok(ExitCode::SUCCESS)
}

struct Desk {
    /// `None` once closed.
    orders: Option<Sender<Order>>,
    errands: Option<Sender<Errand>>,
    counts: Option<Sender<(u64, counter::Errand)>>,
    newest_count: Newest,
    questions: Option<Sender<asker::Errand>>,
    /// Takes back the question that runs.
    cancel: Cancel,
    pulls: Option<Sender<(PullOrder, Cancel)>>,
    cancel_pull: Cancel,
    /// While somebody rates.
    gamepad: Option<Gamepad>,
    to_updates: Sender<Update>,
    wake: Wake,
    /// The newest wish for a picture; older ones are replaced.
    wanted_picture: Latest<u64>,
    updates: Receiver<Update>,
    /// The clock of the rig in use, as the conductor hands it over.
    next_clock: Latest<Clock>,
    clock: std::cell::Cell<Clock>,
    threads: Vec<JoinHandle<()>>,
}

impl Desk {
    fn start(places: Places, host: Host) -> Result<Desk, String> {
        // Orders come from a person and updates are drawn thirty times a second; both queues stay short. Records, the
        // only thing that comes in numbers, are bounded by the store.
        let (orders, orders_rx) = unbounded();
        let (errands, errands_rx) = unbounded();
        let (updates_tx, updates) = unbounded();
        let (next_clock, wanted_picture) = (Latest::default(), Latest::default());
        let no_thread = |e: std::io::Error| format!("The system gives no further thread: {e}");
        let shelf =
            shelf::start(places.clone(), errands_rx, wanted_picture.clone(), updates_tx.clone(), host.wake.clone())
                .map_err(no_thread)?;
        let (counts, counts_rx) = unbounded();
        let (questions, questions_rx) = unbounded();
        let (newest_count, wake, to_updates) = (Newest::default(), host.wake.clone(), updates_tx.clone());
        let counter = counter::start(counts_rx, newest_count.clone(), updates_tx.clone(), wake.clone());
        let counter = counter.map_err(no_thread)?;
        let asker = asker::start(questions_rx, updates_tx.clone(), wake.clone()).map_err(no_thread)?;
        let (pulls, pulls_rx) = unbounded();
        puller::start(places.clone(), pulls_rx, updates_tx.clone(), wake.clone()).map_err(no_thread)?;
        let conductor = conductor::start(places, &host, orders_rx, errands.clone(), updates_tx, next_clock.clone())
            .map_err(no_thread)?;
        let clock = std::cell::Cell::new(Clock::start());
        Ok(Desk {
            orders: Some(orders),
            errands: Some(errands),
            counts: Some(counts),
            newest_count,
            questions: Some(questions),
            cancel: Cancel::default(),
            pulls: Some(pulls),
            cancel_pull: Cancel::default(),
            gamepad: None,
            to_updates,
            wake,
            wanted_picture,
            updates,
            next_clock,
            clock,
            threads: vec![conductor, shelf, counter, asker],
        })
    }

    fn order(&self, order: Order) {
        // The conductor ends only when this sender is gone.
        let _ = self.orders.as_ref().map(|orders| orders.send(order));
    }

    fn errand(&self, errand: Errand) {
        let _ = self.errands.as_ref().map(|errands| errands.send(errand));
    }
}

impl Desk {
    fn count(&self, errand: counter::Errand) {
        let number = self.newest_count.number(&errand);
        let _ = self.counts.as_ref().map(|counts| counts.send((number, errand)));
    }

    fn question(&self, errand: asker::Errand) {
        let _ = self.questions.as_ref().map(|questions| questions.send(errand));
    }
}

impl Instrument for Desk {
    fn poll(&mut self) -> Vec<Update> {
        self.updates.try_iter().collect()
    }

    fn now(&self) -> Timestamp {
        if let Some(clock) = self.next_clock.try_take() {
            self.clock.set(clock);
        }
        self.clock.get().now()
    }

    fn refresh_library(&mut self) {
        self.errand(Errand::Library);
    }

    fn pull(&mut self, order: PullOrder) {
        self.cancel_pull = Cancel::default();
        let _ = self.pulls.as_ref().map(|pulls| pulls.send((order, self.cancel_pull.clone())));
    }

    fn cancel_pull(&mut self) {
        self.cancel_pull.cancel();
    }

    fn erase_session(&mut self, folder: &Path) {
        self.errand(Errand::Erase(folder.to_owned()));
    }

    fn begin_rehearsal(&mut self, plan: SessionPlan) {
        self.order(Order::Rehearse(plan));
    }

    fn end_rehearsal(&mut self) {
        self.order(Order::EndRehearsal);
    }

    fn refresh_cameras(&mut self) {
        self.errand(Errand::Cameras);
    }

    fn choose_camera(&mut self, spec: &str, mode: Option<CameraMode>) {
        self.order(Order::Camera(spec.to_owned(), mode));
    }

    fn set_control(&mut self, control: CameraControl, value: Option<i64>) {
        self.order(Order::Control(control, value));
    }

    fn place_page(&mut self, placement: PagePlacement) {
        self.order(Order::PlacePage(placement));
    }

    fn start_recording(&mut self, order: StartOrder) {
        self.order(Order::Record(order));
    }

    fn mark(&mut self, marker: MarkerOrder) {
        self.order(Order::Mark(marker));
    }

    fn stop_recording(&mut self) {
        self.order(Order::Stop);
    }

    fn page_bounds_px(&mut self, bounds: PixelRect) {
        self.order(Order::PageBounds(bounds));
    }

    fn page_visible(&mut self, is_visible: bool) {
        self.order(Order::PageVisible(is_visible));
    }

    fn page_focus(&mut self, is_focused: bool) {
        self.order(Order::PageFocus(is_focused));
    }

    fn reload_page(&mut self) {
        self.order(Order::ReloadPage);
    }

    fn open_session(&mut self, path: &Path) {
        self.errand(Errand::Open(path.to_owned()));
    }

    fn close_session(&mut self) {
        self.errand(Errand::Close);
    }

    fn want_picture(&mut self, frame_number: u64) {
        self.wanted_picture.put(frame_number);
        self.errand(Errand::Picture);
    }

    fn replay_page(&mut self, order: PageReplay) {
        self.errand(Errand::Page(order));
    }

    fn export(&mut self, order: ExportOrder) {
        self.errand(Errand::Export(order));
    }

    fn add_records(&mut self, addition: Addition) {
        self.errand(Errand::Add(addition));
    }

    fn compare_rating(&mut self, pass: u32) {
        self.errand(Errand::CompareRating(pass));
    }

    fn listen_to_gamepad(&mut self, is_wanted: bool) {
        self.gamepad = None;
        if is_wanted {
            match Gamepad::listen(self.to_updates.clone(), self.wake.clone()) {
                Ok(gamepad) => self.gamepad = Some(gamepad),
                Err(e) => {
                    let sentence = format!("No gamepad can be heard: {e}. Mouse and arrow keys rate as well.");
                    let _ = self.to_updates.send(Update::Notice(sentence));
                }
            }
        }
    }

    fn look_through(&mut self, sessions: Vec<PathBuf>) {
        self.count(counter::Errand::LookThrough(sessions));
    }

    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>) {
        self.count(counter::Errand::Count(forms, sessions));
    }

    fn ask(&mut self, question: Question) {
        self.cancel.cancel();
        self.cancel = Cancel::default();
        self.question(asker::Errand::Ask(Box::new(question), self.cancel.clone()));
    }

    fn cancel_question(&mut self) {
        self.cancel.cancel();
    }

    fn export_answer(&mut self, order: AnswerExport) {
        self.question(asker::Errand::Export(order));
    }

    fn close(&mut self) {
        self.cancel.cancel();
        self.cancel_pull.cancel();
        self.pulls = None;
        self.newest_count.abandon();
        self.gamepad = None;
        self.counts = None;
        self.questions = None;
        self.orders = None;
        // The conductor holds the other sender of errands, and is joined first.
        self.errands = None;
        for thread in self.threads.drain(..) {
            // A panic was printed when it happened, and closing goes on.
            let _ = thread.join();
        }
    }
}
