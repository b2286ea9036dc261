//! The XDF file, read by pyxdf as its users call it.

use affectograph::store::SessionFile;
use serde_json::json;

use super::{export, record_study, succeeded};
use crate::python::{ask, python};

#[test]
fn pyxdf_reads_the_same_numbers() {
    let Some(python) = python(&["pyxdf"]) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let to = tmp.path().join("xdf");
    succeeded(export(&["--study", "demo"], "xdf", &to, tmp.path()));
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 3);
    let read = ask(&python, "read_xdf.py", &json!(to.join("sub-01_ses-02_task-demo.xdf")));
    let timeline = SessionFile::open(&folders[1]).unwrap().timeline().unwrap();
    assert_eq!(read["version"], "1.0");
    for stream in ["affect", "face"] {
        let (got, series) = (&read["streams"][stream], timeline.series(stream).unwrap());
        assert_eq!(got["times"].as_array().unwrap().len(), series.len());
        for row in 0..series.len() {
            // To the last bit of a double: seconds of that size know less than a nanosecond.
            assert_eq!(got["times"][row].as_f64(), Some(series.times()[row].as_ns() as f64 / 1e9));
            for field in 0..series.info.fields.len() {
                let value = series.column(field)[row];
                let expected = value.is_finite().then_some(f64::from(value));
                assert_eq!(got["values"][row][field].as_f64(), expected, "{stream} {row} {field}");
            }
        }
        let labels: Vec<_> = series.info.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(serde_json::to_value(labels).unwrap(), got["labels"]);
        assert!(got["clock_offsets"].as_u64().unwrap() > 2);
        assert_eq!(got["footer_samples"].as_str().unwrap().parse(), Ok(series.len()));
    }
    for stream in ["page", "marker", "page_clock"] {
        let got = &read["streams"][stream];
        let events: Vec<_> = timeline.events().iter().filter(|e| e.stream.as_str() == stream).collect();
        assert_eq!(got["times"].as_array().unwrap().len(), events.len(), "{stream}");
        for (k, event) in events.iter().enumerate() {
            assert_eq!(got["times"][k].as_f64(), Some(event.at.as_ns() as f64 / 1e9));
            assert_eq!(got["values"][k][0], event.what.kind.as_str());
            let data: serde_json::Value = serde_json::from_str(got["values"][k][1].as_str().unwrap()).unwrap();
            assert_eq!(data, serde_json::Value::Object(event.what.data.clone()));
        }
    }
    let gap = &read["streams"]["gap"]["values"][0];
    assert_eq!((&gap[0], &gap[1], &gap[2]), (&"affect".into(), &"no_face".into(), &"10.050000000".into()));
}
