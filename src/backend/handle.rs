//! The window's end of the backend: converts each call to a command for a thread, and never blocks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::JoinHandle;

use super::event_count_worker::Newest;
use super::gamepad::Gamepad;
use super::orders::{BUSY, Orders};
use super::recording_controller::{self, Order};
use super::review_worker::{self, Errand};
use super::to_window::ToWindow;
use super::{download_worker, event_count_worker, study_query_worker};
use crate::failure::Failure;
use crate::places::Places;
use desktop::port::{
    Addition, AnswerExport, CameraControl, CameraMode, EventForm, ExportOrder, Host, Instrument, InstrumentBuilder,
    MarkerOrder, PageReplay, PixelRect, PullOrder, Question, SessionPlan, StartOrder, Update,
};
use session::{Clock, Latest, PagePlacement, Timestamp};
use study_query::Cancel;

/// The backend without a window, for tests.
pub fn start(places: Places, host: Host) -> Result<Box<dyn Instrument>, String> {
    Ok(Box::new(BackendHandle::start(places, host)?))
}

/// Opens the window and returns when it is closed.
pub fn open_window(places: Places) -> Result<ExitCode, Failure> {
    let builder: InstrumentBuilder = Box::new(move |host| start(places, host));
    // The window of an embedded page may be destroyed while winit uses it.
    #[cfg(target_os = "linux")]
    page::keys::ignore_lost_page_window();
    let preferences = desktop::Preferences::default_path();
    desktop::run(desktop::Options { build: builder, open: None, preferences })?;
    Ok(ExitCode::SUCCESS)
}

struct BackendHandle {
    orders: Orders<Order>,
    errands: Orders<Errand>,
    counts: Orders<(u64, event_count_worker::Errand)>,
    newest_count: Newest,
    questions: Orders<study_query_worker::Errand>,
    /// Cancels the running query.
    cancel: Cancel,
    pulls: Orders<(PullOrder, Cancel)>,
    cancel_pull: Cancel,
    /// During a rating.
    gamepad: Option<Gamepad>,
    window: ToWindow,
    /// The clock of the rig in use, from the recording controller.
    next_clock: Latest<Clock>,
    clock: std::cell::Cell<Clock>,
    controller: Option<JoinHandle<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl BackendHandle {
    fn start(places: Places, host: Host) -> Result<BackendHandle, String> {
        let (orders, errands, counts) = (Orders::default(), Orders::default(), Orders::default());
        let (questions, pulls) = (Orders::default(), Orders::default());
        let (window, next_clock, newest_count) =
            (ToWindow::new(host.wake.clone()), Latest::default(), Newest::default());
        let start = || -> std::io::Result<_> {
            let review = review_worker::start(places.clone(), errands.clone(), window.clone())?;
            let event_count = event_count_worker::start(counts.clone(), newest_count.clone(), window.clone())?;
            let study_query = study_query_worker::start(questions.clone(), window.clone())?;
            download_worker::start(places.clone(), pulls.clone(), window.clone())?;
            let (orders, errands) = (orders.clone(), errands.clone());
            let controller = recording_controller::start(
                places.clone(),
                &host,
                orders,
                errands,
                window.clone(),
                next_clock.clone(),
            )?;
            Ok((controller, vec![review, event_count, study_query]))
        };
        let (controller, threads) = start()
            .map_err(|e| format!("The program could not start a thread: {e}. Close other programs and try again."))?;
        Ok(BackendHandle {
            orders,
            errands,
            counts,
            newest_count,
            questions,
            cancel: Cancel::default(),
            pulls,
            cancel_pull: Cancel::default(),
            gamepad: None,
            window,
            next_clock,
            clock: std::cell::Cell::new(Clock::start()),
            controller: Some(controller),
            threads,
        })
    }

    fn order(&self, order: Order) {
        self.given(self.orders.give(order));
    }

    fn errand(&self, errand: Errand) {
        self.given(self.errands.give(errand));
    }

    fn count(&self, errand: event_count_worker::Errand) {
        let number = self.newest_count.number(&errand);
        self.given(self.counts.give((number, errand)));
    }

    fn question(&self, errand: study_query_worker::Errand) {
        self.given(self.questions.give(errand));
    }

    fn given(&self, is_taken: bool) {
        if !is_taken {
            self.window.tell(Update::Notice(BUSY.to_owned()));
        }
    }

    /// Closes all queues except that of the review worker, which the recording controller may still use.
    fn end_orders(&mut self) {
        self.cancel.cancel();
        self.cancel_pull.cancel();
        self.newest_count.abandon();
        self.gamepad = None;
        self.orders.close();
        self.counts.close();
        self.questions.close();
        self.pulls.close();
    }
}

impl Drop for BackendHandle {
    /// Does not wait for the threads. `close` does.
    fn drop(&mut self) {
        self.end_orders();
        self.errands.close();
    }
}

impl Instrument for BackendHandle {
    fn poll(&mut self) -> Vec<Update> {
        self.window.take()
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
        self.given(self.pulls.give((order, self.cancel_pull.clone())));
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
        self.errand(Errand::Picture(frame_number));
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
            match Gamepad::listen(self.window.clone()) {
                Ok(gamepad) => self.gamepad = Some(gamepad),
                Err(e) => {
                    let sentence =
                        format!("The gamepad could not be opened: {e}. Rate with the mouse or the arrow keys.");
                    self.window.tell(Update::Notice(sentence));
                }
            }
        }
    }

    fn look_through(&mut self, sessions: Vec<PathBuf>) {
        self.count(event_count_worker::Errand::LookThrough(sessions));
    }

    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>) {
        self.count(event_count_worker::Errand::Count(forms, sessions));
    }

    fn ask(&mut self, question: Question) {
        self.cancel.cancel();
        self.cancel = Cancel::default();
        self.question(study_query_worker::Errand::Ask(Box::new(question), self.cancel.clone()));
    }

    fn cancel_question(&mut self) {
        self.cancel.cancel();
    }

    fn export_answer(&mut self, order: AnswerExport) {
        self.question(study_query_worker::Errand::Export(order));
    }

    fn close(&mut self) {
        self.end_orders();
        // A panic of a thread was printed when it happened. The others are still closed.
        if let Some(controller) = self.controller.take() {
            controller.join().ok();
        }
        // The recording controller may have sent a last command to the review worker.
        self.errands.close();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}
