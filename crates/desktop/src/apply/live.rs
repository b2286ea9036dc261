//! Commands of the recording screen.

use eframe::egui;

use crate::app::App;
use crate::command::LiveCommand;
use crate::port::{NewMarker, PixelRect};
use crate::receive::NOT_DISCARDED;
use crate::state::{Dialog, NoteDraft, StopState};

pub fn apply(app: &mut App, command: LiveCommand, pixels_per_point: f32) {
    use LiveCommand as C;
    match command {
        C::Mark(key) => mark(app, key),
        C::BeginNote => begin_note(app),
        C::EditNote(text) => {
            if let Some(note) = app.state.recording.as_mut().and_then(|r| r.note.as_mut()) {
                note.text = text;
            }
        }
        C::StoreNote => store_note(app),
        C::DiscardNote => {
            if let Some(recording) = &mut app.state.recording {
                recording.note = None;
            }
        }
        C::RequestStop => {
            if change_stop(app, StopState::No, StopState::Requested)
                && let Some(recording) = &mut app.state.recording
            {
                recording.note = None;
            }
        }
        C::KeepRecording => {
            change_stop(app, StopState::Requested, StopState::No);
        }
        C::Stop => {
            if change_stop(app, StopState::Requested, StopState::Stopping) {
                app.backend.stop_recording();
            }
        }
        C::RequestDiscard => {
            if app.state.recording.as_ref().is_some_and(|r| r.stop != StopState::Stopping) {
                change_stop(app, StopState::Requested, StopState::No);
                app.state.dialog = Some(Dialog::Discard);
            }
        }
        C::Discard => {
            if app.state.dialog == Some(Dialog::Discard) {
                app.state.dialog = None;
                if change_stop(app, StopState::No, StopState::Stopping) {
                    app.backend.discard_recording();
                } else {
                    app.state.notice(NOT_DISCARDED.to_owned());
                }
            }
        }
        C::FocusPage => app.backend.page_focus(true),
        C::SetPageBounds(rect) => set_page_bounds(app, rect, pixels_per_point),
    }
}

/// Changes the stop state if a recording runs and its stop state is `from`. Returns whether it did.
fn change_stop(app: &mut App, from: StopState, to: StopState) -> bool {
    match &mut app.state.recording {
        Some(recording) if recording.stop == from => {
            recording.stop = to;
            true
        }
        _ => false,
    }
}

fn begin_note(app: &mut App) {
    let now = app.backend.now();
    if let Some(recording) = &mut app.state.recording
        && recording.stop == StopState::No
        && recording.note.is_none()
    {
        recording.note = Some(NoteDraft { at: now, text: String::new() });
    }
}

fn store_note(app: &mut App) {
    if let Some(note) = app.state.recording.as_mut().and_then(|r| r.note.take())
        && !note.text.trim().is_empty()
    {
        app.backend.mark(NewMarker { at: note.at, key: None, label: "note".into(), note: note.text.trim().into() });
    }
}

fn mark(app: &mut App, key: char) {
    let at = app.backend.now();
    let Some(recording) = &app.state.recording else { return };
    if let Some(marker) = recording.study.markers.iter().find(|m| m.key == key) {
        let label = marker.label.clone();
        app.backend.mark(NewMarker { at, key: Some(key), label, note: String::new() });
    }
}

fn set_page_bounds(app: &mut App, rect: egui::Rect, pixels_per_point: f32) {
    let px = |points: f32| (points * pixels_per_point).round();
    let bounds = PixelRect {
        left_px: px(rect.left()) as i32,
        top_px: px(rect.top()) as i32,
        width_px: (px(rect.right()) - px(rect.left())).max(1.0) as u32,
        height_px: (px(rect.bottom()) - px(rect.top())).max(1.0) as u32,
    };
    if app.page_bounds != Some(bounds) {
        app.page_bounds = Some(bounds);
        app.backend.page_bounds_px(bounds);
    }
}
