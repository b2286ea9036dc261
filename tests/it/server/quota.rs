//! Quotas: a session cannot fill the disk, each refusal has a sentence, and records are not lost.

use affectograph::session::Body;
use affectograph::store::SessionFile;
use serde_json::json;

use super::{Answer, KEY, Remote, click, closed, new_session, served_with};

fn put(remote: &Remote, n: u64, bytes: usize) -> Answer {
    let bearer = format!("Bearer {}", remote.token);
    let headers = [("Authorization", bearer.as_str())];
    remote.browser.send("PUT", &remote.path(&format!("video/{n}")), &headers, &vec![7; bytes]).unwrap()
}

#[test]
fn a_session_that_sends_too_much_video_keeps_its_records() {
    let s = served_with(|c| c.quotas.session_bytes = 100_000);
    let (large, other) = (s.browser.begin("video"), s.browser.begin("video"));
    put(&large, 0, 60_000).ok();
    // The same chunk again is not new.
    assert_eq!(put(&large, 0, 60_000).ok()["chunks"], 1);
    let refused = put(&large, 1, 60_000);
    assert!(refused.is_problem(413).contains("Its records are still accepted"));
    assert_eq!(refused.json["type"], "urn:affectograph:quota");
    put(&large, 2, 60_000).is_problem(413);
    put(&other, 0, 60_000).ok();
    assert_eq!(large.send((0..10).map(click).collect()).ok()["committed"]["page"], 10);
    // Records have the same limit as the video.
    let many = json!({"stream": "health", "seq": 0, "document": 1, "page_ms": 1, "kind": "a", "data": {"a": "x".repeat(3_000)}});
    let batch = |k: u64| {
        (30 * k..30 * k + 30).map(|seq| {
            let mut record = many.clone();
            record["seq"] = json!(seq);
            record
        })
    };
    large.send(batch(0).collect()).ok();
    let refused = large.send(batch(1).collect());
    assert!(refused.is_problem(507).contains("Nothing was stored"));
    // The chunks that were refused are not missing.
    let finish = json!({"streams": {"page": 10, "health": 30}, "video_chunks": 3});
    large.browser.post(&large.path("finish"), &large.token, &finish).ok();
    other.browser.post(&other.path("finish"), &other.token, &json!({"streams": {}, "video_chunks": 2})).is_problem(409);
    other.browser.post(&other.path("finish"), &other.token, &json!({"streams": {}, "video_chunks": 1})).ok();
    let folder = closed(s.dir.path()).into_iter().find(|f| f.to_string_lossy().contains("sub-w01")).unwrap();
    let (mut clicks, mut said) = (0, Vec::new());
    SessionFile::open(&folder)
        .unwrap()
        .each_record(|r| match &r.body {
            Body::Event { kind, .. } if kind == "click" => clicks += 1,
            Body::Event { kind, data } if kind == "video_refused" => said.push(data["chunk"].clone()),
            _ => {}
        })
        .unwrap();
    assert_eq!((clicks, said), (10, vec![json!(1)]));
    s.running.stop().unwrap();
}

/// Chunks after the end would be deleted, so none is accepted: neither a smaller one nor one after a restart or a silence.
#[test]
fn a_video_that_has_ended_does_not_go_on() {
    let limits = |c: &mut affectograph::server::ServerConfig| {
        c.quotas.session_bytes = 100_000;
        c.limits.silent_after = std::time::Duration::from_secs(1);
    };
    let s = served_with(limits);
    let remote = s.browser.begin("video");
    put(&remote, 0, 60_000).ok();
    let why = put(&remote, 2, 60_000).is_problem(413).to_owned();
    let is_refused = |n: u64| assert_eq!(put(&remote, n, 10).is_problem(413), why, "chunk {n}");
    is_refused(2);
    is_refused(3);
    // A chunk before the end is still accepted, and the end moves if it is refused.
    put(&remote, 1, 60_000).is_problem(413);
    is_refused(1);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while s.browser.get("/v1/library/sessions").ok()["sessions"][0]["state"] != "silent" {
        assert!(std::time::Instant::now() < deadline, "it is never silent");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    is_refused(1);
    let super::Served { dir, running, .. } = s;
    running.stop().unwrap();
    let mut config = super::config(dir.path());
    config.address = remote.browser.address;
    limits(&mut config);
    let server = affectograph::server::serve(config).unwrap();
    is_refused(1);
    is_refused(4);
    let finish = json!({"streams": {}, "video_chunks": 5});
    remote.browser.post(&remote.path("finish"), &remote.token, &finish).ok();
    let folder = closed(dir.path()).remove(0);
    let mut said = Vec::new();
    let file = SessionFile::open(&folder).unwrap();
    file.each_record(|r| {
        if let Body::Event { kind, data } = &r.body
            && kind == "video_refused"
        {
            said.push(data["chunk"].clone());
        }
    })
    .unwrap();
    assert_eq!(said, [json!(2), json!(1)]);
    server.stop().unwrap();
}

#[test]
fn a_full_study_accepts_no_new_session_and_running_ones_lose_no_record() {
    let s = served_with(|c| c.quotas.study_bytes = Some(50_000));
    let running = s.browser.begin("video");
    put(&running, 0, 60_000).ok();
    let refused = s.browser.post("/v1/sessions", KEY, &new_session("off"));
    assert!(refused.is_problem(507).contains("limit of the study is reached"));
    put(&running, 1, 10).is_problem(413);
    assert_eq!(running.send(vec![click(0)]).ok()["committed"]["page"], 1);
    // After a restart the server still knows.
    let super::Served { dir, running: server, .. } = s;
    server.stop().unwrap();
    let mut config = super::config(dir.path());
    config.address = running.browser.address;
    config.quotas.study_bytes = Some(50_000);
    let server = affectograph::server::serve(config).unwrap();
    running.browser.post("/v1/sessions", KEY, &new_session("off")).is_problem(507);
    assert_eq!(running.send(vec![click(1)]).ok()["committed"]["page"], 2);
    // An erased participant makes room.
    assert_eq!(running.browser.delete("/v1/library/participants/sub-w01").status, 204);
    running.browser.begin("off");
    server.stop().unwrap();
}

#[test]
fn video_cannot_arrive_faster_than_a_camera_records_it() {
    // 10 kB per second, and 30 s of slack.
    let s = served_with(|c| c.quotas.video_bits_per_s = 80_000.0);
    let remote = s.browser.begin("video");
    put(&remote, 0, 290_000).ok();
    let refused = put(&remote, 1, 100_000);
    assert!(refused.is_problem(429).contains("than a camera"));
    let wait_s: u64 = refused.headers["retry-after"].parse().unwrap();
    assert!((5..=9).contains(&wait_s), "{wait_s}");
    // Nothing is lost: the same chunk is accepted later, and records are accepted at once.
    assert_eq!(remote.send(vec![click(0)]).ok()["committed"]["page"], 1);
    std::thread::sleep(std::time::Duration::from_secs(wait_s));
    assert_eq!(put(&remote, 1, 100_000).ok()["chunks"], 2);
    s.running.stop().unwrap();
}
