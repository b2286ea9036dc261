//! What a visitor can do with the own session: delete it, and read it.

use affectograph::store::{Ledger, Library};
use serde_json::{Value, json};

use super::{Answer, Remote, STUDY, click, closed, new_session, sample, served};

fn as_visitor(remote: &Remote, method: &str, rest: &str, token: &str, origin: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Origin", origin)];
    let path = format!("/v1/sessions/{}{rest}", remote.id);
    remote.browser.send(method, &path, &headers, &[]).unwrap()
}

fn withdraw(remote: &Remote) -> Answer {
    as_visitor(remote, "DELETE", "", &remote.token, super::ORIGIN)
}

fn own_data(remote: &Remote) -> Answer {
    as_visitor(remote, "GET", "/data", &remote.token, super::ORIGIN)
}

#[test]
fn a_visitor_erases_the_own_session_and_no_other() {
    let s = served();
    let first = s.browser.begin("video");
    let participant = first.begun["participant"].as_str().unwrap().to_owned();
    let mut known = new_session("off");
    known["participant"] = json!(participant);
    let again = s.browser.post("/v1/sessions", super::KEY, &known).ok();
    let second = Remote {
        id: again["session"].as_str().unwrap().to_owned(),
        token: again["token"].as_str().unwrap().to_owned(),
        ..first.clone()
    };
    for remote in [&first, &second] {
        remote.send(vec![click(0)]).ok();
    }
    let bearer = format!("Bearer {}", first.token);
    let chunk = |n: u32| {
        let headers = [("Authorization", bearer.as_str())];
        s.browser.send("PUT", &first.path(&format!("video/{n}")), &headers, b"a chunk of video").unwrap()
    };
    chunk(0).ok();
    let folders = || Library::open(s.dir.path()).unwrap().folders().unwrap();
    assert_eq!(folders().len(), 2);

    // Another session's token, another site's page, and nobody.
    as_visitor(&first, "DELETE", "", &second.token, super::ORIGIN).is_problem(403);
    as_visitor(&first, "DELETE", "", &first.token, "https://evil.example").is_problem(403);
    s.browser.send("DELETE", &format!("/v1/sessions/{}", first.id), &[], &[]).unwrap().is_problem(401);
    assert_eq!(folders().len(), 2);

    assert_eq!(withdraw(&first).ok(), json!({ "session": first.id, "erased": true }));
    assert_eq!(folders().len(), 1);
    let known = Ledger::open(s.dir.path()).unwrap().session(&first.id).unwrap().unwrap();
    assert!(known.is_erased() && known.participant.is_empty(), "{known:?}");
    // What comes later is refused as gone. The confirmation can be repeated.
    first.send(vec![click(1)]).is_problem(410);
    chunk(1).is_problem(410);
    first.finish(json!({"page": 1})).is_problem(410);
    withdraw(&first).ok();
    own_data(&first).is_problem(410);

    // The other session of the same person goes on. With the last one, the participant is gone.
    assert_eq!(second.send(vec![click(1)]).ok()["committed"]["page"], 2);
    let list = || std::fs::read_to_string(s.dir.path().join("participants.tsv")).unwrap();
    assert!(list().contains(&participant));
    withdraw(&second).ok();
    assert!(!list().contains(&participant) && !s.dir.path().join(&participant).exists());
    assert_eq!(s.browser.get("/v1/library/sessions").ok()["sessions"], json!([]));
    // Also after a restart of the server.
    let super::Served { dir, running, .. } = s;
    let address = running.address;
    running.stop().unwrap();
    let mut config = super::config(dir.path());
    config.address = address;
    let running = affectograph::server::serve(config).unwrap();
    first.send(vec![click(1)]).is_problem(410);
    withdraw(&second).ok();
    running.stop().unwrap();
}

#[test]
fn a_closed_session_is_erased_too() {
    let s = served();
    let remote = s.browser.begin("off");
    remote.send(vec![click(0)]).ok();
    remote.finish(json!({"page": 1})).ok();
    closed(s.dir.path());
    withdraw(&remote).ok();
    assert_eq!(Library::open(s.dir.path()).unwrap().folders().unwrap(), Vec::<std::path::PathBuf>::new());
    remote.finish(json!({"page": 1})).is_problem(410);
    s.running.stop().unwrap();
}

#[test]
fn a_visitor_reads_the_own_data_where_the_study_allows_it() {
    let s = served();
    let before = s.browser.begin("off");
    assert_eq!(before.begun["own_data"], false);
    assert!(own_data(&before).is_problem(403).contains("does not give visitors their data"));

    std::fs::write(s.dir.path().join("studies/demo/study.toml"), format!("{STUDY}[visitors]\nown_data = true\n"))
        .unwrap();
    let remote = s.browser.begin("scores");
    assert_eq!(remote.begun["own_data"], true);
    remote.send(vec![click(0), sample(0)]).ok();
    let data = own_data(&remote).ok();
    assert_eq!((&data["study"], &data["participant"]), (&json!("demo"), &remote.begun["participant"]));
    assert!(data["files"].as_array().unwrap().iter().any(|f| f["name"] == "session.sqlite"), "{data}");
    let records = data["records"].as_array().unwrap();
    let of = |stream: &str| records.iter().filter(|r| r["stream"] == stream).collect::<Vec<&Value>>();
    assert_eq!(of("page")[0]["data"]["target"], "button#buy");
    assert_eq!(of("affect")[0]["values"].as_array().unwrap().len(), 12);
    // Browsers send no `Origin` with a GET to the page's own origin. This page has another one.
    as_visitor(&remote, "GET", "/data", &before.token, super::ORIGIN).is_problem(403);
    as_visitor(&remote, "GET", "/data", &remote.token, "https://evil.example").is_problem(403);
    // A closed session, too.
    remote.finish(json!({"page": 1, "affect": 1})).ok();
    before.finish(json!({})).ok();
    closed(s.dir.path());
    assert_eq!(own_data(&remote).ok()["records"].as_array().unwrap().len(), records.len());
    s.running.stop().unwrap();
}
