//! Commands of the recording screen.

use eframe::egui;

use crate::app::App;
use crate::command::LiveCommand;
use crate::port::{MarkerVia, NewMarker, PixelRect};
use crate::receive::NOT_DISCARDED;
use crate::state::{Dialog, NoteDraft, StopState};

pub fn apply(app: &mut App, command: LiveCommand, pixels_per_point: f32) {
    use LiveCommand as C;
    match command {
        C::Mark(key, via) => mark(app, key, via),
        C::TakeMarkerBack => take_marker_back(app),
        C::Pause(is_paused) => pause(app, is_paused),
        C::ShowPad(is_shown) => show_pad(app, is_shown),
        C::SwitchPhone(is_on) => app.backend.switch_phone(is_on),
        C::ShowPhoneWindow(is_shown) => {
            if let Some(recording) = &mut app.state.recording {
                recording.has_phone_window = is_shown;
            }
        }
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
                    app.state.warn(NOT_DISCARDED.to_owned());
                }
            }
        }
        C::GoOn(part) => app.backend.go_on(part),
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
        app.backend.mark(NewMarker {
            at: note.at,
            key: None,
            label: "note".into(),
            note: note.text.trim().into(),
            via: MarkerVia::Window,
        });
    }
}

fn mark(app: &mut App, key: char, via: MarkerVia) {
    let at = app.backend.now();
    let Some(recording) = &mut app.state.recording else { return };
    if recording.stop == StopState::Stopping {
        return;
    }
    if let Some(marker) = recording.study.markers.iter().find(|m| m.key == key) {
        let label = marker.label.clone();
        recording.recent.set(at, &label);
        app.backend.mark(NewMarker { at, key: Some(key), label, note: String::new(), via });
    }
}

fn take_marker_back(app: &mut App) {
    let now = app.backend.now();
    let Some(recording) = &mut app.state.recording else { return };
    let Some(at) = recording.recent.newest(now).map(|m| m.at) else { return };
    recording.recent.take_back(at);
    app.backend.take_marker_back(at);
}

fn pause(app: &mut App, is_paused: bool) {
    let Some(recording) = &app.state.recording else { return };
    if recording.stop != StopState::Stopping && recording.phases.is_paused() != is_paused {
        app.backend.pause(is_paused);
    }
}

fn show_pad(app: &mut App, is_shown: bool) {
    if let Some(recording) = &mut app.state.recording {
        recording.has_pad = is_shown;
        app.state.preferences.marker_pad = is_shown;
        app.store_preferences();
    }
}

fn set_page_bounds(app: &mut App, rect: egui::Rect, pixels_per_point: f32) {
    app.state.embedded_page = Some(rect);
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
