//! The server is killed with `kill -9` and started again: no record is lost or stored twice.

use std::time::{Duration, Instant};

use affectograph::session::Body;
use affectograph::store::SessionFile;
use serde_json::json;

use super::{Program, click, closed, library, sample};

#[test]
fn killed_and_started_again_nothing_is_lost_or_doubled() {
    let dir = library();
    let mut server = Program::start(dir.path(), 0);
    let remote = server.browser.begin("scores");
    let (mut next, mut acknowledged, mut kills) = (0, 0, 0);
    let begun = Instant::now();
    while kills < 3 || begun.elapsed() < Duration::from_secs(6) {
        // As the library does: records without acknowledgement are sent again, together with new ones.
        let from: u64 = acknowledged;
        next += 20;
        let records = (from..next).flat_map(|k| [click(k), sample(k)]).collect();
        let bearer = format!("Bearer {}", remote.token);
        let headers = [("Authorization", bearer.as_str())];
        let body = remote.batch(records).to_string();
        // The server is killed during requests: a third of the batches are interrupted.
        let is_killing = next % 300 == 0;
        let killer = is_killing.then(|| {
            let pid = server.pid();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(7));
                let done = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
                assert!(done.unwrap().success());
            })
        });
        match remote.browser.send("POST", &remote.path("records"), &headers, body.as_bytes()) {
            Ok(answer) => acknowledged = answer.ok()["committed"]["page"].as_u64().unwrap(),
            Err(_) => assert!(is_killing, "it broke off by itself"),
        }
        if let Some(killer) = killer {
            killer.join().unwrap();
            kills += 1;
            let port = server.kill();
            server = Program::start(dir.path(), port);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let records = (acknowledged..next).flat_map(|k| [click(k), sample(k)]).collect();
    assert_eq!(remote.send(records).ok()["committed"]["affect"], next);
    remote.finish(json!({"page": next, "affect": next})).ok();
    let file = SessionFile::open(&closed(dir.path())[0]).unwrap();
    let (mut clicks, mut samples, mut restarts) = (Vec::new(), Vec::new(), 0);
    file.each_record(|r| match (r.stream.as_str(), &r.body) {
        ("page", Body::Event { data, .. }) => {
            assert_eq!(data["page_ms"], 1.0 + r.seq as f64 * 0.5);
            clicks.push(r.seq);
        }
        ("affect", Body::Sample { .. }) => samples.push(r.seq),
        ("server", Body::Event { kind, .. }) => restarts += u64::from(kind == "resumed"),
        other => panic!("{other:?}"),
    })
    .unwrap();
    clicks.sort_unstable();
    samples.sort_unstable();
    assert_eq!(clicks, (0..next).collect::<Vec<_>>());
    assert_eq!(samples, (0..next).collect::<Vec<_>>());
    assert_eq!((restarts, file.summary().unwrap().conflicts), (kills, 0));
    println!("{next} clicks and {next} samples through {kills} kills");
    drop(server);
}
