//! An instrument that does nothing but write down what it was asked and say what a test tells it to say.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use desktop::port::*;
use session::{PagePlacement, Timestamp};

/// What the window asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    Preferences(Box<Preferences>),
    Refresh,
    Pull(DownloadRequest),
    CancelPull,
    Erase(Erasure),
    Reassign(Reassignment),
    Note(SessionNote),
    Figure(PathBuf),
    Folder(PathBuf),
    Manual,
    ExportSessions(SessionsExport),
    ImportFilms(FilmImport),
    CreateStudy(NewStudy),
    ReadStudy(PathBuf),
    CheckStudy(StudyDocument),
    SaveStudy(StudySave),
    GoOn(usize),
    CancelJob,
    Discard,
    Rehearse(SessionPlan),
    EndRehearsal,
    Cameras,
    Choose(String, Option<CameraMode>),
    Control(CameraControl, Option<i64>),
    Place(PagePlacement),
    Start(RecordingRequest),
    RefuseRemoteStart(String),
    Mark(NewMarker),
    TakeBack(Timestamp),
    Pause(bool),
    Phone(bool),
    Stop,
    Bounds(PixelRect),
    Visible(bool),
    Focus(bool),
    Reload,
    Participant(ParticipantCommand),
    Open(PathBuf),
    CloseSession,
    Picture(u64),
    Page(PageReplayCommand),
    Export(SessionExport),
    Add(NewRecords),
    CompareRating(u32),
    Gamepad(bool),
    LookThrough(Vec<PathBuf>),
    Count(Vec<EventForm>, Vec<PathBuf>),
    Ask(Box<StudyQuery>),
    Cancel,
    ExportAnswer(StudyExport),
    Close,
}

#[derive(Default)]
pub struct Desk {
    pub asked: Vec<Asked>,
    pub answers: Vec<BackendEvent>,
    pub now: Timestamp,
}

/// The test's end of it.
#[derive(Clone, Default)]
pub struct Handle(Rc<RefCell<Desk>>);

impl Handle {
    pub fn say(&self, update: BackendEvent) {
        self.0.borrow_mut().answers.push(update);
    }

    pub fn set_now(&self, at_s: f64) {
        self.0.borrow_mut().now = Timestamp::from_secs_f64(at_s);
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.0.borrow_mut().asked)
    }

    pub fn instrument(&self) -> Box<dyn Backend> {
        Box::new(Fake(self.0.clone()))
    }
}

struct Fake(Rc<RefCell<Desk>>);

impl Fake {
    fn note(&mut self, asked: Asked) {
        self.0.borrow_mut().asked.push(asked);
    }
}

impl Backend for Fake {
    fn poll(&mut self) -> Vec<BackendEvent> {
        std::mem::take(&mut self.0.borrow_mut().answers)
    }
    fn now(&self) -> Timestamp {
        self.0.borrow().now
    }
    fn store_preferences(&mut self, preferences: &Preferences, _: &Path) {
        self.note(Asked::Preferences(Box::new(preferences.clone())));
    }
    fn refresh_library(&mut self) {
        self.note(Asked::Refresh);
    }
    fn download_sessions(&mut self, order: DownloadRequest) {
        self.note(Asked::Pull(order));
    }
    fn cancel_download(&mut self) {
        self.note(Asked::CancelPull);
    }
    fn replay_page(&mut self, order: PageReplayCommand) {
        self.note(Asked::Page(order));
    }
    fn erase(&mut self, erasure: Erasure) {
        self.note(Asked::Erase(erasure));
    }
    fn reassign_session(&mut self, request: Reassignment) {
        self.note(Asked::Reassign(request));
    }
    fn add_note(&mut self, note: SessionNote) {
        self.note(Asked::Note(note));
    }
    fn draw_figure(&mut self, folder: &Path) {
        self.note(Asked::Figure(folder.to_owned()));
    }
    fn open_folder(&mut self, folder: &Path) {
        self.note(Asked::Folder(folder.to_owned()));
    }
    fn open_manual(&mut self) {
        self.note(Asked::Manual);
    }
    fn export_sessions(&mut self, request: SessionsExport) {
        self.note(Asked::ExportSessions(request));
    }
    fn import_films(&mut self, request: FilmImport) {
        self.note(Asked::ImportFilms(request));
    }
    fn cancel_job(&mut self) {
        self.note(Asked::CancelJob);
    }
    fn discard_recording(&mut self) {
        self.note(Asked::Discard);
    }
    fn create_study(&mut self, study: NewStudy) {
        self.note(Asked::CreateStudy(study));
    }
    fn read_study(&mut self, file: &Path) {
        self.note(Asked::ReadStudy(file.to_owned()));
    }
    fn check_study(&mut self, document: StudyDocument) {
        self.note(Asked::CheckStudy(document));
    }
    fn save_study(&mut self, save: StudySave) {
        self.note(Asked::SaveStudy(save));
    }
    fn go_on(&mut self, part: usize) {
        self.note(Asked::GoOn(part));
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
    // Follows the preferences, which have tests of their own.
    fn set_participant_screen(&mut self, _: ParticipantScreen) {}
    fn place_page(&mut self, placement: PagePlacement) {
        self.note(Asked::Place(placement));
    }
    fn start_recording(&mut self, order: RecordingRequest) {
        self.note(Asked::Start(order));
    }
    fn refuse_remote_start(&mut self, why: String) {
        self.note(Asked::RefuseRemoteStart(why));
    }
    fn mark(&mut self, marker: NewMarker) {
        self.note(Asked::Mark(marker));
    }
    fn take_marker_back(&mut self, at: Timestamp) {
        self.note(Asked::TakeBack(at));
    }
    fn pause(&mut self, is_paused: bool) {
        self.note(Asked::Pause(is_paused));
    }
    fn switch_phone(&mut self, is_on: bool) {
        self.note(Asked::Phone(is_on));
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
    fn participant(&mut self, command: ParticipantCommand) {
        self.note(Asked::Participant(command));
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
    fn load_picture(&mut self, frame_number: u64) {
        self.note(Asked::Picture(frame_number));
    }
    fn export(&mut self, order: SessionExport) {
        self.note(Asked::Export(order));
    }
    fn add_records(&mut self, addition: NewRecords) {
        self.note(Asked::Add(addition));
    }
    fn compare_rating(&mut self, pass: u32) {
        self.note(Asked::CompareRating(pass));
    }
    fn listen_to_gamepad(&mut self, is_wanted: bool) {
        self.note(Asked::Gamepad(is_wanted));
    }
    fn list_events(&mut self, sessions: Vec<PathBuf>) {
        self.note(Asked::LookThrough(sessions));
    }
    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>) {
        self.note(Asked::Count(forms, sessions));
    }
    fn run_study_query(&mut self, question: StudyQuery) {
        self.note(Asked::Ask(Box::new(question)));
    }
    fn cancel_study_query(&mut self) {
        self.note(Asked::Cancel);
    }
    fn export_study(&mut self, order: StudyExport) {
        self.note(Asked::ExportAnswer(order));
    }
    fn close(&mut self) {
        self.note(Asked::Close);
    }
}
