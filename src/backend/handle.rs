//! The window's end of the backend: converts each call to a command for a thread, and never blocks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::JoinHandle;

use super::command_queue::CommandQueue;
use super::event_count_worker::{EventCountCommand, Newest};
use super::gamepad::Gamepad;
use super::job_worker::{self, Job};
use super::recording_command::RecordingCommand;
use super::review_worker::{self, ReviewCommand};
use super::session_changes::SessionChange;
use super::study_files::StudyFileCommand;
use super::study_query_worker::StudyQueryCommand;
use super::to_window::ToWindow;
use super::{download_worker, event_count_worker, recording_controller, signals, study_query_worker};
use crate::failure::Failure;
use crate::manual_page;
use crate::places::Places;
use desktop::port::{
    Backend, BackendBuilder, BackendEvent, CameraControl, CameraMode, DownloadRequest, Erasure, EventForm, FilmImport,
    Host, NewMarker, NewRecords, NewStudy, PageReplayCommand, ParticipantCommand, ParticipantScreen, PixelRect,
    Preferences, Reassignment, RecordingRequest, SessionExport, SessionNote, SessionPlan, SessionsExport,
    StudyDocument, StudyExport, StudyQuery, StudySave,
};
use session::{Clock, Latest, PagePlacement, Timestamp};
use study_query::Cancel;

/// The backend without a window, for tests.
pub fn start(places: Places, host: Host) -> Result<Box<dyn Backend>, String> {
    Ok(Box::new(BackendHandle::start(places, host)?))
}

/// Opens the window and returns when it is closed.
pub fn open_window(places: Places) -> Result<ExitCode, Failure> {
    let preferences = desktop::Preferences::default_path();
    let places = with_preferred_folder(places, preferences.as_deref());
    let builder: BackendBuilder = Box::new(move |host| {
        let backend = BackendHandle::start(places, host)?;
        signals::listen(backend.recording_commands.clone(), backend.window.clone())?;
        Ok(Box::new(backend) as Box<dyn Backend>)
    });
    // The window of an embedded page may be destroyed while winit uses it.
    #[cfg(target_os = "linux")]
    page::keys::ignore_lost_page_window();
    desktop::run(desktop::Options { build: builder, open: None, preferences })?;
    Ok(ExitCode::SUCCESS)
}

/// The folder of recordings that the operator prefers, unless the command line or the environment names one.
fn with_preferred_folder(places: Places, preferences: Option<&Path>) -> Places {
    let is_default = std::env::var_os("AFFECTOGRAPH_SESSIONS").is_none_or(|v| v.is_empty())
        && places.sessions == Places::find(None).absolute().sessions;
    // A file that cannot be read is reported by the window.
    let preferences = preferences.and_then(|path| Preferences::load(path).ok()).filter(|_| is_default);
    match preferences.as_ref().map(Preferences::recordings_folder) {
        Some(Ok(Some(folder))) => places.preferred(folder),
        // An older version stored it as it was typed. The library reports it.
        Some(Err(typed)) => places.preferred(typed.to_owned()),
        Some(Ok(None)) | None => places,
    }
}

