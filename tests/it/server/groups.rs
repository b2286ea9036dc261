//! Pilots and conditions in the owner's downloads and averages.

use affectograph::session::{Body, Timestamp, server_stream};
use affectograph::store::{AddedStreams, Library, SessionFile, session_label};
use serde_json::json;

use super::exports::archive;
use super::{Served, served_with};
use crate::formats::record_session_as;

/// A pilot of sub-01, a session in `calm`, and one in `loud` as an earlier server stored it: as an event.
fn recorded() -> Served {
    served_with(|config| {
        let library = Library::open(&config.sessions).unwrap();
        record_session_as(&library, 1, 1, |header| header.pilot = true);
        record_session_as(&library, 2, 1, |header| header.condition = Some("calm".into()));
        let old = record_session_as(&library, 3, 1, |_| {});
        assert_eq!(SessionFile::open(&old).unwrap().header().condition, None);
        let mut added = AddedStreams::open(&old).unwrap();
        added.add_stream(&server_stream(), "test").unwrap();
        let at = Timestamp::from_secs_f64(1.0);
        added.append("server", vec![(at, Body::event("condition", json!({"condition": "loud"})))]).unwrap();
        added.close().unwrap();
    })
}

#[test]
fn an_export_of_a_study_leaves_pilots_out_and_a_copy_has_them() {
    let s = recorded();
    let has_pilot = |path: &str| archive(&s.browser, path).iter().any(|name| name.contains("sub-01"));
    for format in ["csv", "parquet", "bids"] {
        let path = format!("/v1/library/studies/demo/export?format={format}");
        assert!(!has_pilot(&path), "{format}");
        assert!(archive(&s.browser, &path).iter().any(|name| name.contains("sub-02")), "{format}");
    }
    assert!(has_pilot("/v1/library/studies/demo/download"));
    s.running.stop().unwrap();
}

#[test]
fn averages_are_of_one_condition_also_of_sessions_of_an_earlier_server() {
    let s = recorded();
    let events = s.browser.get("/v1/library/studies/demo/events").ok();
    assert_eq!(events["conditions"], json!([{"name": "calm", "count": 1}, {"name": "loud", "count": 1}]));
    let matched = |condition: &str| {
        let path = format!("/v1/library/studies/demo/average?stream=page&kind=click{condition}");
        s.browser.get(&path).ok()["matched"].as_u64()
    };
    let counts = ["", "&condition=calm", "&condition=loud"].map(matched);
    assert_eq!(counts, [Some(40), Some(20), Some(20)]);
    let query = "stream=page&kind=click&condition=calm&other_stream=page&other_kind=click&other_condition=loud";
    let compared = s.browser.get(&format!("/v1/library/studies/demo/comparison?{query}")).ok();
    assert_eq!((&compared["a"]["matched"], &compared["b"]["matched"]), (&json!(20), &json!(20)), "{compared}");
    let folders = Library::open(s.dir.path()).unwrap().folders().unwrap();
    let old = folders.iter().find(|folder| folder.to_string_lossy().contains("sub-03")).unwrap();
    let details = s.browser.get(&format!("/v1/library/sessions/{}", session_label(old))).ok();
    assert_eq!(details["condition"], json!("loud"));
    s.running.stop().unwrap();
}
