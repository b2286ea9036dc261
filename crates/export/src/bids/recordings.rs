//! `_physio.tsv.gz`: each stream of samples on a regular grid, as BIDS wants it, with `n/a` in gaps; and `_beh.tsv`:
//! every stored frame at its true time with what was read from it, never resampled.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde_json::{Map, Value, json};

use super::files::{with_suffix, write_json};
use crate::atomic_write::write_file;
use crate::cells::{UNKNOWN, has_unit, number, seconds, tsv_cell};
use crate::resample::{Grid, resample};
use crate::{ExportError, ExportedSession};
use session::{AFFECT, Field, LSL, Rows, StreamInfo};

/// `folder` is the session's own, for what an error says.
pub(super) fn write(session: &ExportedSession, folder: &Path, stem: &Path) -> Result<(), ExportError> {
    let mut labels = HashSet::new();
    for info in Rows::streams(&session.timeline) {
        let Some(rows) = Rows::of(&session.timeline, info.name.as_str()) else { continue };
        let times = rows.times();
        let implausible = |seconds| ExportError::Implausible {
            stream: info.name.to_string(),
            folder: folder.to_owned(),
            seconds,
            samples: times.len(),
        };
        let Some(grid) = Grid::over(&times, info.nominal_rate_hz).map_err(implausible)? else { continue };
        let columns: Vec<_> =
            (0..info.fields.len()).map(|field| resample(&grid, &times, &rows.column(field))).collect();
        let mut label = label(info.name.as_str());
        while !labels.insert(label.clone()) {
            label.push('x');
        }
        write_file(&with_suffix(stem, &format!("_recording-{label}_physio.tsv.gz")), |out| grid_rows(out, &columns))?;
        let about = physio_sidecar(session, info, &grid);
        write_json(&with_suffix(stem, &format!("_recording-{label}_physio.json")), &about)?;
    }
    frames(session, stem)
}

/// A BIDS label holds letters and digits alone: `affect_net2` is `affectNet2`.
fn label(stream: &str) -> String {
    let mut parts = stream.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |label, part| {
        let mut letters = part.chars();
        let capital = letters.next().map(|c| c.to_ascii_uppercase());
        label.chars().chain(capital).chain(letters).collect()
    })
}

fn grid_rows(out: &mut BufWriter<File>, columns: &[Vec<f32>]) -> io::Result<()> {
    // No time of day goes in, so that equal data gives equal files.
    let mut gz = GzBuilder::new().mtime(0).write(out, Compression::default());
    let mut line = String::new();
    for row in 0..columns.first().map_or(0, Vec::len) {
        line.clear();
        for (k, column) in columns.iter().enumerate() {
            if k > 0 {
                line.push('\t');
            }
            line.push_str(&cell(column[row]));
        }
        line.push('\n');
        gz.write_all(line.as_bytes())?;
    }
    gz.finish()?;
    Ok(())
}

fn cell(value: f32) -> String {
    number(if value.is_finite() { value } else { f32::NAN }, UNKNOWN)
}

fn column(field: &Field) -> Value {
    let mut about = json!({ "Description": field.description });
    if has_unit(field) {
        about["Units"] = json!(field.unit);
    }
    about
}

fn physio_sidecar(session: &ExportedSession, info: &StreamInfo, grid: &Grid) -> Value {
    let camera = &session.header.camera;
    let mut about = json!({
        "TaskName": session.header.study.name,
        "SamplingFrequency": grid.rate_hz,
        "StartTime": grid.start.as_secs_f64(),
        "Columns": info.fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        "PhysioType": "generic",
        "ManufacturersModelName": camera.name,
        "SoftwareVersions": info.software,
        "RecordingDescription": info.description,
        "Resampling": resampling(info, grid),
    });
    if let Value::Object(about) = &mut about {
        // The description of a stream of another instrument names its device, if the sender states one.
        if info.name.as_str().starts_with(LSL) {
            about.remove("ManufacturersModelName");
        }
        // A channel of another instrument may be called `StartTime`. The keys of BIDS stay.
        info.fields.iter().for_each(|f| {
            about.entry(&f.name).or_insert_with(|| column(f));
        });
    }
    about
}