struct BackendHandle {
    recording_commands: CommandQueue<RecordingCommand>,
    review_commands: CommandQueue<ReviewCommand>,
    event_count_commands: CommandQueue<(u64, EventCountCommand)>,
    newest_count: Newest,
    study_query_commands: CommandQueue<StudyQueryCommand>,
    /// Cancels the running query.
    cancel: Cancel,
    download_commands: CommandQueue<(DownloadRequest, Cancel)>,
    cancel_download: Cancel,
    jobs: CommandQueue<(Job, Cancel)>,
    cancel_job: Cancel,
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
        let (recording_commands, review_commands, event_count_commands) =
            (CommandQueue::default(), CommandQueue::default(), CommandQueue::default());
        let (study_query_commands, download_commands) = (CommandQueue::default(), CommandQueue::default());
        let jobs: CommandQueue<(Job, Cancel)> = CommandQueue::default();
        let (window, next_clock, newest_count) =
            (ToWindow::new(host.wake.clone()), Latest::default(), Newest::default());
        let start = || -> std::io::Result<_> {
            let review = review_worker::start(places.clone(), review_commands.clone(), window.clone())?;
            let event_count =
                event_count_worker::start(event_count_commands.clone(), newest_count.clone(), window.clone())?;
            let study_query = study_query_worker::start(places.clone(), study_query_commands.clone(), window.clone())?;
            download_worker::start(places.clone(), download_commands.clone(), window.clone())?;
            let job = job_worker::start(places.clone(), jobs.clone(), window.clone())?;
            let (recording_commands, review_commands) = (recording_commands.clone(), review_commands.clone());
            let controller = recording_controller::start(
                places.clone(),
                &host,
                recording_commands,
                review_commands,
                window.clone(),
                next_clock.clone(),
            )?;
            Ok((controller, vec![review, event_count, study_query, job]))
        };
        let (controller, threads) = start()
            .map_err(|e| format!("The program could not start a thread: {e}. Close other programs and try again."))?;
        Ok(BackendHandle {
            recording_commands,
            review_commands,
            event_count_commands,
            newest_count,
            study_query_commands,
            cancel: Cancel::default(),
            download_commands,
            cancel_download: Cancel::default(),
            jobs,
            cancel_job: Cancel::default(),
            gamepad: None,
            window,
            next_clock,
            clock: std::cell::Cell::new(Clock::start()),
            controller: Some(controller),
            threads,
        })
    }

    fn send_to_recording(&self, command: RecordingCommand) {
        self.window.report_refused(self.recording_commands.push(command));
    }

    fn send_to_review(&self, command: ReviewCommand) {
        self.window.report_refused(self.review_commands.push(command));
    }

    fn send_to_event_count(&self, command: EventCountCommand) {
        let number = self.newest_count.number(&command);
        self.window.report_refused(self.event_count_commands.push((number, command)));
    }

    fn send_to_study_query(&self, command: StudyQueryCommand) {
        self.window.report_refused(self.study_query_commands.push(command));
    }

    /// Closes all queues except that of the review worker, which the recording controller may still use.
    fn close_queues(&mut self) {
        self.cancel.cancel();
        self.cancel_download.cancel();
        self.cancel_job.cancel();
        self.newest_count.abandon();
        self.gamepad = None;
        self.recording_commands.close();
        self.event_count_commands.close();
        self.study_query_commands.close();
        self.download_commands.close();
        self.jobs.close();
    }

    fn start_job(&mut self, job: Job) {
        self.cancel_job = Cancel::default();
        self.window.report_refused(self.jobs.push((job, self.cancel_job.clone())));
    }
}

impl Drop for BackendHandle {
    /// Does not wait for the threads. `close` does.
    fn drop(&mut self) {
        self.close_queues();
        self.review_commands.close();
    }
}

impl Backend for BackendHandle {
    fn poll(&mut self) -> Vec<BackendEvent> {
        self.window.take()
    }

    fn now(&self) -> Timestamp {
        if let Some(clock) = self.next_clock.try_take() {
            self.clock.set(clock);
        }
        self.clock.get().now()
    }

    fn store_preferences(&mut self, preferences: &Preferences, file: &Path) {
        self.send_to_review(ReviewCommand::Preferences(Box::new(preferences.clone()), file.to_owned()));
    }

    fn refresh_library(&mut self) {
        self.send_to_review(ReviewCommand::Library);
    }

    fn download_sessions(&mut self, request: DownloadRequest) {
        self.cancel_download = Cancel::default();
        self.window.report_refused(self.download_commands.push((request, self.cancel_download.clone())));
    }

    fn cancel_download(&mut self) {
        self.cancel_download.cancel();
    }

