//! What the backend tells, taken into the state. The one place that reads [`BackendEvent`]s.

use eframe::egui;

use session::{Playhead, Timestamp};

use super::annotated::Annotated;
use super::command::{Command, RateCommand, StudyCommand};
use super::figures;
use super::indexed::Indexed;
use super::port::{Activity, BackendEvent, Correction, DownloadResult, OpenedSession, Preview, StartedInfo};
use super::rated::{Hand, Rated};
use super::state::{Dialog, Photo, Recording, Review, Screen, ShownPreview, Side, State, Stop, Window};

/// `commands` takes what must be done about it.
pub fn receive(state: &mut State, update: BackendEvent, ctx: &egui::Context, commands: &mut Vec<Command>) {
    match update {
        BackendEvent::Library(library) => {
            if state.home.study.as_ref().is_some_and(|name| !library.studies.iter().any(|s| s.name == *name)) {
                state.home.study = None;
            }
            state.home.library = Some(library);
            state.home.arrange();
            if state.home.selected_row().is_none() {
                state.home.selected = None;
            }
            if let (Some(studied), Some(library)) = (&mut state.studied, &state.home.library)
                && studied.look(library)
            {
                commands.push(Command::Study(StudyCommand::LookAgain));
            }
        }
        BackendEvent::DownloadProgress(step) => state.pulling = Some(step),
        BackendEvent::SessionsDownloaded(outcome) => pulled(state, outcome, commands),
        BackendEvent::RehearsalOpened(info) => {
            if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.plan = info.plan;
                rehearsal.study = Some(info.study);
            }
        }
        BackendEvent::Cameras(cameras) => {
            if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.cameras = Some(cameras);
            }
        }
        BackendEvent::Camera(camera) => {
            if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.camera = Some(camera);
            }
        }
        BackendEvent::Checks(checks) => {
            if let Some(recording) = &mut state.recording {
                recording.checks = checks;
            } else if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.checks = checks;
            }
        }
        BackendEvent::Page(page) => {
            if let Some(recording) = &mut state.recording {
                recording.page = Some(page);
            } else if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.page = Some(page);
            }
        }
        BackendEvent::Preview(preview) => show_preview(state, preview, ctx),
        BackendEvent::RecordingStarted(info) => started(state, info),
        BackendEvent::StreamDeclared(info) => {
            if let Some(recording) = &mut state.recording {
                recording.log.declare(info);
            }
        }
        BackendEvent::Records(records) => {
            if let Some(recording) = &mut state.recording {
                recording.log.ingest(&records);
            }
        }
        BackendEvent::Health(figures) => {
            if let Some(recording) = &mut state.recording {
                recording.health = figures;
            }
        }
        BackendEvent::Alarm(alarm) => {
            if let Some(recording) = &mut state.recording {
                match recording.alarms.iter_mut().find(|a| a.key == alarm.key) {
                    Some(known) => *known = alarm,
                    None => recording.alarms.push(alarm),
                }
            }
        }
        BackendEvent::AlarmCleared { key } => {
            if let Some(recording) = &mut state.recording {
                recording.alarms.retain(|a| a.key != key);
            }
        }
        BackendEvent::RecordingStopping => {
            if let Some(recording) = &mut state.recording {
                recording.stop = Stop::Stopping;
                recording.note = None;
            }
        }
        BackendEvent::RecordingFinished(finished) => {
            state.recording = None;
            state.finished = Some(*finished);
            state.screen = Screen::Report;
            if state.dialog != Some(Dialog::Keys) {
                state.dialog = None;
            }
        }
        BackendEvent::SessionOpened(opened) => {
            // The operator may have gone on to something else while it was being read.
            if state.opening.take().is_some() {
                let mut review = review(*opened);
                if let Some(at) = state.arriving_at.take() {
                    review.arrive(at);
                }
                state.review = Some(review);
                state.finished = None;
                state.screen = Screen::Review;
            }
        }
        BackendEvent::Picture { frame_number, picture } => {
            if let Some(review) = &mut state.review {
                let old = review.photo.take().map(|(_, photo)| photo);
                review.photo = Photo::upload(ctx, "review", &picture, old).map(|photo| (frame_number, photo));
                review.picture_problem = None;
            }
        }
        BackendEvent::PageReplayClosed => {
            if let Some(review) = &mut state.review {
                review.page = None;
            }
        }
        BackendEvent::ExportProgress { done } => {
            if let Some(review) = &mut state.review {
                review.exporting = Some(done.clamp(0.0, 1.0));
            }
        }
        BackendEvent::ExportFinished { to } => {
            exported(state);
            state.notice(format!("Exported to {}", to.display()));
        }
        BackendEvent::RecordsAdded(added) => {
            if let Some(review) = &mut state.review {
                review.log.declare_added(added.stream);
                review.log.ingest(&added.records);
                review.annotated.read(review.log.timeline());
            }
        }
        BackendEvent::Agreement(agreement) => {
            if let Some(review) = &mut state.review {
                let agreements = &mut review.rated.agreements;
                agreements.retain(|a| a.pass != agreement.pass);
                agreements.push(agreement);
            }
        }
        BackendEvent::GamepadStick { x, y } => {
            if let Some(rating) = state.review.as_mut().and_then(|r| r.rated.running.as_mut()) {
                rating.hold([x, y], Hand::Gamepad);
            }
        }
        BackendEvent::Gamepad(name) => {
            if let Some(review) = &mut state.review {
                review.rated.gamepad = name;
            }
        }
        BackendEvent::EventCatalogue(catalogue) => {
            if let Some(studied) = &mut state.studied {
                studied.catalogue = Some(catalogue);
            }
        }
        BackendEvent::EventCounts(matches) => {
            if let Some(studied) = &mut state.studied {
                // Counts of a form that was changed meanwhile say nothing.
                for (k, counted) in matches.into_iter().enumerate().take(2) {
                    if studied.form.events[k] == counted.events {
                        studied.matches[k] = Some(counted);
                    }
                }
            }
        }
        BackendEvent::StudyQueryProgress { done, of } => {
            if let Some(asking) = state.studied.as_mut().and_then(|s| s.asking.as_mut()) {
                (asking.done, asking.of) = (done, of);
            }
        }
        BackendEvent::StudyQueryFinished(answer) => {
            if let Some(studied) = &mut state.studied {
                studied.take(*answer);
            }
        }
        BackendEvent::StudyQueryCancelled => {
            if let Some(studied) = &mut state.studied {
                studied.asking = None;
            }
        }
        BackendEvent::Failed { during, sentence } => failed(state, during, sentence, commands),
        BackendEvent::Notice(sentence) => state.notice(sentence),
    }
}

