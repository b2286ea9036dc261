//! The Parquet folder, read by DuckDB and by Polars as one table.

use affectograph::store::SessionFile;
use serde_json::{Value, json};

use super::{export, record_study, succeeded};
use crate::python::{ask, python};

#[test]
fn duckdb_and_polars_read_the_same_numbers_from_one_table() {
    let Some(python) = python(&["duckdb", "polars"]) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let to = tmp.path().join("parquet");
    succeeded(export(&["--study", "demo"], "parquet", &to, tmp.path()));
    let read = ask(&python, "read_parquet.py", &json!(to));

    let (mut samples, mut events, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
    for folder in &folders {
        let file = SessionFile::open(folder).unwrap();
        let timeline = file.timeline().unwrap();
        let h = file.header();
        let (participant, session) = (h.participant.as_str(), h.session.to_string());
        for series in timeline.streams().filter_map(|s| timeline.series(s.name.as_str())) {
            for (k, field) in series.info.fields.iter().enumerate() {
                for row in 0..series.len() {
                    let value = Some(series.column(k)[row]).filter(|v| !v.is_nan()).map(f64::from);
                    samples.push(json!([
                        "demo",
                        participant,
                        session,
                        series.info.name,
                        field.name,
                        series.seqs()[row],
                        field.unit,
                        series.times()[row],
                        series.frames()[row],
                        value
                    ]));
                }
            }
        }
        for e in timeline.events() {
            let data = Value::Object(e.what.data.clone()).to_string();
            events.push(json!(["demo", participant, session, e.at, e.stream.as_str(), e.seq, e.what.kind, data]));
        }
        for g in timeline.gaps() {
            let (until, reason) = (g.what.until, g.what.reason.as_str());
            gaps.push(json!([
                "demo",
                participant,
                session,
                g.at,
                g.stream.as_str(),
                g.seq,
                until,
                reason,
                g.what.lost
            ]));
        }
    }
    assert!(samples.len() > 40_000, "{}", samples.len());
    for (table, expected) in [("samples", &mut samples), ("events", &mut events), ("gaps", &mut gaps)] {
        expected.sort_by_key(order_key);
        for reader in ["duckdb", "polars"] {
            let got = read[table][reader].as_array().unwrap();
            assert_eq!(got.len(), expected.len(), "{table}, {reader}");
            for (got, expected) in got.iter().zip(expected.iter()) {
                assert_eq!(got, expected, "{table}, {reader}");
            }
        }
    }
    assert_eq!(read["sessions"].as_array().unwrap().len(), 3);
    assert_eq!(read["sessions"][1]["session"], "ses-02");
    assert!(read["sessions"][1]["condition"].is_null() && read["sessions"][1]["pilot"] == 0, "{}", read["sessions"]);
    let quality = affectograph::study_query::StoredSession::open(&folders[1]).unwrap().quality;
    assert_eq!(read["sessions"][1]["grade"], quality.grade.to_string());
    assert_eq!(read["sessions"][1]["face_share"].as_f64(), quality.face_share);
}

/// The order in which the readers were asked for the rows.
fn order_key(row: &Value) -> Vec<String> {
    let cells = row.as_array().unwrap();
    let key = |v: &Value| match v.as_i64() {
        // Numbers below zero come first, and digits do not decide.
        Some(n) => format!("{:020}", i128::from(n) + (1 << 62)),
        None => v.as_str().unwrap_or_default().to_owned(),
    };
    cells.iter().take(6).map(key).collect()
}
