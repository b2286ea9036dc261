//! The thread `recording_controller`: runs the rig for the window, for rehearsals and recordings.

mod participant;
mod poll_rig;
mod rehearsal;
mod remote;
mod start_and_stop;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use raw_window_handle::RawWindowHandle;

use super::active_rig::{ActiveRig, Plan};
use super::alarms::Alarms;
use super::checks::Known;
use super::command_queue::CommandQueue;
use super::embedded_place::{EmbeddedPlace, bounds_px};
use super::participant_window::ParticipantWindow;
use super::phone::Phone;
use super::recording_command::RecordingCommand;
use super::remote_control::RemoteControl;
use super::review_worker::ReviewCommand;
use super::tail::Tail;
use super::to_window::ToWindow;
use super::video_size::PictureSize;
use crate::places::Places;
use capture::Decoder;
use desktop::port::{BackendEvent, Check, Host, NewMarker, ParticipantScreen};
use recording::{MarkerText, Rig};
use session::{Clock, Latest, Taken, Timestamp};

/// The answer to a command of the set-up that comes late.
const STAYS_AS_IT_IS: &str = "The recording runs. Its camera and its page stay as they are.";
/// The interval at which records, events and pictures are sent to the window.
const POLL_INTERVAL: Duration = Duration::from_millis(33);

pub fn start(
    places: Places,
    host: &Host,
    commands: CommandQueue<RecordingCommand>,
    review_commands: CommandQueue<ReviewCommand>,
    window: ToWindow,
    clock: Latest<Clock>,
) -> std::io::Result<JoinHandle<()>> {
    let parent_xid = match host.window {
        Some(RawWindowHandle::Xlib(w)) => Some(w.window),
        _ => None,
    };
    std::thread::Builder::new().name("recording_controller".into()).spawn(move || {
        RecordingController {
            commands: commands.clone(),
            taken: VecDeque::new(),
            places,
            parent_xid,
            window,
            clock,
            review_commands,
            plan: None,
            running: None,
            participant: None,
            participant_problem: None,
            page: EmbeddedPlace::default(),
            participant_screen: ParticipantScreen::default(),
            remote: RemoteControl::default(),
            decoder: Decoder::default(),
        }
        .run(&commands);
    })
}

struct RecordingController {
    /// For the phone pad, whose taps are commands.
    commands: CommandQueue<RecordingCommand>,
    /// Taken from the queue and not carried out yet, oldest first.
    taken: VecDeque<RecordingCommand>,
    places: Places,
    parent_xid: Option<u64>,
    window: ToWindow,
    clock: Latest<Clock>,
    review_commands: CommandQueue<ReviewCommand>,
    plan: Option<Plan>,
    running: Option<Running>,
    /// Open from set-up until the operator leaves the report.
    participant: Option<ParticipantWindow>,
    /// Why the participant window could not be opened.
    participant_problem: Option<String>,
    page: EmbeddedPlace,
    participant_screen: ParticipantScreen,
    remote: RemoteControl,
    decoder: Decoder,
}

/// A rig in use, with the state that the window shows.
struct Running {
    active: ActiveRig,
    tail: Tail,
    known: Known,
    sent_checks: Vec<Check>,
    alarms: Alarms,
    picture_size: PictureSize,
    started: Instant,
    last_second: Instant,
    last_preview: Instant,
    has_ended: bool,
    /// The page crashed. The participant sees the waiting screen until a page is there again.
    waits_after_crash: bool,
    phone: Phone,
    /// The start of the recording. `None` in a rehearsal.
    recording_since: Option<Timestamp>,
}

impl Running {
    fn new(active: ActiveRig) -> Self {
        let now = Instant::now();
        let known = Known {
            networks: active.rig.as_ref().map(|rig| match rig.vision_trouble() {
                None => Ok("Detector, landmarks and affect are loaded.".to_owned()),
                Some(why) => Err(why.to_owned()),
            }),
            camera: active.camera_problem.clone().map(Err),
            page: active.page_problem.clone().map(Err),
            ..Known::default()
        };
        Running {
            tail: Tail::new(active.folder.clone()),
            active,
            known,
            sent_checks: Vec::new(),
            alarms: Alarms::default(),
            picture_size: PictureSize::default(),
            started: now,
            last_second: now,
            last_preview: now,
            has_ended: false,
            waits_after_crash: false,
            phone: Phone::default(),
            recording_since: None,
        }
    }

    fn rig(&self) -> Option<&Rig> {
        self.active.rig.as_ref()
    }
}

impl RecordingController {
    fn run(mut self, commands: &CommandQueue<RecordingCommand>) {
        let mut next_poll = Instant::now() + POLL_INTERVAL;
        loop {
            match commands.take(next_poll.saturating_duration_since(Instant::now())) {
                Taken::New(commands) => self.execute_all(commands),
                Taken::TimedOut => {}
                Taken::Closed => break,
            }
            if Instant::now() >= next_poll {
                self.poll_rig();
                // Missed polls are not repeated.
                next_poll = (next_poll + POLL_INTERVAL).max(Instant::now());
            }
        }
        // The window is closing. A recording in progress is stopped properly.
        if self.is_recording() {
            self.stop();
        }
        self.end_rehearsal();
    }

