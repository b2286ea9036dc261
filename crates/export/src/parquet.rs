//! Parquet for DuckDB, Polars, Spark and DataFusion. A folder of any number of sessions is one table.
//!
//! ```text
//! sessions.parquet                                                        one row per session
//! samples/study=demo/participant=sub-01/session=ses-01/samples.parquet    stream, field, time_ns, value …
//! events/… gaps/… frames/…                                                partitioned alike
//! ```
//!
//! Samples are in long format (one row per value). All sessions thus have the same columns, independent of their streams.
//! Rows are ordered by stream, field and time, so that a query for one field reads little other data.

mod table;

use std::path::Path;

use super::atomic_write::{make_folder, publish_folder, write_file};
use super::{ExportError, ExportedSession, Selection};
use analysis::QualityReport;
use session::{EventData, EventRow, FrameMeta, Gap, SampleSeries, Timeline};
use store::SessionHeader;

use table::{Column, double, int, maybe_double, maybe_float, maybe_int, maybe_text, text, write_table};

pub fn write_parquet(selection: &Selection, to: &Path, mut progress: impl FnMut(&str)) -> Result<(), ExportError> {
    publish_folder(to, |part| {
        let mut sessions = Vec::new();
        for selected in selection.sessions() {
            progress(&selected.label());
            let session = selected.load()?;
            let h = &session.header;
            let study = partition_value(&h.study.name);
            let place = |table: &str| {
                let folder = part
                    .join(table)
                    .join(format!("study={study}"))
                    .join(format!("participant={}", h.participant))
                    .join(format!("session={}", h.session));
                make_folder(&folder).map(|()| folder.join(format!("{table}.parquet")))
            };
            let series = sample_series(&session.timeline);
            write(&place("samples")?, &sample_columns(), sample_rows(&series))?;
            write(&place("events")?, &event_columns(), session.timeline.events().iter())?;
            write(&place("gaps")?, &gap_columns(), session.timeline.gaps().iter())?;
            write(&place("frames")?, &frame_columns(), session.frames.iter())?;
            let ExportedSession { header, quality, .. } = session;
            sessions.push(Summary { header, quality });
        }
        write(&part.join("sessions.parquet"), &session_columns(), sessions.iter())
    })
}

/// The part of a folder name after `study=`. A name that this program parsed is unchanged.
fn partition_value(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}

fn write<R>(path: &Path, columns: &[Column<R>], rows: impl Iterator<Item = R> + Clone) -> Result<(), ExportError> {
    write_file(path, |out| write_table(out, columns, rows))
}

/// Numbers of records and frames are far below 2^63 in all files of this program.
fn as_int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// One value of one stream.
#[derive(Clone, Copy)]
struct Sample<'t> {
    series: &'t SampleSeries,
    field: usize,
    row: usize,
}

fn sample_series(timeline: &Timeline) -> Vec<&SampleSeries> {
    timeline.streams().filter_map(|s| timeline.series(s.name.as_str())).collect()
}

fn sample_rows<'t>(all: &[&'t SampleSeries]) -> impl Iterator<Item = Sample<'t>> + Clone {
    all.iter().flat_map(|&series| {
        let fields = 0..series.info.fields.len();
        fields.flat_map(move |field| (0..series.len()).map(move |row| Sample { series, field, row }))
    })
}

fn sample_columns<'t>() -> [Column<Sample<'t>>; 7] {
    [
        text("stream", |s| s.series.info.name.as_str().into()),
        text("field", |s| s.series.info.fields[s.field].name.as_str().into()),
        text("unit", |s| s.series.info.fields[s.field].unit.as_str().into()),
        int("time_ns", |s| s.series.times()[s.row].as_ns()),
        int("seq", |s| as_int(s.series.seqs()[s.row])),
        maybe_int("frame", |s| s.series.frames()[s.row].map(as_int)),
        maybe_float("value", |s| Some(s.series.column(s.field)[s.row]).filter(|v| !v.is_nan())),
    ]
}

fn event_columns<'t>() -> [Column<&'t EventRow<EventData>>; 5] {
    [
        text("stream", |e| e.stream.as_str().into()),
        int("time_ns", |e| e.at.as_ns()),
        int("seq", |e| as_int(e.seq)),
        text("kind", |e| e.what.kind.as_str().into()),
        text("data_json", |e| serde_json::Value::Object(e.what.data.clone()).to_string().into()),
    ]
}

fn gap_columns<'t>() -> [Column<&'t EventRow<Gap>>; 7] {
    [
        text("stream", |g| g.stream.as_str().into()),
        int("time_ns", |g| g.at.as_ns()),
        int("until_ns", |g| g.what.until.as_ns()),
        int("seq", |g| as_int(g.seq)),
        text("reason", |g| g.what.reason.as_str().into()),
        int("lost", |g| as_int(g.what.lost)),
        text("note", |g| g.what.note.as_str().into()),
    ]
}

fn frame_columns<'t>() -> [Column<&'t FrameMeta>; 4] {
    [
        int("time_ns", |f| f.at.as_ns()),
        int("frame", |f| as_int(f.number)),
        text("time_source", |f| f.time_source.as_str().into()),
        maybe_int("device_sequence", |f| f.device_sequence.map(as_int)),
    ]
}

/// The data of a session for `sessions.parquet`. Its records need not stay in memory.
struct Summary {
    header: SessionHeader,
    quality: QualityReport,
}

fn session_columns<'t>() -> [Column<&'t Summary>; 19] {
    [
        text("study", |s| s.header.study.name.as_str().into()),
        text("participant", |s| s.header.participant.as_str().into()),
        text("session", |s| s.header.session.to_string().into()),
        text("zero_utc", |s| s.header.zero_utc.to_rfc3339().into()),
        maybe_text("condition", |s| s.header.condition.as_deref()),
        maybe_text("condition_assigned", |s| s.header.condition_assigned.as_deref()),
        int("pilot", |s| i64::from(s.header.pilot)),
        text("software", |s| s.header.software.as_str().into()),
        text("models_json", |s| serde_json::json!(s.header.models).to_string().into()),
        double("seconds", |s| s.quality.seconds),
        text("grade", |s| s.quality.grade.to_string().into()),
        int("frames_stored", |s| as_int(s.quality.frames_stored)),
        int("frames_lost", |s| as_int(s.quality.frames_lost)),
        int("frames_scored", |s| as_int(s.quality.frames_scored)),
        maybe_double("face_share", |s| s.quality.face_share),
        maybe_double("page_clock_uncertainty_ms", |s| s.quality.clock_uncertainty_ms),
        maybe_double("page_busy_share", |s| s.quality.page_busy.map(|b| b.share)),
        maybe_double("page_longest_busy_s", |s| s.quality.page_busy.map(|b| b.longest_s)),
        maybe_int("page_frames_unseen", |s| s.quality.frames_unseen.map(as_int)),
    ]
}
