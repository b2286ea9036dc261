//! A session as a browser sends it, from its first record until it is closed.

use affectograph::session::{Body, Timestamp};
use affectograph::store::{SessionFile, SessionState, verify};
use serde_json::json;

use super::{ORIGIN, click, closed, sample, served};

#[test]
fn a_session_of_a_browser_is_a_session_like_every_other() {
    let s = served();
    let before = s.browser.clock_ms();
    let remote = s.browser.begin("scores");
    assert!(remote.zero_utc_ms >= before && remote.zero_utc_ms <= s.browser.clock_ms());
    assert_eq!(remote.begun["participant"], "sub-w01");
    assert_eq!((&remote.begun["mask"], &remote.begun["content"]), (&json!(["#secret"]), &json!(["#comment"])));

    let mut records: Vec<_> = (0..200).map(click).collect();
    records.extend((0..300).map(sample));
    let clock = json!({"offset_ms": remote.zero_utc_ms, "uncertainty_ms": 0.5, "document": 1});
    records.push(
        json!({"stream": "page_clock", "seq": 0, "document": 1, "page_ms": 1.0, "kind": "measured", "data": clock}),
    );
    let committed = remote.send(records.clone()).ok();
    assert_eq!(committed["committed"]["page"], 200);
    assert_eq!(committed["committed"]["affect"], 300);
    // The same batch again and an empty batch get the same answer.
    assert_eq!(remote.send(records).ok(), committed);
    assert_eq!(remote.send(vec![]).ok(), committed);
    // The records are in the file while the session is open.
    let folder = affectograph::store::Library::open(s.dir.path()).unwrap().folders().unwrap().remove(0);
    let open = SessionFile::open(&folder).unwrap();
    assert_eq!(open.state().unwrap(), SessionState::Recording);
    assert_eq!(open.timeline().unwrap().events().len(), 201);
    drop(open);

    let incomplete = remote.finish(json!({"page": 203, "affect": 300}));
    incomplete.is_problem(409);
    assert_eq!(incomplete.json["missing"]["page"], json!([{"from": 200, "until": 203}]));
    let finish = json!({"page": 200, "affect": 300, "page_clock": 1});
    // Also while the session is being closed.
    for _ in 0..10 {
        assert_eq!(remote.finish(finish.clone()).ok()["committed"]["page"], 200);
    }
    let folder = closed(s.dir.path()).remove(0);
    // The answer may have been lost: finishing again is harmless. Further records are refused.
    remote.finish(finish).ok();
    remote.send(vec![click(200)]).is_problem(410);

    let file = SessionFile::open(&folder).unwrap();
    let timeline = file.timeline().unwrap();
    let clicks: Vec<_> = timeline.events().iter().filter(|e| e.what.kind == "click").collect();
    assert_eq!(clicks.len(), 200);
    assert_eq!(clicks[3].at, Timestamp::from_ns(2_500_000));
    assert_eq!(clicks[3].what.data["page_ms"], 2.5);
    assert_eq!(timeline.series("affect").unwrap().len(), 300);
    assert_eq!(timeline.refused(), 0);
    let mut offset_ms = None;
    file.each_record(|r| {
        if let (Body::Event { data, .. }, "page_clock") = (&r.body, r.stream.as_str()) {
            offset_ms = data["offset_ms"].as_f64();
        }
    })
    .unwrap();
    assert_eq!(offset_ms, Some(0.0));
    let header = file.header();
    assert_eq!(header.consent.as_ref().unwrap().text_sha256, "ab".repeat(32));
    assert!(header.software.contains("client 0.1.0") && header.host.contains("Test/1.0"), "{header:?}");
    assert_eq!(header.study.toml, super::STUDY);
    assert!(file.summary().unwrap().quality.is_some());
    assert_eq!(file.summary().unwrap().conflicts, 0);
    drop(file);
    assert!(verify(&folder).unwrap().findings.is_empty());
    s.running.stop().unwrap();
}

