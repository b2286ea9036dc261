//! Tables of a whole study for R, SPSS, Python and people: one row per value (`long.csv`), one row per time (`wide.csv`),
//! events, gaps, sessions, and a code book. Column names carry units.
//!
//! The 136 coordinates of the landmarks are left out because of their size. The other formats contain them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::atomic_write::{publish_folder, write_file};
use super::cells::{column_name, flag, number, seconds};
use super::csv_file::CsvTable;
use super::deleted;
use super::error::file_error;
use super::{ExportError, ExportedSession, Selection};
use session::{SampleSeries, StreamInfo, StreamKind, Timestamp};

/// A stream with more fields than this is left out.
const MOST_FIELDS: usize = 64;

type Table<'a> = CsvTable<&'a mut BufWriter<File>>;

/// Adds one session's rows.
type Fill<'a> = &'a dyn Fn(&mut Table<'_>, &Keys) -> csv::Result<()>;

pub fn write_tidy(selection: &Selection, to: &Path, mut progress: impl FnMut(&str)) -> Result<(), ExportError> {
    let infos = selection.streams();
    let in_tables: Vec<&StreamInfo> = infos.iter().copied().filter(|s| is_in_tables(s)).collect();
    publish_folder(to, |part| {
        let create = |name: &str| {
            let path = part.join(name);
            let file = File::create(&path).map_err(|e| file_error("write", &path, e))?;
            Ok::<_, ExportError>((path, BufWriter::with_capacity(1 << 16, file)))
        };
        let names = ["long.csv", "wide.csv", "events.csv", "gaps.csv", "deleted.csv", "sessions.csv"];
        let mut files = names.map(create).into_iter().collect::<Result<Vec<_>, _>>()?;
        let heads: [Vec<String>; 6] = [
            owned(&["stream", "time_s", "frame", "field", "unit", "value"]),
            owned(&["time_s", "frame"]).into_iter().chain(in_tables.iter().flat_map(|s| wide_names(s))).collect(),
            owned(&["stream", "time_s", "kind", "data_json"]),
            owned(&["stream", "time_s", "until_s", "reason", "lost", "note"]),
            owned(&deleted::COLUMNS),
            owned(&[
                "zero_utc",
                "condition",
                "condition_assigned",
                "pilot",
                "length_s",
                "grade",
                "frames_stored",
                "frames_lost",
                "frames_scored",
                "face_share",
                "page_clock_uncertainty_ms",
                "page_busy_share",
                "page_longest_busy_s",
                "page_frames_unseen",
            ]),
        ];
        for ((path, file), head) in files.iter_mut().zip(heads) {
            let keys = owned(&["study", "participant", "session"]);
            let row: Vec<String> = keys.into_iter().chain(head).collect();
            let mut out = CsvTable::new(file);
            let written = out.write_record(row).map_err(io::Error::from).and_then(|()| out.flush());
            written.map_err(|e| file_error("write", path, e))?;
        }
        for selected in selection.sessions() {
            progress(&selected.label());
            let session = selected.load()?;
            let fills: [Fill<'_>; 6] = [
                &|out, keys| long(out, keys, &session),
                &|out, keys| wide(out, keys, &session, &in_tables),
                &|out, keys| events(out, keys, &session),
                &|out, keys| gaps(out, keys, &session),
                &|out, keys| {
                    deleted::rows(&session.timeline)
                        .try_for_each(|row| out.write_record(keys.row(row.iter().map(String::as_str))))
                },
                &|out, keys| session_row(out, keys, &session),
            ];
            let h = &session.header;
            let keys = Keys([h.study.name.clone(), h.participant.to_string(), h.session.to_string()]);
            for ((path, file), fill) in files.iter_mut().zip(fills) {
                let mut out = CsvTable::new(file);
                let filled = fill(&mut out, &keys).map_err(io::Error::from).and_then(|()| out.flush());
                filled.map_err(|e| file_error("write", path, e))?;
            }
        }
        for (path, file) in &mut files {
            file.flush().map_err(|e| file_error("write", path, e))?;
        }
        write_file(&part.join("codebook.csv"), |out| codebook(out, &infos).map_err(io::Error::from))
    })
}

/// The columns that identify the session of a row.
struct Keys([String; 3]);

impl Keys {
    fn row<'a>(&'a self, cells: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(String::as_str).chain(cells)
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn is_in_tables(info: &StreamInfo) -> bool {
    info.kind == StreamKind::Samples && info.fields.len() <= MOST_FIELDS
}

/// `face_yaw_deg`
fn wide_names(info: &StreamInfo) -> Vec<String> {
    info.fields.iter().map(|f| format!("{}_{}", info.name, column_name(f))).collect()
}

fn frame_cell(series: &SampleSeries, row: usize) -> String {
    series.frames()[row].map_or(String::new(), |n| n.to_string())
}

fn long(out: &mut Table<'_>, keys: &Keys, session: &ExportedSession) -> csv::Result<()> {
    let timeline = &session.timeline;
    for series in timeline.streams().filter(|s| is_in_tables(s)).filter_map(|s| timeline.series(s.name.as_str())) {
        for row in 0..series.len() {
            let (time, frame) = (seconds(series.times()[row]), frame_cell(series, row));
            for (k, field) in series.info.fields.iter().enumerate() {
                let value = number(series.column(k)[row], "");
                let cells = [series.info.name.as_str(), &time, &frame, &field.name, &field.unit, &value];
                out.write_record(keys.row(cells))?;
            }
        }
    }
    Ok(())
}

/// Samples of the same time are in one row. Streams without a sample at that time have empty cells.
fn wide(out: &mut Table<'_>, keys: &Keys, session: &ExportedSession, columns: &[&StreamInfo]) -> csv::Result<()> {
    let series: Vec<Option<&SampleSeries>> = columns.iter().map(|s| session.timeline.series(s.name.as_str())).collect();
    // Sessions may describe a stream differently. Fields are matched by name.
    let places: Vec<Vec<Option<usize>>> = series
        .iter()
        .zip(columns)
        .map(|(s, info)| info.fields.iter().map(|f| s.and_then(|s| s.info.field_index(&f.name))).collect())
        .collect();
    let mut next = vec![0; columns.len()];
    let time = |k: usize, row: usize| series[k].and_then(|s| s.times().get(row).copied());
    while let Some(at) = (0..columns.len()).filter_map(|k| time(k, next[k])).min() {
        let is_now = |k: usize, next: &[usize]| time(k, next[k]) == Some(at);
        let frame = (0..columns.len())
            .filter(|k| is_now(*k, &next))
            .find_map(|k| series[k].map(|s| frame_cell(s, next[k])).filter(|f| !f.is_empty()))
            .unwrap_or_default();
        let mut cells = vec![seconds(at), frame];
        for k in 0..columns.len() {
            let row = series[k].filter(|_| is_now(k, &next));
            let value = |place: &Option<usize>| row.zip(*place).map(|(s, field)| s.column(field)[next[k]]);
            cells.extend(places[k].iter().map(|place| value(place).map_or(String::new(), |v| number(v, ""))));
            next[k] += usize::from(row.is_some());
        }
        out.write_record(keys.row(cells.iter().map(String::as_str)))?;
    }
    Ok(())
}

fn events(out: &mut Table<'_>, keys: &Keys, session: &ExportedSession) -> csv::Result<()> {
    for e in session.timeline.events() {
        let data = serde_json::Value::Object(e.what.data.clone()).to_string();
        out.write_record(keys.row([e.stream.as_str(), &seconds(e.at), &e.what.kind, &data]))?;
    }
    Ok(())
}

fn gaps(out: &mut Table<'_>, keys: &Keys, session: &ExportedSession) -> csv::Result<()> {
    for g in session.timeline.gaps() {
        let (from, until): (Timestamp, Timestamp) = (g.at, g.what.until);
        let lost = g.what.lost.to_string();
        let cells = [g.stream.as_str(), &seconds(from), &seconds(until), g.what.reason.as_str(), &lost, &g.what.note];
        out.write_record(keys.row(cells))?;
    }
    Ok(())
}

fn session_row(out: &mut Table<'_>, keys: &Keys, session: &ExportedSession) -> csv::Result<()> {
    let (h, q) = (&session.header, &session.quality);
    let maybe = |v: Option<f64>| v.map_or(String::new(), |v| v.to_string());
    let cells = [
        h.zero_utc.to_rfc3339(),
        h.condition.clone().unwrap_or_default(),
        h.condition_assigned.clone().unwrap_or_default(),
        flag(h.pilot).to_owned(),
        q.seconds.to_string(),
        q.grade.to_string(),
        q.frames_stored.to_string(),
        q.frames_lost.to_string(),
        q.frames_scored.to_string(),
        maybe(q.face_share),
        maybe(q.clock_uncertainty_ms),
        maybe(q.page_busy.map(|b| b.share)),
        maybe(q.page_busy.map(|b| b.longest_s)),
        q.frames_unseen.map_or(String::new(), |n| n.to_string()),
    ];
    out.write_record(keys.row(cells.iter().map(String::as_str)))
}

fn codebook(out: &mut BufWriter<File>, infos: &[&StreamInfo]) -> csv::Result<()> {
    let mut table = CsvTable::new(out);
    table.write_record(["stream", "field", "unit", "column_in_wide", "description", "made_by"])?;
    for info in infos {
        let name = info.name.as_str();
        table.write_record([name, "", "", "", &info.description, &info.software])?;
        for (field, column) in info.fields.iter().zip(wide_names(info)) {
            let column = if is_in_tables(info) { column.as_str() } else { "" };
            table.write_record([name, &field.name, &field.unit, column, &field.description, &info.software])?;
        }
    }
    table.flush()?;
    Ok(())
}
