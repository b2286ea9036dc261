//! The commands of the window and of the phone pad to the thread `recording_controller`.

use super::command_queue::QueuedCommand;
use desktop::port::{
    CameraControl, CameraMode, NewMarker, ParticipantCommand, ParticipantScreen, PixelRect, RecordingRequest,
    SessionPlan,
};
use remote_control::Request;
use session::{PagePlacement, Timestamp};

pub enum RecordingCommand {
    Rehearse(SessionPlan),
    EndRehearsal,
    Camera(String, Option<CameraMode>),
    Control(CameraControl, Option<i64>),
    PlacePage(PagePlacement),
    ParticipantScreen(ParticipantScreen),
    Record(RecordingRequest),
    Mark(NewMarker),
    TakeBack(Timestamp),
    Pause(Timestamp, bool),
    /// Switches the phone pad on or off.
    Phone(bool),
    /// Ends the part of the session with this number and begins the next one.
    GoOn(usize),
    Stop,
    /// Stops and removes the session.
    Discard,
    PageBounds(PixelRect),
    PageVisible(bool),
    PageFocus(bool),
    ReloadPage,
    Participant(ParticipantCommand),
    /// Another program sent a command.
    Remote(Request),
    /// The window did not start the recording that another program asked for, for this reason.
    RefuseRemoteStart(String),
}

impl RecordingCommand {
    /// Whether it would replace the rig. A recording keeps its own.
    pub fn is_of_set_up(&self) -> bool {
        use RecordingCommand as C;
        matches!(self, C::Rehearse(_) | C::Camera(..) | C::PlacePage(_) | C::Record(_))
    }

    /// Whether it sets a marker or takes one back.
    pub fn is_of_a_marker(&self) -> bool {
        matches!(self, RecordingCommand::Mark(_) | RecordingCommand::TakeBack(_))
    }
}

impl QueuedCommand for RecordingCommand {
    fn replaces(&self, older: &Self) -> bool {
        match (self, older) {
            (RecordingCommand::Control(control, _), RecordingCommand::Control(other, _)) => control == other,
            (RecordingCommand::PageBounds(_), RecordingCommand::PageBounds(_))
            | (RecordingCommand::PageVisible(_), RecordingCommand::PageVisible(_))
            | (RecordingCommand::PageFocus(_), RecordingCommand::PageFocus(_))
            | (RecordingCommand::ReloadPage, RecordingCommand::ReloadPage) => true,
            _ => false,
        }
    }
}
