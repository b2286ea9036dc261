//! The top-level files of the dataset: description, participants, sessions and README.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::files::write_json;
use super::hed;
use crate::atomic_write::write_file;
use crate::cells::{UNKNOWN, flag, tsv_cell};
use crate::markup::append_line;
use crate::selection::folder_label;
use crate::{ExportError, ExportedSession, Selection};
use analysis::QualityReport;
use session::ParticipantId;
use store::{ParticipantTable, SessionHeader, assigned_column, condition_column};

/// The version of the BIDS specification of this dataset.
const BIDS_VERSION: &str = "1.11.1";

/// A row of the sessions table.
pub(super) struct SessionRow {
    header: SessionHeader,
    quality: QualityReport,
}

impl SessionRow {
    pub(super) fn of(session: &ExportedSession) -> SessionRow {
        SessionRow { header: session.header.clone(), quality: session.quality.clone() }
    }

    fn cells(&self) -> [String; 15] {
        let (h, q) = (&self.header, &self.quality);
        let share = q.face_share.map_or(UNKNOWN.to_owned(), |s| format!("{s:.4}"));
        [
            h.session.to_string(),
            h.zero_utc.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            tsv_cell(&h.study.name),
            h.condition.as_deref().map_or(UNKNOWN.to_owned(), tsv_cell),
            h.condition_assigned.as_deref().map_or(UNKNOWN.to_owned(), tsv_cell),
            flag(h.pilot).to_owned(),
            format!("{:.3}", q.seconds),
            q.grade.to_string(),
            q.frames_stored.to_string(),
            q.frames_lost.to_string(),
            share,
            q.clock_uncertainty_ms.map_or(UNKNOWN.to_owned(), |ms| format!("{ms:.3}")),
            q.page_busy.map_or(UNKNOWN.to_owned(), |b| format!("{:.4}", b.share)),
            q.page_busy.map_or(UNKNOWN.to_owned(), |b| format!("{:.3}", b.longest_s)),
            q.frames_unseen.map_or(UNKNOWN.to_owned(), |n| n.to_string()),
        ]
    }
}

const SESSION_COLUMNS: [(&str, &str, Option<&str>); 15] = [
    ("session_id", "the participant's session", None),
    ("acq_time", "time of the zero of the session clock (UTC); all onsets and start times are relative to it", None),
    ("study", "short name of the study", None),
    ("condition", "condition of the participant in the study; n/a: the study has no conditions", None),
    (
        "condition_assigned",
        "the condition that the random order proposed; another one if the operator chose by hand",
        None,
    ),
    ("pilot", "1: recorded by the operator to try the study, 0: a participant's session", None),
    ("length", "from the first record or frame to the last", Some("s")),
    (
        "grade",
        "quality of the recording from A to F, by frames lost, longest time between frames, frames with a face, and how long the page was unresponsive",
        None,
    ),
    ("frames_stored", "frames in the session's video", None),
    ("frames_lost", "frames that the camera, its driver, the transfer or a queue lost", None),
    ("face_share", "share of the scored frames in which a face was found, 0 to 1", None),
    ("page_clock_uncertainty", "largest error of the page's clock against the session's", Some("ms")),
    ("page_busy_share", "share of the session during which the page was unresponsive, 0 to 1", None),
    ("page_longest_busy", "longest time during which the page was unresponsive", Some("s")),
    ("page_frames_unseen", "frames in the page that belonged to another site and were not recorded", None),
];

pub(super) fn write(
    selection: &Selection,
    rows: &[SessionRow],
    participants: Option<&Path>,
    folder: &Path,
) -> Result<(), ExportError> {
    let mut by_participant = BTreeMap::<&ParticipantId, Vec<&SessionRow>>::new();
    for row in rows {
        by_participant.entry(&row.header.participant).or_default().push(row);
    }
    for (participant, rows) in &by_participant {
        let path = folder.join(participant.as_str()).join(format!("{participant}_sessions.tsv"));
        write_file(&path, |out| {
            writeln!(out, "{}", SESSION_COLUMNS.map(|(name, ..)| name).join("\t"))?;
            rows.iter().try_for_each(|row| writeln!(out, "{}", row.cells().join("\t")))
        })?;
        let about: Map<_, _> =
            SESSION_COLUMNS.iter().map(|(name, says, unit)| ((*name).to_owned(), described(says, *unit))).collect();
        write_json(&path.with_extension("json"), &Value::Object(about))?;
    }
    let ids: Vec<_> = by_participant.keys().copied().collect();
    write_participants(&ids, selection, participants, folder)?;
    write_json(&folder.join("dataset_description.json"), &description(selection))?;
    write_file(&folder.join("README.md"), |out| out.write_all(readme(selection, ids.len(), has_page(rows)).as_bytes()))
}

fn described(description: &str, unit: Option<&str>) -> Value {
    match unit {
        Some(unit) => json!({ "Description": description, "Units": unit }),
        None => json!({ "Description": description }),
    }
}