    fn erase(&mut self, erasure: Erasure) {
        self.send_to_review(ReviewCommand::Change(SessionChange::Erase(erasure)));
    }

    fn reassign_session(&mut self, request: Reassignment) {
        self.send_to_review(ReviewCommand::Change(SessionChange::Reassign(request)));
    }

    fn add_note(&mut self, note: SessionNote) {
        self.send_to_review(ReviewCommand::Change(SessionChange::Note(note)));
    }

    fn draw_figure(&mut self, folder: &Path) {
        self.send_to_review(ReviewCommand::Figure(folder.to_owned()));
    }

    fn export_sessions(&mut self, request: SessionsExport) {
        self.start_job(Job::Export(request));
    }

    fn import_films(&mut self, request: FilmImport) {
        self.start_job(Job::Import(request));
    }

    fn cancel_job(&mut self) {
        self.cancel_job.cancel();
    }

    fn create_study(&mut self, study: NewStudy) {
        self.send_to_review(ReviewCommand::Study(StudyFileCommand::Create(study)));
    }

    fn read_study(&mut self, file: &Path) {
        self.send_to_review(ReviewCommand::Study(StudyFileCommand::Read(file.to_owned())));
    }

    fn check_study(&mut self, document: StudyDocument) {
        self.send_to_review(ReviewCommand::Study(StudyFileCommand::Check(document)));
    }

    fn save_study(&mut self, save: StudySave) {
        self.send_to_review(ReviewCommand::Study(StudyFileCommand::Save(save)));
    }

    fn open_folder(&mut self, folder: &Path) {
        // The folder of studies does not exist before the first study. An erased session's folder is not made again.
        let is_studies = folder.file_name().is_some_and(|name| name == store::STUDIES_FOLDER);
        let made = if is_studies { std::fs::create_dir_all(folder) } else { Ok(()) };
        if let Err(e) = made.and_then(|()| open::that_detached(folder)) {
            let folder = folder.display();
            let sentence = format!("No file manager could be opened: {e}. The folder is {folder}");
            self.window.send(BackendEvent::Notice(sentence));
        }
    }

    fn open_manual(&mut self) {
        let opened = manual_page::find().map(|page| open::that_detached(&page).map_err(|e| (page, e)));
        let problem = match opened {
            Some(Ok(())) => return,
            Some(Err((page, e))) => format!("No browser could be opened: {e}. The manual is {}", page.display()),
            None => "The manual is not installed. `cargo xtask manual` builds it. Its texts are in the folder docs"
                .to_owned(),
        };
        self.window.send(BackendEvent::Notice(problem));
    }

    fn go_on(&mut self, part: usize) {
        self.send_to_recording(RecordingCommand::GoOn(part));
    }

    fn begin_rehearsal(&mut self, plan: SessionPlan) {
        self.send_to_recording(RecordingCommand::Rehearse(plan));
    }

    fn end_rehearsal(&mut self) {
        self.send_to_recording(RecordingCommand::EndRehearsal);
    }

    fn refresh_cameras(&mut self) {
        self.send_to_review(ReviewCommand::Cameras);
    }

    fn choose_camera(&mut self, spec: &str, mode: Option<CameraMode>) {
        self.send_to_recording(RecordingCommand::Camera(spec.to_owned(), mode));
    }

    fn set_control(&mut self, control: CameraControl, value: Option<i64>) {
        self.send_to_recording(RecordingCommand::Control(control, value));
    }

    fn set_participant_screen(&mut self, screen: ParticipantScreen) {
        self.send_to_recording(RecordingCommand::ParticipantScreen(screen));
    }

    fn place_page(&mut self, placement: PagePlacement) {
        self.send_to_recording(RecordingCommand::PlacePage(placement));
    }

    fn start_recording(&mut self, request: RecordingRequest) {
        self.send_to_recording(RecordingCommand::Record(request));
    }

