//! Takes events of the backend into the state. The only place that reads [`BackendEvent`]s.

use eframe::egui;

use session::{Playhead, Timestamp};

use super::annotation_state::Annotations;
use super::apply::editor;
use super::command::{Command, HomeCommand, RateCommand, SetUpCommand, StudyCommand};
use super::figures;
use super::indexed_timeline::IndexedTimeline;
use super::job_state::{ImportDraft, JobDraft, SessionsExportDraft};
use super::phase_clock::PhaseClock;
use super::photo::Photo;
use super::port::{
    Activity, AddedRecords, Agreement, Alarm, BackendEvent, Check, Correction, DownloadResult, EventCounts,
    FinishedSession, JobResult, Library, OpenedSession, PageState, PageStatus, Picture, Preview, SessionPart,
    StartedInfo,
};
use super::rating_state::{RatingInput, Ratings};
use super::recent_markers::RecentMarkers;
use super::state::{
    Dialog, ExportDraft, PAST_ALARMS, Recording, Rehearsal, Review, Screen, ShownPreview, Side, State, StopState,
    StudyExportDraft, StudyState,
};
use super::time_window::TimeWindow;

/// The recording ended by itself before the operator discarded it.
pub const NOT_DISCARDED: &str = "The recording had ended already. It was saved, not discarded. Erase … in the list of \
                                 sessions removes it.";