/// With the columns that the laboratory added to its list, and the conditions in the selected studies. The day on which a
/// participant was added is left out: it is not needed and may identify a person.
fn write_participants(
    ids: &[&ParticipantId],
    selection: &Selection,
    list: Option<&Path>,
    folder: &Path,
) -> Result<(), ExportError> {
    let table = list.map(ParticipantTable::read).transpose()?.flatten();
    let mut columns = table.as_ref().map(ParticipantTable::own_columns).unwrap_or_default();
    columns.retain(|(_, name)| meaning(name, selection).is_some());
    let names: Vec<&str> = columns.iter().map(|(_, name)| name.as_str()).collect();
    write_file(&folder.join("participants.tsv"), |out| {
        let head = std::iter::once("participant_id".to_owned()).chain(names.iter().map(|name| tsv_cell(name)));
        writeln!(out, "{}", head.collect::<Vec<_>>().join("\t"))?;
        for id in ids {
            let cell = |column| table.as_ref().and_then(|table| table.cell(id, column));
            let cells = columns.iter().map(|(k, _)| cell(*k).map_or(UNKNOWN.to_owned(), tsv_cell));
            writeln!(out, "{}", std::iter::once(id.to_string()).chain(cells).collect::<Vec<_>>().join("\t"))?;
        }
        Ok(())
    })?;
    let mut about = Map::from_iter([("participant_id".to_owned(), described("pseudonym of the participant", None))]);
    about.extend(names.iter().filter_map(|name| Some((tsv_cell(name), meaning(name, selection)?))));
    write_json(&folder.join("participants.json"), &Value::Object(about))
}

/// What a column of the laboratory's list means. `None`: the condition in another study.
fn meaning(column: &str, selection: &Selection) -> Option<Value> {
    let column = column.to_ascii_lowercase();
    if !column.starts_with(&condition_column("")) {
        return Some(described("as entered by the laboratory", None));
    }
    let is = |name: String| name.eq_ignore_ascii_case(&column);
    let studies = selection.studies();
    let study = studies.into_iter().find(|study| is(condition_column(study)) || is(assigned_column(study)))?;
    let says = if is(condition_column(study)) { "condition in" } else { "condition that the random order proposed in" };
    let mut about = described(&format!("{says} the study {study}"), None);
    let levels = levels(selection, study);
    if !levels.is_empty() {
        about["Levels"] = Value::Object(levels);
    }
    Some(about)
}

/// What the study says about its conditions.
fn levels(selection: &Selection, study: &str) -> Map<String, Value> {
    let of_study = selection.sessions().iter().map(|session| &session.header.study).filter(|s| s.name == study);
    let conditions = of_study.filter_map(|study| study.excerpt().ok()).flat_map(|study| study.conditions);
    conditions.filter(|c| !c.description.is_empty()).map(|c| (c.name, c.description.into())).collect()
}

fn description(selection: &Selection) -> Value {
    json!({
        "Name": selection.study_titles(),
        "BIDSVersion": BIDS_VERSION,
        "HEDVersion": hed::HED_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{
            "Name": "affectograph",
            "Version": env!("CARGO_PKG_VERSION"),
            "Description": "recorded a participant's face, the affect read from it and every action on a web page on one clock",
        }],
    })
}

/// Whether any session has actions on a page.
fn has_page(rows: &[SessionRow]) -> bool {
    rows.iter().any(|row| row.quality.events.keys().any(|kind| kind.starts_with("page/")))
}

fn readme(selection: &Selection, participants: usize, has_page: bool) -> String {
    let actions = if has_page {
        "; what the participant did on a web page was recorded on the same clock"
    } else {
        "; there was no web page"
    };
    let mut text = format!(
        "# {}\n\n{} of {}, recorded and exported with affectograph {}.\n\n\
         Each session was recorded with a camera that looked at the participant's face. A network read valence and \
         arousal (−1 … 1, how people judge expressions in pictures, not what the participant felt) from every frame{actions}.\n\n\
         - `*_events.tsv`: what happened, with HED tags, and where data is missing (`gap/…`).\n\
         - `*_recording-<stream>_physio.tsv.gz`: the network's readings on a regular grid, `n/a` in gaps.\n\
         - `*_beh.tsv`: every stored frame at its true capture time, with the raw readings; take these where timing matters.\n\n\
         All times are seconds on the session's clock; `*_sessions.tsv` says when it stood at zero. The videos are not \
         part of this dataset: faces cannot be made anonymous.\n",
        selection.study_titles(),
        counted(selection.sessions().len(), "session"),
        counted(participants, "participant"),
        env!("CARGO_PKG_VERSION"),
    );
    let mut models: Vec<_> = selection.sessions().iter().flat_map(|s| &s.header.models).collect();
    models.sort_by(|a, b| (&a.name, &a.version, &a.sha256).cmp(&(&b.name, &b.version, &b.sha256)));
    models.dedup();
    if !models.is_empty() {
        text.push_str("\nNetworks:\n\n");
    }
    for m in models {
        append_line(&mut text, format_args!("- {m}"));
    }
    if !selection.left_out().is_empty() {
        text.push_str("\nLeft out:\n\n");
    }
    for one in selection.left_out() {
        append_line(&mut text, format_args!("- {}", folder_label(&one.folder)));
    }
    text
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