    fn rig(&self) -> Option<&Rig> {
        self.running.as_ref().and_then(Running::rig)
    }

    fn is_recording(&self) -> bool {
        self.running.as_ref().is_some_and(|t| t.active.folder.is_some())
    }

    fn execute_all(&mut self, commands: Vec<RecordingCommand>) {
        self.taken = commands.into();
        while let Some(command) = self.taken.pop_front() {
            self.execute(command);
        }
    }

    fn execute(&mut self, command: RecordingCommand) {
        if self.is_recording() && command.is_of_set_up() {
            self.window.send(BackendEvent::Notice(STAYS_AS_IT_IS.to_owned()));
            return;
        }
        match command {
            RecordingCommand::Rehearse(plan) => self.begin_rehearsal(plan),
            // The window left the set-up before it knew of the recording, which it does not show.
            RecordingCommand::EndRehearsal if self.is_recording() => self.stop(),
            RecordingCommand::EndRehearsal => {
                self.end_rehearsal();
                self.plan = None;
                self.remote = RemoteControl::default();
                self.set_participant(None);
            }
            RecordingCommand::Camera(spec, mode) => self.choose_camera(&spec, mode),
            RecordingCommand::Control(control, value) => self.set_control(control, value),
            RecordingCommand::PlacePage(placement) => {
                if let Some(plan) = &mut self.plan {
                    plan.placement = placement;
                    self.rehearse_in_new_window();
                }
            }
            RecordingCommand::ParticipantScreen(screen) => {
                self.participant_screen = screen;
                // A recording keeps its window.
                let is_set_up = !self.is_recording();
                if let Some(plan) = self.plan.as_mut().filter(|_| is_set_up) {
                    plan.screen = screen;
                    self.rehearse_in_new_window();
                }
            }
            RecordingCommand::Record(request) => self.record(request),
            RecordingCommand::Mark(marker) => {
                if let Some(rig) = self.rig() {
                    let NewMarker { at, key, label, note, via } = marker;
                    rig.mark(at, &MarkerText { key, label, note, via: via.stored() });
                }
            }
            RecordingCommand::GoOn(part) => {
                if let Some(rig) = self.rig() {
                    rig.go_on(part);
                }
            }
            RecordingCommand::TakeBack(at) => {
                if self.rig().is_some_and(|rig| !rig.take_marker_back(at)) {
                    let sentence = format!("The marker at {at} was not taken back: more than 5 s have passed.");
                    self.window.send(BackendEvent::Notice(sentence));
                }
            }
            RecordingCommand::Pause(at, is_paused) => {
                let Some(running) = &mut self.running else { return };
                if let Some(rig) = &running.active.rig {
                    rig.pause(at, is_paused);
                    running.phone.note_pause(is_paused);
                }
            }
            RecordingCommand::Phone(is_on) => self.switch_phone(is_on),
            RecordingCommand::Stop => self.stop(),
            RecordingCommand::Discard => self.discard(),
            RecordingCommand::PageBounds(bounds) => {
                self.page.bounds = Some(bounds);
                self.on_page(|page| page.set_bounds(bounds_px(bounds), 1.0));
            }
            RecordingCommand::PageVisible(is_visible) => {
                self.page.is_visible = is_visible;
                self.on_page(|page| page.set_visible(is_visible));
            }
            RecordingCommand::PageFocus(is_focused) => self.on_page(|page| page.focus(is_focused)),
            // Without a page, the rehearsal begins again: the page may be there now.
            RecordingCommand::ReloadPage => match self.rig().and_then(Rig::page) {
                Some(page) => page.reload(),
                None if !self.is_recording() => self.rehearse_in_new_window(),
                None => {}
            },
            RecordingCommand::Participant(command) => self.command_participant(command),
            RecordingCommand::Remote(request) => self.command_remotely(request),
            RecordingCommand::RefuseRemoteStart(why) => self.answer_remote_start(Err(why)),
        }
    }

    fn switch_phone(&mut self, is_on: bool) {
        let (Some(plan), Some(running)) = (&self.plan, &mut self.running) else { return };
        let (Some(rig), Some(started)) = (&running.active.rig, running.recording_since) else { return };
        if !is_on {
            running.phone.switch_off();
            self.window.send(BackendEvent::PhonePad(None));
            return;
        }
        match running.phone.switch_on(&plan.study, rig.clock(), started, self.commands.clone()) {
            Ok(url) => self.window.send(BackendEvent::PhonePad(Some(url))),
            Err(sentence) => self.window.send(BackendEvent::Notice(sentence)),
        }
    }

    fn on_page(&self, act: impl FnOnce(&page::PageHost)) {
        if let Some(page) = self.rig().and_then(Rig::page) {
            act(page);
        }
    }

    fn send_to_review(&self, command: ReviewCommand) {
        self.window.report_refused(self.review_commands.push(command));
    }
}
