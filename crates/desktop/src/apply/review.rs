//! Commands of the review screen.

use std::path::PathBuf;

use crate::app::App;
use crate::command::Command;
use crate::pick::Pick;
use crate::port::{ExportFormat, PageReplayCommand, SessionExport};
use crate::state::{Dialog, ExportDraft, FollowedPage, Review};
use session::Timestamp;

pub fn apply(app: &mut App, command: Command) {
    let Some(review) = &mut app.state.review else { return };
    if command == Command::TogglePage {
        toggle_page(app);
    } else if let Some(asked) = carry_out(review, command) {
        export(app, asked);
    }
}

/// What review cannot do by itself.
enum Asked {
    AskExport(ExportFormat),
    EditExport(ExportDraft),
    BrowseExport,
    Export,
}

fn carry_out(review: &mut Review, command: Command) -> Option<Asked> {
    let moves = matches!(
        command,
        Command::Seek(_)
            | Command::StepFrames(_)
            | Command::StepSeconds(_)
            | Command::SetRate(_)
            | Command::NextEvent
            | Command::PreviousEvent
    );
    // Who rates follows the session as it was.
    if moves && review.rated.running.is_some() {
        return None;
    }
    match command {
        Command::TogglePlay => {
            review.playhead.toggle_play(review.span.from(), review.span.until());
            review.follow(0.0);
        }
        Command::Seek(to) => review.seek(to),
        Command::StepFrames(by) => review.step_frames(by),
        Command::StepSeconds(by) => review.seek(if by == f64::INFINITY {
            review.end()
        } else if by == f64::NEG_INFINITY {
            review.start()
        } else {
            Timestamp::from_secs_f64(review.playhead.at.as_secs_f64() + by)
        }),
        Command::SetRate(rate) => review.playhead.rate = rate,
        Command::Zoom { factor, around_s } => review.zoom(factor, around_s),
        Command::ZoomAtPlayhead(factor) => {
            review.follow(0.5);
            review.zoom(factor, review.playhead.at.as_secs_f64());
        }
        Command::ShowWindow(window) => review.set_window(window),
        Command::Fit => review.fit(),
        Command::NextEvent | Command::PreviousEvent => {
            let forward = command == Command::NextEvent;
            if let Some(at) = review.log.event_beside(review.playhead.at, forward) {
                review.seek(at);
            }
        }
        Command::SetEventFilter(filter) => review.log.set_filter(filter),
        Command::ShowSide(side) => review.side = side,
        Command::SetValues(values) => review.values = values,
        Command::ShadePoor(is_shaded) => review.shades_poor = is_shaded,
        Command::AskExport(format) => return Some(Asked::AskExport(format)),
        Command::EditExport(draft) => return Some(Asked::EditExport(draft)),
        Command::BrowseExport => return Some(Asked::BrowseExport),
        Command::Export => return Some(Asked::Export),
        _ => {}
    }
    None
}

/// The page's window follows the playhead as long as it is open: see [`App`]'s `advance`.
fn toggle_page(app: &mut App) {
    let Some(review) = &mut app.state.review else { return };
    if review.page.take().is_some() {
        app.backend.replay_page(PageReplayCommand::Close);
    } else if review.has_page {
        review.page = Some(FollowedPage::default());
        app.backend.replay_page(PageReplayCommand::Open);
    }
}

fn export(app: &mut App, asked: Asked) {
    let Some(review) = &app.state.review else { return };
    match asked {
        Asked::AskExport(format) => {
            if review.exporting.is_none() {
                let to = proposed_path(review, format);
                app.state.dialog = Some(Dialog::Export(
                    ExportDraft { format, to: to.to_string_lossy().into_owned(), exists: false }.checked(),
                ));
            }
        }
        Asked::EditExport(mut draft) => {
            if let Some(Dialog::Export(old)) = &app.state.dialog
                && old.format != draft.format
            {
                draft.to = proposed_path(review, draft.format).to_string_lossy().into_owned();
            }
            app.state.dialog = Some(Dialog::Export(draft.checked()));
        }
        Asked::BrowseExport => {
            if let Some(Dialog::Export(draft)) = &app.state.dialog {
                let pick = Pick::Export { format: draft.format, proposed: PathBuf::from(&draft.to) };
                app.pick(pick);
            }
        }
        Asked::Export => {
            if let Some(Dialog::Export(draft)) = &app.state.dialog
                && !draft.to.trim().is_empty()
            {
                let (from, until) = (review.window.from(), review.window.until());
                let to = PathBuf::from(draft.to.trim());
                app.backend.export(SessionExport { format: draft.format, to, from, until });
                app.state.dialog = None;
                if let Some(review) = &mut app.state.review {
                    review.exporting = Some(0.0);
                }
            }
        }
    }
}

/// Beside the recording, so that exports are found with what they came from.
fn proposed_path(review: &Review, format: ExportFormat) -> PathBuf {
    let folder = review.session.folder.join("export");
    match format {
        ExportFormat::Csv => folder,
        ExportFormat::FigurePng => folder.join("figure.png"),
        ExportFormat::FigureSvg => folder.join("figure.svg"),
    }
}
