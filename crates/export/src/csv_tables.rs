//! One tidy CSV per stream, with units in the column names, for R, pandas, SPSS and people.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use session::{FrameMeta, SampleSeries, StreamKind, Timeline};

use super::atomic_write::{make_folder, publish_folder};
use super::cells::{column_name, number, seconds};
use super::csv_file::CsvTable;
use super::deleted;
use super::error::file_error;
use super::{ExportError, ExportedSession, FigureFormat, Selected, Selection, write_figure};

/// Writes `<stream>.csv` for every stream, `gaps.csv`, `frames.csv`, `deleted.csv` and `session.json` into the new folder `folder`.
/// Returns the files written. Times are seconds on the session's clock with nine decimals.
pub fn write_csv(
    timeline: &Timeline,
    frames: impl Iterator<Item = FrameMeta>,
    description: &serde_json::Value,
    folder: &Path,
) -> Result<Vec<PathBuf>, ExportError> {
    let names = publish_folder(folder, |part| fill(timeline, frames, description, part))?;
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// The same for each session of a selection, with its figure. A single session is written into `to`, several sessions each
/// into a folder of its own.
pub fn write_csv_sessions(selection: &Selection, to: &Path, mut progress: impl FnMut(&str)) -> Result<(), ExportError> {
    publish_folder(to, |part| {
        let is_one = selection.sessions().len() == 1;
        for selected in selection.sessions() {
            progress(&selected.label());
            let session = selected.load()?;
            let folder = if is_one { part.to_owned() } else { part.join(selected.label()) };
            make_folder(&folder)?;
            let description = description(selected, &session);
            fill(&session.timeline, session.frames.iter().cloned(), &description, &folder)?;
            for (name, format) in [("session.png", FigureFormat::Png), ("session.svg", FigureFormat::Svg)] {
                match write_figure(&session.timeline, &session.title(), None, &folder.join(name), format) {
                    // A session without a face has tables and no figure.
                    Ok(()) | Err(ExportError::NothingToDraw) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(())
    })
}

/// The JSON of `affectograph show --json`, beside the tables.
fn description(selected: &Selected, session: &ExportedSession) -> serde_json::Value {
    let samples = |name: &str| session.timeline.series(name).map(SampleSeries::len);
    let streams = session.timeline.streams().map(
        |s| json!({ "name": s.name, "kind": s.kind, "software": s.software, "samples": samples(s.name.as_str()) }),
    );
    let mut about = json!({
        "session": selected.folder,
        "state": selected.state,
        "header": session.header,
        "streams": streams.collect::<Vec<_>>(),
    });
    if let (Some(all), serde_json::Value::Object(figures)) = (about.as_object_mut(), json!(session.quality)) {
        all.extend(figures);
    }
    about
}

fn fill(
    timeline: &Timeline,
    frames: impl Iterator<Item = FrameMeta>,
    description: &serde_json::Value,
    part: &Path,
) -> Result<Vec<String>, ExportError> {
    let mut names = Vec::new();
    for info in timeline.streams() {
        let name = format!("{}.csv", info.name);
        table(part, &name, |out| match (info.kind, timeline.series(info.name.as_str())) {
            (StreamKind::Samples, Some(series)) => samples(out, series),
            _ => events(out, timeline, info.name.as_str()),
        })?;
        names.push(name);
    }
    table(part, "gaps.csv", |out| gaps(out, timeline))?;
    table(part, "frames.csv", |out| frame_rows(out, frames))?;
    table(part, "deleted.csv", |out| {
        out.write_record(deleted::COLUMNS)?;
        deleted::rows(timeline).try_for_each(|row| out.write_record(row))
    })?;
    let json = part.join("session.json");
    let text = serde_json::to_string_pretty(description).unwrap_or_default();
    fs::write(&json, text + "\n").map_err(|source| file_error("write", &json, source))?;
    names.extend(["gaps.csv", "frames.csv", "deleted.csv", "session.json"].map(str::to_owned));
    Ok(names)
}

fn table(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut CsvTable<fs::File>) -> csv::Result<()>,
) -> Result<(), ExportError> {
    let path = folder.join(name);
    let write = || -> io::Result<()> {
        let mut out = CsvTable::create(&path)?;
        fill(&mut out)?;
        out.flush()
    };
    write().map_err(|source| file_error("write", &path, source))
}

fn samples(out: &mut CsvTable<fs::File>, series: &SampleSeries) -> csv::Result<()> {
    let head = ["time_s".to_owned(), "seq".to_owned(), "frame".to_owned()];
    out.write_record(head.into_iter().chain(series.info.fields.iter().map(column_name)))?;
    for row in 0..series.len() {
        let frame = series.frames()[row].map_or(String::new(), |n| n.to_string());
        // All readers interpret an empty cell as unknown.
        let values = (0..series.info.fields.len()).map(|field| number(series.column(field)[row], ""));
        let head = [seconds(series.times()[row]), series.seqs()[row].to_string(), frame];
        out.write_record(head.into_iter().chain(values))?;
    }
    Ok(())
}

fn events(out: &mut CsvTable<fs::File>, timeline: &Timeline, stream: &str) -> csv::Result<()> {
    out.write_record(["time_s", "seq", "kind", "data_json"])?;
    for e in timeline.events().iter().filter(|e| e.stream.as_str() == stream) {
        let data = serde_json::Value::Object(e.what.data.clone()).to_string();
        out.write_record([seconds(e.at), e.seq.to_string(), e.what.kind.clone(), data])?;
    }
    Ok(())
}

fn gaps(out: &mut CsvTable<fs::File>, timeline: &Timeline) -> csv::Result<()> {
    out.write_record(["time_s", "until_s", "stream", "seq", "reason", "lost", "note"])?;
    for g in timeline.gaps() {
        out.write_record([
            seconds(g.at),
            seconds(g.what.until),
            g.stream.to_string(),
            g.seq.to_string(),
            g.what.reason.as_str().to_owned(),
            g.what.lost.to_string(),
            g.what.note.clone(),
        ])?;
    }
    Ok(())
}

fn frame_rows(out: &mut CsvTable<fs::File>, frames: impl Iterator<Item = FrameMeta>) -> csv::Result<()> {
    out.write_record(["time_s", "frame", "time_source", "device_sequence"])?;
    for f in frames {
        let sequence = f.device_sequence.map_or(String::new(), |n| n.to_string());
        out.write_record([seconds(f.at), f.number.to_string(), f.time_source.as_str().to_owned(), sequence])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{Body, Record, Timestamp, affect_stream, marker_stream};
    use std::sync::Arc;

    fn small() -> Timeline {
        let mut t = Timeline::default();
        t.declare(affect_stream(30.0, "m"));
        t.declare(marker_stream());
        let affect = Arc::new("affect".parse().unwrap());
        let mut values = vec![0.25f32; 12];
        values[1] = f32::NAN;
        t.ingest(&Record {
            stream: affect,
            seq: 0,
            at: Timestamp::from_ns(33_333_334),
            body: Body::Sample { frame: Some(1), values: values.into() },
        });
        t.ingest(&Record {
            stream: Arc::new("marker".parse().unwrap()),
            seq: 0,
            at: Timestamp::from_ns(-5),
            body: Body::event("note", serde_json::json!({"text": "a, \"b\"\nc"})),
        });
        t
    }

    #[test]
    fn every_number_and_every_word_survives() {
        let tmp = tempfile::tempdir().unwrap();
        let to = tmp.path().join("out");
        let written = write_csv(&small(), std::iter::empty(), &serde_json::json!({}), &to).unwrap();
        assert_eq!(written.len(), 6);
        let affect = fs::read_to_string(to.join("affect.csv")).unwrap();
        assert!(affect.starts_with("time_s,seq,frame,valence,arousal,valence_sd"), "{affect}");
        assert!(affect.contains("\n0.033333334,0,1,0.25,,0.25"), "{affect}");
        let mut reader = csv::Reader::from_path(to.join("marker.csv")).unwrap();
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[0], "-0.000000005");
        let data: serde_json::Value = serde_json::from_str(&row[3]).unwrap();
        assert_eq!(data["text"], "a, \"b\"\nc");
    }
}