/// The browser's report of its networks after loading them.
/// The first document was left before its clock was read. The server's assumption about it is stored before any reading.
#[test]
fn an_assumption_takes_no_number_of_a_reading() {
    let s = served();
    let remote = s.browser.begin("off");
    let (path, zero) = (remote.path("records"), remote.zero_utc_ms);
    let second = json!({"at_ms": 5.0, "offset_ms": zero, "uncertainty_ms": 0.5});
    let documents = json!([{"document": 1, "time_origin_utc_ms": zero - 200.0, "clock": null},
                           {"document": 2, "time_origin_utc_ms": zero, "clock": second}]);
    let batch = |records: serde_json::Value| json!({"documents": documents, "records": records});
    s.browser.post(&path, &remote.token, &batch(json!([click(0)]))).ok();
    let measured = json!({"offset_ms": zero, "uncertainty_ms": 0.5, "document": 2});
    let reading =
        json!({"stream": "page_clock", "seq": 0, "document": 2, "page_ms": 5.0, "kind": "measured", "data": measured});
    s.browser.post(&path, &remote.token, &batch(json!([reading]))).ok();
    remote.finish(json!({"page": 1, "page_clock": 1})).ok();
    let folder = closed(s.dir.path()).remove(0);
    let mut clock = Vec::new();
    SessionFile::open(&folder)
        .unwrap()
        .each_record(|r| {
            if let Body::Event { kind, .. } = &r.body
                && r.stream.as_str() == "page_clock"
            {
                clock.push(kind.clone());
            }
        })
        .unwrap();
    clock.sort();
    assert_eq!(clock, ["assumed", "measured"]);
    assert!(verify(&folder).unwrap().findings.is_empty());
}

fn scores_started(seq: u64, affect_sha256: serde_json::Value) -> serde_json::Value {
    let network = |name: &str, sha256: serde_json::Value| {
        let card_sha256 = "cd".repeat(32);
        json!({"name": name, "version": "7.1", "sha256": sha256, "card_sha256": card_sha256})
    };
    let (same, affect) = (json!("cd".repeat(32)), network("affect", affect_sha256));
    let data = json!({"detector": network("detector", same.clone()), "landmarks": network("landmarks", same), "affect": affect});
    json!({"stream": "health", "seq": seq, "document": 1, "page_ms": 2.0, "kind": "scores_started", "data": data})
}

#[test]
fn the_header_names_the_networks_that_the_browser_ran() {
    let s = served();
    let remote = s.browser.begin("scores");
    let folder = affectograph::store::Library::open(s.dir.path()).unwrap().folders().unwrap().remove(0);
    // The header must not name the server's own networks.
    let open = SessionFile::open(&folder).unwrap();
    assert_eq!(open.header().models, []);
    let software = |file: &SessionFile, name: &str| {
        file.streams().iter().find(|s| s.name.as_str() == name).unwrap().software.clone()
    };
    assert_eq!(software(&open, "affect"), "a network that was not reported");
    drop(open);
    let (first, second) = ("ab".repeat(32), "ef".repeat(32));
    remote.send(vec![scores_started(0, json!(first)), sample(0)]).ok();
    let open = SessionFile::open(&folder).unwrap();
    assert_eq!(open.header().models.len(), 3, "while it is open: {:?}", open.header().models);
    drop(open);
    // The report is sent again, then by the next document, and then with another network after an update.
    remote.send(vec![scores_started(0, json!(first)), scores_started(1, json!(first))]).ok();
    remote.send(vec![scores_started(2, json!(second))]).ok();
    // A hostile browser that reports new networks again and again.
    let many = (3..200).map(|k| scores_started(k, json!(format!("{k:064x}"))));
    remote.send(many.collect()).ok();
    remote.finish(json!({"health": 200, "affect": 1})).ok();
    let folder = closed(s.dir.path()).remove(0);
    let file = SessionFile::open(&folder).unwrap();
    let models = &file.header().models;
    assert_eq!(models.len(), 32);
    let said: Vec<_> = models.iter().take(4).map(|m| (m.name.as_str(), m.sha256.clone())).collect();
    let same = "cd".repeat(32);
    assert_eq!(
        said,
        [("detector", same.clone()), ("landmarks", same), ("affect", first.clone()), ("affect", second.clone())]
    );
    assert!(models.iter().all(|m| m.reported_by.as_deref() == Some("the browser") && m.version == "7.1"));
    let note = models[2].note.as_deref().unwrap();
    assert!(note.contains("its card names another file") && note.contains("the server's own is affect"), "{note}");
    let affect = software(&file, "affect");
    assert!(affect.contains(&first) && affect.contains(&second) && !affect.contains("not reported"), "{affect}");
    let face = software(&file, "face");
    assert!(face.contains("detector 7.1") && face.contains("landmarks 7.1"), "{face}");
    drop(file);
    assert!(verify(&folder).unwrap().findings.is_empty());
    s.running.stop().unwrap();
}