/// Pushes the commands that follow from the event.
#[expect(clippy::too_many_lines, reason = "one line per event")]
pub fn receive(state: &mut State, event: BackendEvent, ctx: &egui::Context, commands: &mut Vec<Command>) {
    use BackendEvent as E;
    match event {
        E::Library(library) => take_library(state, library, commands),
        E::DownloadProgress(progress) => state.download = Some(progress),
        E::SessionsDownloaded(result) => end_download(state, result, commands),
        E::JobProgress(progress) => {
            if let Some(job) = &mut state.job {
                job.progress = progress;
            }
        }
        E::JobFinished(result) => end_job(state, result, commands),
        E::Reassigned { folder, sentence } => {
            state.home.select(Some(folder));
            state.inform(sentence);
        }
        E::NoteStored { folder } => {
            state.sent_note.take_if(|note| note.folder == folder);
            state.inform("The note is stored with the session.".to_owned());
        }
        E::FigureDrawn(picture) => {
            let size = [picture.width_px as usize, picture.height_px as usize];
            ctx.copy_image(egui::ColorImage::from_rgb(size, &picture.rgb));
            state.inform("The figure is in the clipboard.".to_owned());
        }

        E::StudyOpened(document) => editor::open(state, document, commands),
        E::StudyChecked { file, problems } => editor::take_check(state, &file, problems),
        E::StudySaved(document) => editor::take_saved(state, document, commands),

        E::RehearsalOpened(info) => {
            // A picture of the session before may have come late.
            state.participant.photo = None;
            rehearsal(state, |r| (r.plan, r.study) = (info.plan, Some(info.study)));
        }
        E::Cameras(cameras) => rehearsal(state, |r| r.cameras = Some(cameras)),
        E::Camera(camera) => rehearsal(state, |r| r.camera = Some(camera)),
        E::Checks(checks) => show_checks(state, checks),
        E::Page(page) => show_page(state, page),
        E::Preview(preview) => show_preview(state, preview, ctx),
        E::ParticipantFront(front) => state.participant.front = front,
        E::ParticipantPicture(_) if !state.has_session() => {}
        E::ParticipantPicture(picture) => {
            let old = state.participant.photo.take();
            state.participant.photo = Photo::upload(ctx, "participant", &picture, old);
        }
        E::ConsentGiven(given) => {
            rehearsal(state, |r| (r.has_consent, r.given_consent) = (true, Some(given)));
        }

        E::RemoteStart => commands.push(Command::SetUp(SetUpCommand::RecordRemotely)),
        E::RecordingStarted(info) => begin_recording(state, info),
        E::StreamDeclared(info) => recording(state, |r| r.log.declare(info)),
        E::Records(records) => recording(state, |r| {
            r.recent.read(&records);
            r.phases.read(&records);
            r.log.ingest(&records);
        }),
        E::PageKeyboard(has_page) => recording(state, |r| r.page_has_keyboard = has_page),
        E::PhonePad(url) => recording(state, |r| (r.has_phone_window, r.phone_url) = (url.is_some(), url)),
        // A participant window in front covers this window. A key there must not bring the measurement to the participant.
        E::KeyboardReturned if state.participant.front == Some(true) => {}
        E::KeyboardReturned => ctx.send_viewport_cmd(egui::ViewportCommand::Focus),
        E::Part(part) => take_part(state, part),
        E::Health(figures) => recording(state, |r| r.health = figures),
        E::Alarm(alarm) => recording(state, |r| raise_alarm(r, alarm)),
        E::AlarmCleared { key } => recording(state, |r| r.alarms.retain(|a| a.key != key)),
        E::RecordingStopping => recording(state, |r| (r.stop, r.note) = (StopState::Stopping, None)),
        E::RecordingFinished(finished) => end_recording(state, *finished),
        E::RecordingDiscarded => end_discarded(state, commands),
        E::Terminate => commands.push(Command::CloseWindow),

        E::SessionOpened(opened) => show_session(state, *opened),
        E::Picture { frame_number, picture } => review(state, |r| show_picture(r, frame_number, &picture, ctx)),
        E::PageReplayClosed => review(state, |r| r.page = None),
        E::ExportProgress { done } => review(state, |r| r.exporting = Some(done.clamp(0.0, 1.0))),
        E::ExportFinished { to } => {
            end_export(state);
            state.inform(format!("Exported to {}", to.display()));
        }
        E::RecordsAdded(added) => review(state, |r| take_records(r, added)),
        E::Agreement(agreement) => review(state, |r| take_agreement(r, agreement)),
        E::GamepadStick { x, y } => review(state, |r| {
            if let Some(rating) = &mut r.ratings.running {
                rating.set_position([x, y], RatingInput::Gamepad);
            }
        }),
        E::Gamepad(name) => review(state, |r| r.ratings.gamepad = name),

        E::EventCatalogue(catalogue) => study(state, |s| s.catalogue = Some(catalogue)),
        E::EventCounts(counts) => study(state, |s| take_counts(s, counts)),
        E::StudyQueryProgress { done, of } => study(state, |s| {
            if let Some(progress) = &mut s.progress {
                (progress.done, progress.of) = (done, of);
            }
        }),
        E::StudyQueryFinished(result) => study(state, |s| s.take_result(*result)),
        E::StudyQueryCancelled => study(state, |s| s.progress = None),

        E::Failed { during, sentence } => fail(state, during, sentence, commands),
        E::Notice(sentence) => state.warn(sentence),
    }
}

// An event for a part of the state that has ended is dropped.

fn rehearsal(state: &mut State, change: impl FnOnce(&mut Rehearsal)) {
    if let Some(rehearsal) = &mut state.rehearsal {
        change(rehearsal);
    }
}

fn recording(state: &mut State, change: impl FnOnce(&mut Recording)) {
    if let Some(recording) = &mut state.recording {
        change(recording);
    }
}

fn review(state: &mut State, change: impl FnOnce(&mut Review)) {
    if let Some(review) = &mut state.review {
        change(review);
    }
}

fn study(state: &mut State, change: impl FnOnce(&mut StudyState)) {
    if let Some(study) = &mut state.study {
        change(study);
    }
}

fn take_library(state: &mut State, library: Library, commands: &mut Vec<Command>) {
    if state.home.study.as_ref().is_some_and(|name| !library.studies.iter().any(|s| s.name == *name)) {
        state.home.study = None;
    }
    state.home.library = Some(library);
    state.home.arrange();
    if let (Some(study), Some(library)) = (&mut state.study, &state.home.library)
        && study.take_sessions(library)
    {
        commands.push(Command::Study(StudyCommand::ReloadEvents));
    }
}