    fn refuse_remote_start(&mut self, why: String) {
        self.send_to_recording(RecordingCommand::RefuseRemoteStart(why));
    }

    fn mark(&mut self, marker: NewMarker) {
        self.send_to_recording(RecordingCommand::Mark(marker));
    }

    fn take_marker_back(&mut self, at: Timestamp) {
        self.send_to_recording(RecordingCommand::TakeBack(at));
    }

    fn pause(&mut self, is_paused: bool) {
        let at = self.now();
        self.send_to_recording(RecordingCommand::Pause(at, is_paused));
    }

    fn switch_phone(&mut self, is_on: bool) {
        self.send_to_recording(RecordingCommand::Phone(is_on));
    }

    fn stop_recording(&mut self) {
        self.send_to_recording(RecordingCommand::Stop);
    }

    fn discard_recording(&mut self) {
        self.send_to_recording(RecordingCommand::Discard);
    }

    fn page_bounds_px(&mut self, bounds: PixelRect) {
        self.send_to_recording(RecordingCommand::PageBounds(bounds));
    }

    fn page_visible(&mut self, is_visible: bool) {
        self.send_to_recording(RecordingCommand::PageVisible(is_visible));
    }

    fn page_focus(&mut self, is_focused: bool) {
        self.send_to_recording(RecordingCommand::PageFocus(is_focused));
    }

    fn reload_page(&mut self) {
        self.send_to_recording(RecordingCommand::ReloadPage);
    }

    fn participant(&mut self, command: ParticipantCommand) {
        self.send_to_recording(RecordingCommand::Participant(command));
    }

    fn open_session(&mut self, path: &Path) {
        self.send_to_review(ReviewCommand::Open(path.to_owned()));
    }

    fn close_session(&mut self) {
        self.send_to_review(ReviewCommand::Close);
    }

    fn load_picture(&mut self, frame_number: u64) {
        self.send_to_review(ReviewCommand::Picture(frame_number));
    }

    fn replay_page(&mut self, request: PageReplayCommand) {
        self.send_to_review(ReviewCommand::Page(request));
    }

    fn export(&mut self, request: SessionExport) {
        self.send_to_review(ReviewCommand::Export(request));
    }

    fn add_records(&mut self, records: NewRecords) {
        self.send_to_review(ReviewCommand::Add(records));
    }

    fn compare_rating(&mut self, pass: u32) {
        self.send_to_review(ReviewCommand::CompareRating(pass));
    }

    fn listen_to_gamepad(&mut self, is_wanted: bool) {
        self.gamepad = None;
        if is_wanted {
            match Gamepad::listen(self.window.clone()) {
                Ok(gamepad) => self.gamepad = Some(gamepad),
                Err(e) => {
                    let sentence =
                        format!("The gamepad could not be opened: {e}. Rate with the mouse or the arrow keys.");
                    self.window.send(BackendEvent::Notice(sentence));
                }
            }
        }
    }

    fn list_events(&mut self, sessions: Vec<PathBuf>) {
        self.send_to_event_count(EventCountCommand::List(sessions));
    }

    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>) {
        self.send_to_event_count(EventCountCommand::Count(forms, sessions));
    }

    fn run_study_query(&mut self, query: StudyQuery) {
        self.cancel.cancel();
        self.cancel = Cancel::default();
        self.send_to_study_query(StudyQueryCommand::Run(Box::new(query), self.cancel.clone()));
    }

    fn cancel_study_query(&mut self) {
        self.cancel.cancel();
    }

    fn export_study(&mut self, request: StudyExport) {
        self.send_to_study_query(StudyQueryCommand::Export(request));
    }

    fn close(&mut self) {
        self.close_queues();
        // A panic of a thread was printed when it happened. The others are still closed.
        if let Some(controller) = self.controller.take() {
            controller.join().ok();
        }
        // The recording controller may have sent a last command to the review worker.
        self.review_commands.close();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}
