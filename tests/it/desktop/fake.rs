//! An instrument that does nothing but write down what it was asked and say what a test tells it to say.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use affectograph::desktop::port::*;
use affectograph::session::{PagePlacement, Timestamp};

/// What the window asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Refresh,
    Pull(PullOrder),
    CancelPull,
    Erase(PathBuf),
    Rehearse(SessionPlan),
    EndRehearsal,
    Cameras,
    Choose(String, Option<CameraMode>),
    Control(CameraControl, Option<i64>),
    Place(PagePlacement),
    Start(StartOrder),
    Mark(MarkerOrder),
    Stop,
    Bounds(PixelRect),
    Visible(bool),
    Focus(bool),
    Reload,
    Open(PathBuf),
    CloseSession,
    Picture(u64),
    Page(PageReplay),
    Export(ExportOrder),
    Add(Addition),
    CompareRating(u32),
    Gamepad(bool),
    LookThrough(Vec<PathBuf>),
    Count(Vec<EventForm>, Vec<PathBuf>),
    Ask(Box<Question>),
    Cancel,
    ExportAnswer(AnswerExport),
    Close,
}

#[derive(Default)]
pub struct Desk {
    pub asked: Vec<Asked>,
    pub answers: Vec<Update>,
    pub now: Timestamp,
}

/// The test's end of it.
#[derive(Clone, Default)]
pub struct Handle(Rc<RefCell<Desk>>);

impl Handle {
    pub fn say(&self, update: Update) {
        self.0.borrow_mut().answers.push(update);
    }

    pub fn set_now(&self, at_s: f64) {
        self.0.borrow_mut().now = Timestamp::from_secs_f64(at_s);
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.borrow_mut().asked)
    }

    pub fn instrument(&self) -> Box<dyn Instrument> {
        Box::new(Fake(self.0.clone()))
    }
}

struct Fake(Rc<RefCell<Desk>>);

impl Fake {
    fn note(&mut self, asked: Asked) {
        self.0.borrow_mut().asked.push(asked);
    }
}

impl Instrument for Fake {
    fn poll(&mut self) -> Vec<Update> {
        std::mem::take(&mut self.0.borrow_mut().answers)
    }
    fn now(&self) -> Timestamp {
        self.0.borrow().now
    }
    fn refresh_library(&mut self) {
        self.note(Asked::Refresh);
    }
    fn pull(&mut self, order: PullOrder) {
        self.note(Asked::Pull(order));
    }
    fn cancel_pull(&mut self) {
        self.note(Asked::CancelPull);
    }
    fn replay_page(&mut self, order: PageReplay) {
        self.note(Asked::Page(order));
    }
    fn erase_session(&mut self, folder: &Path) {
        self.note(Asked::Erase(folder.to_owned()));
    }
    fn begin_rehearsal(&mut self, plan: SessionPlan) {
        self.note(Asked::Rehearse(plan));
    }
    fn end_rehearsal(&mut self) {
        self.note(Asked::EndRehearsal);
    }
    fn refresh_cameras(&mut self) {
        self.note(Asked::Cameras);
    }
    fn choose_camera(&mut self, spec: &str, mode: Option<CameraMode>) {
        self.note(Asked::Choose(spec.to_owned(), mode));
    }
    fn set_control(&mut self, control: CameraControl, value: Option<i64>) {
        self.note(Asked::Control(control, value));
    }
    fn place_page(&mut self, placement: PagePlacement) {
        self.note(Asked::Place(placement));
    }
    fn start_recording(&mut self, order: StartOrder) {
        self.note(Asked::Start(order));
    }
    fn mark(&mut self, marker: MarkerOrder) {
        self.note(Asked::Mark(marker));
    }
    fn stop_recording(&mut self) {
        self.note(Asked::Stop);
    }
    fn page_bounds_px(&mut self, bounds: PixelRect) {
        self.note(Asked::Bounds(bounds));
    }
    fn page_visible(&mut self, is_visible: bool) {
        self.note(Asked::Visible(is_visible));
    }
    fn page_focus(&mut self, is_focused: bool) {
        self.note(Asked::Focus(is_focused));
    }
    fn reload_page(&mut self) {
        self.note(Asked::Reload);
    }
    fn open_session(&mut self, path: &Path) {
        self.note(Asked::Open(path.to_owned()));
    }
    fn close_session(&mut self) {
        self.note(Asked::CloseSession);
    }
    fn want_picture(&mut self, frame_number: u64) {
        self.note(Asked::Picture(frame_number));
    }
    fn export(&mut self, order: ExportOrder) {
        self.note(Asked::Export(order));
    }
    fn add_records(&mut self, addition: Addition) {
        self.note(Asked::Add(addition));
    }
    fn compare_rating(&mut self, pass: u32) {
        self.note(Asked::CompareRating(pass));
    }
    fn listen_to_gamepad(&mut self, is_wanted: bool) {
        self.note(Asked::Gamepad(is_wanted));
    }
    fn look_through(&mut self, sessions: Vec<PathBuf>) {
        self.note(Asked::LookThrough(sessions));
    }
    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>) {
        self.note(Asked::Count(forms, sessions));
    }
    fn ask(&mut self, question: Question) {
        self.note(Asked::Ask(Box::new(question)));
    }
    fn cancel_question(&mut self) {
        self.note(Asked::Cancel);
    }
    fn export_answer(&mut self, order: AnswerExport) {
        self.note(Asked::ExportAnswer(order));
    }
    fn close(&mut self) {
        self.note(Asked::Close);
    }
}