fn show_preview(state: &mut State, preview: Preview, ctx: &egui::Context) {
    let slot = match (&mut state.recording, &mut state.rehearsal) {
        (Some(recording), _) => &mut recording.preview,
        (None, Some(rehearsal)) => &mut rehearsal.preview,
        (None, None) => return,
    };
    let old = slot.take().map(|shown| shown.photo);
    *slot = Photo::upload(ctx, "preview", &preview.picture, old).map(|photo| ShownPreview {
        photo,
        face: preview.face,
        faces: preview.faces,
        affect: preview.affect,
    });
}

fn started(state: &mut State, info: StartedInfo) {
    let Some(rehearsal) = state.rehearsal.take() else { return };
    let Some(study) = rehearsal.study else { return };
    state.recording = Some(Recording {
        plan: rehearsal.plan,
        study,
        now: info.at,
        started: info,
        log: Indexed::default(),
        health: Default::default(),
        alarms: Vec::new(),
        checks: Vec::new(),
        preview: rehearsal.preview,
        page: rehearsal.page,
        note: None,
        stop: Stop::No,
    });
    state.screen = Screen::Live;
    state.dialog = None;
}

fn review(opened: OpenedSession) -> Review {
    let frames = (opened.frames.first().map(|f| f.at), opened.frames.last().map(|f| f.at));
    let records = opened.timeline.span();
    let start = [frames.0, records.map(|r| r.0)].into_iter().flatten().min().unwrap_or(Timestamp::ZERO);
    let end = [frames.1, records.map(|r| r.1)].into_iter().flatten().max().unwrap_or(start);
    // An empty session is still a place to look at.
    let span = Window { from_s: start.as_secs_f64(), until_s: end.as_secs_f64().max(start.as_secs_f64() + 1.0) };
    let annotated = Annotated::new(opened.annotation_labels, &opened.timeline);
    Review {
        session: opened.session,
        study_title: opened.study_title,
        log: Indexed::new(opened.timeline),
        frames: opened.frames,
        quality: opened.quality,
        facts: opened.facts,
        playhead: Playhead::paused_at(start),
        span,
        window: span,
        photo: None,
        wanted_frame: None,
        picture_problem: None,
        side: Side::Events,
        exporting: None,
        values: Correction::Raw,
        baseline: opened.baseline,
        poor: opened.poor,
        shades_poor: false,
        annotated,
        rated: Rated::default(),
        has_page: opened.has_page,
        page: None,
    }
}