#[test]
fn only_a_browser_that_scores_names_networks() {
    let s = served();
    let remote = s.browser.begin("off");
    remote.send(vec![scores_started(0, json!("ab".repeat(32)))]).ok();
    remote.finish(json!({"health": 1})).ok();
    let folder = closed(s.dir.path()).remove(0);
    assert_eq!(SessionFile::open(&folder).unwrap().header().models, []);
    s.running.stop().unwrap();
}

#[test]
fn participants_are_numbered_and_may_be_known() {
    let s = served();
    let first = s.browser.begin("off");
    let second = s.browser.begin("off");
    assert_eq!((&first.begun["participant"], &second.begun["participant"]), (&json!("sub-w01"), &json!("sub-w02")));
    let mut known = super::new_session("off");
    known["participant"] = json!("sub-w01");
    let again = s.browser.post("/v1/sessions", super::KEY, &known).ok();
    assert_eq!((&again["participant"], &again["number"]), (&json!("sub-w01"), &json!(2)));
    s.running.stop().unwrap();
}

#[test]
fn a_page_of_the_keys_origin_may_ask_and_no_other() {
    let s = served();
    let preflight = |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-encoding,content-type"),
        ];
        s.browser.send("OPTIONS", "/v1/sessions", &headers, &[]).unwrap()
    };
    let ours = preflight(ORIGIN);
    assert_eq!(ours.status, 200);
    assert_eq!(ours.headers["access-control-allow-origin"], ORIGIN);
    assert!(ours.headers["access-control-allow-headers"].contains("authorization"));
    assert!(ours.headers.contains_key("access-control-max-age"));
    assert!(!preflight("https://evil.example").headers.contains_key("access-control-allow-origin"));
    let clock = s.browser.send("GET", "/v1/clock", &[], &[]).unwrap();
    assert_eq!(clock.headers["access-control-allow-origin"], ORIGIN);
    // The page can also read refusals.
    let refused = s.browser.post("/v1/sessions", "agk_none", &super::new_session("off"));
    refused.is_problem(401);
    assert_eq!(refused.headers["access-control-allow-origin"], ORIGIN);
    s.running.stop().unwrap();
}

#[test]
fn after_an_orderly_end_sessions_go_on() {
    let s = served();
    let remote = s.browser.begin("off");
    remote.send(vec![click(0), click(2)]).ok();
    let super::Served { dir, running, .. } = s;
    let address = running.address;
    running.stop().unwrap();
    let mut config = super::config(dir.path());
    config.address = address;
    let running = affectograph::server::serve(config).unwrap();
    assert_eq!(remote.send(vec![]).ok()["committed"]["page"], 1);
    assert_eq!(remote.send(vec![click(1), click(2)]).ok()["committed"]["page"], 3);
    remote.finish(json!({"page": 3})).ok();
    closed(dir.path());
    running.stop().unwrap();
}
