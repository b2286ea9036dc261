//! Commands of the review screen.

use std::path::PathBuf;

use crate::app::App;
use crate::command::ReviewCommand;
use crate::file_dialog::FileRequest;
use crate::port::{ExportFormat, PageReplayCommand, SessionExport};
use crate::state::{Dialog, ExportDraft, FollowedPage, Review};
use session::Timestamp;

pub fn apply(app: &mut App, command: ReviewCommand) {
    use ReviewCommand as C;
    let Some(review) = &mut app.state.review else { return };
    // A rating follows the session at its own speed.
    if moves_playhead(&command) && review.ratings.running.is_some() {
        return;
    }
    match command {
        C::TogglePlay => {
            review.playhead.toggle_play(review.span.from(), review.span.until());
            review.follow(0.0);
        }
        C::Seek(to) => review.seek(to),
        C::StepFrames(by) => review.step_frames(by),
        C::StepSeconds(by) => review.seek(if by == f64::INFINITY {
            review.end()
        } else if by == f64::NEG_INFINITY {
            review.start()
        } else {
            Timestamp::from_secs_f64(review.playhead.at.as_secs_f64() + by)
        }),
        C::SetRate(rate) => review.playhead.rate = rate,
        C::Zoom { factor, around_s } => review.zoom(factor, around_s),
        C::ZoomAtPlayhead(factor) => {
            review.follow(0.5);
            review.zoom(factor, review.playhead.at.as_secs_f64());
        }
        C::ShowWindow(window) => review.set_window(window),
        C::Fit => review.fit(),
        C::NextEvent => seek_event(review, true),
        C::PreviousEvent => seek_event(review, false),
        C::SetEventFilter(filter) => review.log.set_filter(filter),
        C::ShowSide(side) => review.side = side,
        C::TogglePage => toggle_page(app),
        C::ShowExportDialog(format) => show_export_dialog(app, format),
        C::EditExport(draft) => edit_export(app, draft),
        C::BrowseExport => {
            if let Some(Dialog::Export(draft)) = &app.state.dialog {
                let request = FileRequest::Export { format: draft.format, proposed: PathBuf::from(&draft.to) };
                app.open_file_dialog(request);
            }
        }
        C::Export => export(app),
        C::SetValues(values) => review.values = values,
        C::ShadePoor(is_shaded) => review.shades_poor = is_shaded,
    }
}

fn moves_playhead(command: &ReviewCommand) -> bool {
    use ReviewCommand as C;
    matches!(
        command,
        C::Seek(_) | C::StepFrames(_) | C::StepSeconds(_) | C::SetRate(_) | C::NextEvent | C::PreviousEvent
    )
}

fn seek_event(review: &mut Review, is_forward: bool) {
    if let Some(at) = review.log.event_beside(review.playhead.at, is_forward) {
        review.seek(at);
    }
}

/// While the page's window is open, the frame loop sends it the playhead.
fn toggle_page(app: &mut App) {
    let Some(review) = &mut app.state.review else { return };
    if review.page.take().is_some() {
        app.backend.replay_page(PageReplayCommand::Close);
    } else if review.has_page {
        review.page = Some(FollowedPage::default());
        app.backend.replay_page(PageReplayCommand::Open);
    }
}

fn show_export_dialog(app: &mut App, format: ExportFormat) {
    let Some(review) = app.state.review.as_ref().filter(|r| r.exporting.is_none()) else { return };
    let to = proposed_path(review, format).to_string_lossy().into_owned();
    app.state.dialog = Some(Dialog::Export(ExportDraft { format, to, exists: false, problem: None }.checked()));
}

/// Another format gets another proposed path.
fn edit_export(app: &mut App, mut draft: ExportDraft) {
    let Some(review) = &app.state.review else { return };
    if let Some(Dialog::Export(old)) = &app.state.dialog
        && old.format != draft.format
    {
        draft.to = proposed_path(review, draft.format).to_string_lossy().into_owned();
    }
    app.state.dialog = Some(Dialog::Export(draft.checked()));
}

fn export(app: &mut App) {
    let Some(review) = &mut app.state.review else { return };
    let Some(Dialog::Export(draft)) = &app.state.dialog else { return };
    if draft.to.trim().is_empty() {
        return;
    }
    let (from, until) = (review.window.from(), review.window.until());
    let to = PathBuf::from(draft.to.trim());
    app.backend.export(SessionExport { format: draft.format, to, from, until });
    review.exporting = Some(0.0);
    app.state.exporting = app.state.dialog.take();
}

/// A folder beside the recording.
fn proposed_path(review: &Review, format: ExportFormat) -> PathBuf {
    let folder = review.session.folder.join("export");
    match format {
        ExportFormat::Csv => folder,
        ExportFormat::FigurePng => folder.join("figure.png"),
        ExportFormat::FigureSvg => folder.join("figure.svg"),
    }
}