fn show_checks(state: &mut State, checks: Vec<Check>) {
    if let Some(recording) = &mut state.recording {
        recording.checks = checks;
    } else if let Some(rehearsal) = &mut state.rehearsal {
        rehearsal.checks = checks;
    }
}

fn show_page(state: &mut State, page: PageState) {
    if let Some(recording) = &mut state.recording {
        recording.page = Some(page);
    } else if let Some(rehearsal) = &mut state.rehearsal {
        rehearsal.page = Some(page);
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

fn begin_recording(state: &mut State, info: StartedInfo) {
    let Some(rehearsal) = state.rehearsal.take() else { return };
    let Some(study) = rehearsal.study else { return };
    state.recording = Some(Recording {
        plan: rehearsal.plan,
        study,
        now: info.at,
        started: info,
        log: IndexedTimeline::default(),
        health: Default::default(),
        alarms: Vec::new(),
        past_alarms: Vec::new(),
        checks: Vec::new(),
        preview: rehearsal.preview,
        // It is loaded again.
        page: rehearsal.page.map(|page| PageState { status: PageStatus::Loading, ..page }),
        part: None,
        are_parts_over: false,
        note: None,
        stop: StopState::No,
        page_has_keyboard: false,
        recent: RecentMarkers::default(),
        phases: PhaseClock::default(),
        has_new_alarm: false,
        has_pad: state.preferences.marker_pad,
        phone_url: None,
        has_phone_window: false,
    });
    state.screen = Screen::Live;
    state.dialog = None;
}

/// `None`: all parts are over.
fn take_part(state: &mut State, part: Option<SessionPart>) {
    let Some(recording) = &mut state.recording else { return };
    let is_over = part.is_none();
    let is_new = is_over && !recording.are_parts_over;
    (recording.part, recording.are_parts_over) = (part, is_over);
    if is_new {
        let sentence = recording.parts_over_sentence();
        state.inform(sentence);
    }
}

fn raise_alarm(recording: &mut Recording, alarm: Alarm) {
    if !recording.past_alarms.contains(&alarm.losing) && recording.past_alarms.len() < PAST_ALARMS {
        recording.past_alarms.push(alarm.losing.clone());
    }
    match recording.alarms.iter_mut().find(|a| a.key == alarm.key) {
        Some(known) => *known = alarm,
        None => {
            recording.alarms.push(alarm);
            recording.has_new_alarm = true;
        }
    }
}

fn end_recording(state: &mut State, finished: FinishedSession) {
    let recording = state.recording.take();
    state.past_alarms = recording.map(|r| r.past_alarms).unwrap_or_default();
    state.report_note.clear();
    if state.dialog == Some(Dialog::Discard) {
        state.warn(NOT_DISCARDED.to_owned());
    }
    // The list may arrive after the next participant is proposed.
    if let Some(library) = &mut state.home.library
        && !library.sessions.iter().any(|s| s.folder == finished.session.folder)
    {
        library.sessions.push(finished.session.clone());
        state.home.arrange();
    }
    state.finished = Some(finished);
    state.screen = Screen::Report;
    if state.dialog != Some(Dialog::Shortcuts) {
        state.dialog = None;
    }
}

fn end_discarded(state: &mut State, commands: &mut Vec<Command>) {
    let who = state.recording.take().map(|r| format!("{} {}", r.plan.participant, r.plan.session));
    state.inform(format!("{} was stopped and discarded.", who.unwrap_or_else(|| "The recording".to_owned())));
    commands.push(Command::GoHome);
}

/// Does nothing if the operator has gone elsewhere while the session was read.
fn show_session(state: &mut State, opened: OpenedSession) {
    if state.opening.take().is_none() {
        return;
    }
    let mut review = review_of(opened);
    if let Some(at) = state.arriving_at.take() {
        review.arrive(at);
    }
    state.review = Some(review);
    state.finished = None;
    state.screen = Screen::Review;
}

fn review_of(opened: OpenedSession) -> Review {
    let frames = (opened.frames.first().map(|f| f.at), opened.frames.last().map(|f| f.at));
    let records = opened.timeline.span();
    let start = [frames.0, records.map(|r| r.0)].into_iter().flatten().min().unwrap_or(Timestamp::ZERO);
    let end = [frames.1, records.map(|r| r.1)].into_iter().flatten().max().unwrap_or(start);
    // At least one second, so that an empty session can be shown.
    let span = TimeWindow { from_s: start.as_secs_f64(), until_s: end.as_secs_f64().max(start.as_secs_f64() + 1.0) };
    let annotations = Annotations::new(opened.annotation_labels, &opened.timeline);
    Review {
        session: opened.session,
        study_title: opened.study_title,
        log: IndexedTimeline::new(opened.timeline),
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
        annotations,
        ratings: Ratings::default(),
        has_page: opened.has_page,
        page: None,
    }
}

fn show_picture(review: &mut Review, frame_number: u64, picture: &Picture, ctx: &egui::Context) {
    let old = review.photo.take().map(|(_, photo)| photo);
    review.photo = Photo::upload(ctx, "review", picture, old).map(|photo| (frame_number, photo));
    review.picture_problem = None;
}

fn take_records(review: &mut Review, added: AddedRecords) {
    review.log.declare_added(added.stream);
    review.log.ingest(&added.records);
    review.annotations.read(review.log.timeline());
}

fn take_agreement(review: &mut Review, agreement: Agreement) {
    let agreements = &mut review.ratings.agreements;
    agreements.retain(|a| a.pass != agreement.pass);
    agreements.push(agreement);
}

/// Drops the counts of a form that was changed in the meantime.
fn take_counts(study: &mut StudyState, counts: Vec<EventCounts>) {
    for (k, counted) in counts.into_iter().enumerate().take(2) {
        if study.form.events[k] == counted.events {
            study.event_counts[k] = Some(counted);
        }
    }
}

/// Selects the first downloaded session and shows which sessions were not downloaded.
fn end_download(state: &mut State, result: DownloadResult, commands: &mut Vec<Command>) {
    state.download = None;
    if matches!(state.dialog, Some(Dialog::Download(_))) {
        state.dialog = None;
    }
    let DownloadResult { server, fetched, there_already, refused, is_cancelled } = result;
    let stopped = if is_cancelled { "Stopped. " } else { "" };
    state.inform(format!(
        "{stopped}{} downloaded from {server}, {there_already} already there.",
        figures::sessions(fetched.len())
    ));
    if let Some(first) = fetched.into_iter().next() {
        state.home.select(Some(first));
        commands.push(Command::Home(HomeCommand::RefreshLibrary));
    }
    if !refused.is_empty() {
        show_again(state, None, "Some sessions were not downloaded", refused.join("\n"));
    }
}

fn end_job(state: &mut State, result: JobResult, commands: &mut Vec<Command>) {
    state.job = None;
    // New sessions are listed, and the library has noted an export.
    commands.push(Command::Home(HomeCommand::RefreshLibrary));
    let mut show = |title: &'static str, sentences: Vec<String>| {
        if !sentences.is_empty() {
            show_again(state, None, title, sentences.join("\n"));
        }
    };
    let sentence = match result {
        JobResult::Cancelled => "Stopped. Nothing was written.".to_owned(),
        JobResult::Exported { to, sessions, left_out } => {
            show("Some sessions were not exported", left_out);
            format!("{} exported to {}", figures::sessions(sessions), to.display())
        }
        JobResult::Imported { made, there_already, problems, is_cancelled } => {
            show("Some video files have problems", problems);
            let stopped = if is_cancelled { "Stopped. " } else { "" };
            format!("{stopped}{} imported, {there_already} already there.", figures::sessions(made.len()))
        }
    };
    state.inform(sentence);
}

fn end_export(state: &mut State) {
    state.exporting = None;
    if let Some(review) = &mut state.review {
        review.exporting = None;
    }
    if let Some(study) = &mut state.study {
        study.is_exporting = false;
    }
}

/// Shows the dialog of the job again, with what was typed. Another dialog is not replaced.
fn fail_job(state: &mut State, sentence: String) {
    let draft = state.job.take().map(|job| job.draft);
    let again = draft.map(|draft| match draft {
        JobDraft::Export(draft) => {
            Dialog::ExportSessions(SessionsExportDraft { problem: Some(sentence.clone()), ..draft })
        }
        JobDraft::Import(draft) => Dialog::ImportFilms(ImportDraft { problem: Some(sentence.clone()), ..draft }),
    });
    show_again(state, again, "Failed", sentence);
}

/// The text is back in its field. If the field has other text by now, the message contains it.
fn fail_note(state: &mut State, mut sentence: String) {
    if let Some(note) = state.sent_note.take() {
        let is_same = state.finished.as_ref().is_some_and(|f| f.session.folder == note.folder);
        if is_same && state.report_note.is_empty() {
            state.report_note = note.text;
        } else {
            sentence = format!("{sentence}\nThe note of {}: {}", note.folder.display(), note.text);
        }
    }
    show_again(state, None, "The note was not stored", sentence);
}

fn fail_export(state: &mut State, sentence: String) {
    let again = state.exporting.take().map(|dialog| match dialog {
        Dialog::Export(draft) => Dialog::Export(ExportDraft { problem: Some(sentence.clone()), ..draft }),
        Dialog::ExportStudy(draft) => {
            Dialog::ExportStudy(StudyExportDraft { problem: Some(sentence.clone()), ..draft })
        }
        other => other,
    });
    show_again(state, again, "Export failed", sentence);
    end_export(state);
}

fn show_again(state: &mut State, again: Option<Dialog>, title: &'static str, sentence: String) {
    let is_home = state.recording.is_none() && state.rehearsal.is_none();
    match (again, &state.dialog) {
        (Some(dialog), None) if is_home => state.dialog = Some(dialog),
        (_, None) => state.dialog = Some(Dialog::Failure { title, sentence }),
        (_, Some(_)) => state.warn(format!("{title}: {sentence}")),
    }
}

fn fail(state: &mut State, during: Activity, sentence: String, commands: &mut Vec<Command>) {
    if during == Activity::EditStudy {
        editor::fail(state, sentence);
        return;
    }
    let mut show = |title: &'static str, sentence: String| state.dialog = Some(Dialog::Failure { title, sentence });
    match during {
        Activity::Library | Activity::Page => state.warn(sentence),
        Activity::Download => {
            state.download = None;
            // The dialog keeps what was typed, so that it can be corrected.
            if let Some(Dialog::Download(draft)) = &mut state.dialog {
                draft.problem = Some(sentence);
            } else {
                show_again(state, None, "Download failed", sentence);
            }
        }
        Activity::PageReplay => {
            show("The recorded page is not shown", sentence);
            if let Some(review) = &mut state.review {
                review.page = None;
            }
        }
        Activity::Erase => show_again(state, None, "Not erased", sentence),
        Activity::Reassign => show_again(state, None, "The session was not reassigned", sentence),
        Activity::Note => fail_note(state, sentence),
        Activity::Figure => show_again(state, None, "The figure was not copied", sentence),
        Activity::Job => fail_job(state, sentence),
        // Handled above: its message belongs to a dialog or to the editor.
        Activity::EditStudy => {}
        Activity::Rehearse => {
            show("The set-up ended", sentence);
            commands.push(Command::GoHome);
        }
        Activity::Start => {
            show("The recording did not start", sentence);
            if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.is_starting = false;
            }
        }
        // It ended before, and its end was shown.
        Activity::Record if state.recording.is_none() => state.warn(sentence),
        Activity::Record => {
            show("The recording ended", sentence);
            state.recording = None;
            commands.push(Command::GoHome);
        }
        Activity::Open => {
            show("The session was not opened", sentence);
            state.opening = None;
            state.arriving_at = None;
        }
        Activity::Picture => {
            if let Some(review) = &mut state.review {
                review.picture_problem = Some(sentence);
            }
        }
        Activity::Export => fail_export(state, sentence),
        Activity::AddRecords => {
            show("Records were not stored", sentence);
            if let Some(review) = &mut state.review {
                review.annotations.read(review.log.timeline());
            }
            commands.push(Command::Rate(RateCommand::End));
        }
        Activity::StudyQuery => {
            show("Averaging failed", sentence);
            if let Some(study) = &mut state.study {
                study.progress = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Grade, QualityReport, SessionRow, SessionState};
    use crate::preferences::Preferences;

    fn state() -> State {
        State::new(Preferences::default())
    }

    fn say(state: &mut State, event: BackendEvent) {
        receive(state, event, &egui::Context::default(), &mut Vec::new());
    }

    fn finished() -> FinishedSession {
        let session = SessionRow {
            folder: "sub-01/ses-01".into(),
            participant: None,
            session: None,
            study: "demo".into(),
            started: None,
            length: None,
            size_bytes: 0,
            grade: None,
            is_pilot: false,
            state: SessionState::Complete,
        };
        let quality = QualityReport {
            grade: Grade::A,
            findings: vec![],
            length: std::time::Duration::ZERO,
            frames_expected: 0,
            frames_stored: 0,
            frames_scored: 0,
            frames_skipped: 0,
            lost: 0,
            largest_gap: None,
            face_share: None,
            page_clock_uncertainty_ms: None,
            page_busy: None,
            events_by_kind: vec![],
            size_bytes: 0,
        };
        FinishedSession { session, quality }
    }

    #[test]
    fn a_note_is_sent_once_and_comes_back_if_it_was_not_stored() {
        let mut state = state();
        state.finished = Some(finished());
        state.report_note = " gum ".into();
        let note = state.take_note().unwrap();
        assert_eq!((note.text.as_str(), state.report_note.as_str()), ("gum", ""));
        assert_eq!(state.take_note(), None, "a second click");
        state.report_note = "late".into();
        assert_eq!(state.take_note(), None, "one after the other");
        let failed = || BackendEvent::Failed { during: Activity::Note, sentence: "The disk is full.".into() };
        say(&mut state, failed());
        let Some(Dialog::Failure { sentence, .. }) = state.dialog.take() else { panic!("no message") };
        assert!(sentence.contains("full") && sentence.contains("gum") && state.report_note == "late", "{sentence}");
        state.take_note().unwrap();
        say(&mut state, failed());
        assert_eq!(state.report_note, "late");
        let note = state.take_note().unwrap();
        say(&mut state, BackendEvent::NoteStored { folder: note.folder });
        assert_eq!((state.sent_note, state.report_note.as_str()), (None, ""));
    }

    #[test]
    fn the_end_of_work_in_the_background_replaces_no_dialog() {
        let mut state = state();
        state.dialog = Some(Dialog::Discard);
        let left_out = vec!["sub-01 ses-01: damaged".to_owned()];
        say(&mut state, BackendEvent::JobFinished(JobResult::Exported { to: "x".into(), sessions: 1, left_out }));
        let has_notice = |state: &State, words: &str| state.notices.iter().any(|n| n.sentence.contains(words));
        assert!(has_notice(&state, "exported to") && has_notice(&state, "sub-01 ses-01: damaged"));
        for during in [Activity::Erase, Activity::Reassign, Activity::Note, Activity::Figure] {
            state.notices = Default::default();
            say(&mut state, BackendEvent::Failed { during, sentence: "No.".into() });
            assert_eq!(state.dialog, Some(Dialog::Discard));
            assert!(has_notice(&state, "No."));
        }
    }

    #[test]
    fn a_recording_that_ended_before_it_was_discarded_is_reported_as_saved() {
        let mut state = state();
        state.dialog = Some(Dialog::Discard);
        say(&mut state, BackendEvent::RecordingFinished(Box::new(finished())));
        assert!(state.dialog.is_none() && state.notices.iter().any(|n| n.sentence == NOT_DISCARDED));
    }
}