/// What came is selected; what did not is said.
fn pulled(state: &mut State, outcome: DownloadResult, commands: &mut Vec<Command>) {
    state.pulling = None;
    if matches!(state.dialog, Some(Dialog::Pull(_))) {
        state.dialog = None;
    }
    let DownloadResult { server, fetched, there_already, refused, is_cancelled } = outcome;
    let stopped = if is_cancelled { "Stopped. " } else { "" };
    state.notice(format!(
        "{stopped}{} fetched from {server}, {there_already} there already.",
        figures::sessions(fetched.len())
    ));
    if let Some(first) = fetched.into_iter().next() {
        state.home.selected = Some(first);
        commands.push(Command::RefreshLibrary);
    }
    if !refused.is_empty() {
        let sentence = refused.join("\n");
        state.dialog = Some(Dialog::Failure { title: "Not everything was fetched", sentence });
    }
}

fn exported(state: &mut State) {
    if let Some(review) = &mut state.review {
        review.exporting = None;
    }
    if let Some(studied) = &mut state.studied {
        studied.is_exporting = false;
    }
}

fn failed(state: &mut State, during: Activity, sentence: String, commands: &mut Vec<Command>) {
    let mut tell = |title: &'static str, sentence: String| state.dialog = Some(Dialog::Failure { title, sentence });
    match during {
        Activity::Library | Activity::Page => state.notice(sentence),
        Activity::Download => {
            state.pulling = None;
            // What was typed stays, so that it can be mended.
            match &mut state.dialog {
                Some(Dialog::Pull(draft)) => draft.problem = Some(sentence),
                dialog => *dialog = Some(Dialog::Failure { title: "Nothing fetched", sentence }),
            }
        }
        Activity::PageReplay => {
            tell("Page not shown", sentence);
            if let Some(review) = &mut state.review {
                review.page = None;
            }
        }
        Activity::Erase => tell("Not erased", sentence),
        Activity::Rehearse => {
            tell("Set-up ended", sentence);
            commands.push(Command::GoHome);
        }
        Activity::Start => {
            tell("Recording did not start", sentence);
            if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.is_starting = false;
            }
        }
        Activity::Record => {
            tell("Recording ended", sentence);
            state.recording = None;
            commands.push(Command::GoHome);
        }
        Activity::Open => {
            tell("Not opened", sentence);
            state.opening = None;
            state.arriving_at = None;
        }
        Activity::Picture => {
            if let Some(review) = &mut state.review {
                review.picture_problem = Some(sentence);
            }
        }
        Activity::Export => {
            tell("Not exported", sentence);
            exported(state);
        }
        Activity::AddRecords => {
            tell("Not stored", sentence);
            if let Some(review) = &mut state.review {
                review.annotated.read(review.log.timeline());
            }
            commands.push(Command::Rate(RateCommand::End));
        }
        Activity::StudyQuery => {
            tell("Not averaged", sentence);
            if let Some(studied) = &mut state.studied {
                studied.asking = None;
            }
        }
    }
}