fn resampling(info: &StreamInfo, grid: &Grid) -> String {
    let rate = if grid.is_rate_assumed { "the samples show no plausible rate, and 1 Hz was taken; " } else { "" };
    let true_times = if info.name.as_str().starts_with(LSL) {
        "the samples at their true times are in the session and in the formats csv, tidy, parquet and xdf".to_owned()
    } else {
        format!("the samples of the stream `{AFFECT}` at their true times are in the _beh.tsv")
    };
    let bridge_s = grid.longest_bridge_s();
    format!(
        "{rate}linear between the samples at their true times, n/a where two of them are more than {bridge_s} s apart; {true_times}"
    )
}

/// Every stored frame, scored or not.
fn frames(session: &ExportedSession, stem: &Path) -> Result<(), ExportError> {
    let affect = Rows::of(&session.timeline, AFFECT);
    let fields: &[Field] = affect.as_ref().map_or(&[], |rows| &rows.info().fields);
    write_file(&with_suffix(stem, "_beh.tsv"), |out| {
        write!(out, "time\tframe\ttime_source\tdevice_sequence")?;
        for field in fields {
            write!(out, "\t{}", field.name)?;
        }
        writeln!(out)?;
        let mut by_frame: Vec<(u64, usize)> =
            affect.iter().flat_map(|rows| (0..rows.len()).filter_map(|k| Some((rows.frame(k)?, k)))).collect();
        by_frame.sort_unstable();
        for frame in &session.frames {
            let sequence = frame.device_sequence.map_or(UNKNOWN.to_owned(), |n| n.to_string());
            write!(
                out,
                "{}\t{}\t{}\t{sequence}",
                seconds(frame.at),
                frame.number,
                tsv_cell(frame.time_source.as_str())
            )?;
            let row = by_frame.binary_search_by_key(&frame.number, |(number, _)| *number).ok().map(|k| by_frame[k].1);
            for field in 0..fields.len() {
                let value = affect.as_ref().zip(row).map_or(f32::NAN, |(rows, row)| rows.value(row, field));
                write!(out, "\t{}", cell(value))?;
            }
            writeln!(out)?;
        }
        Ok(())
    })?;
    let mut about = Map::from_iter([
        ("TaskName".to_owned(), json!(session.header.study.name)),
        ("TaskDescription".to_owned(), json!(super::events::task_description(session))),
        (
            "time".to_owned(),
            json!({ "Description": "when the frame was captured, on the session's clock", "Units": "s" }),
        ),
        ("frame".to_owned(), json!({ "Description": "number of the frame in the session's video" })),
        (
            "time_source".to_owned(),
            json!({ "Description": "where the time comes from", "Levels": {
                "driver": "the camera driver's monotonic stamp", "arrival": "the moment of arrival",
                "file": "the video file's own time", "rendered": "made by the program"
            } }),
        ),
        ("device_sequence".to_owned(), json!({ "Description": "the driver's own count of frames" })),
    ]);
    about.extend(fields.iter().map(|f| (f.name.clone(), column(f))));
    write_json(&with_suffix(stem, "_beh.json"), &Value::Object(about))
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{StreamKind, Timestamp};

    #[test]
    fn a_label_holds_letters_and_digits_alone() {
        assert_eq!(["affect", "affect_net2", "affectnet2"].map(label), ["affect", "affectNet2", "affectnet2"]);
    }

    #[test]
    fn the_sidecar_of_a_slow_instrument_states_how_far_it_was_interpolated() {
        let info = StreamInfo {
            name: "lsl_eda".parse().unwrap(),
            kind: StreamKind::Samples,
            description: String::new(),
            fields: Vec::new(),
            nominal_rate_hz: Some(1.0),
            software: String::new(),
        };
        let grid = Grid::over(&[Timestamp::ZERO], Some(1.0)).unwrap().unwrap();
        let said = resampling(&info, &grid);
        assert!(said.contains("more than 2.5 s apart") && said.contains("tidy") && !said.contains("_beh"), "{said}");
    }
}
