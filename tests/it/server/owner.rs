//! The owner: login, the library, downloads, pulling into another library, and erasing.

use affectograph::server::{PullPlan, pull};
use affectograph::store::{Library, SessionFile};
use affectograph::study_query::Cancel;
use serde_json::{Value, json};

use super::{Browser, PASSWORD, TOKEN, click, closed, sample, served};

/// A closed session with `events` clicks and samples around them.
pub fn recorded(browser: &Browser) {
    let remote = browser.begin("scores");
    let at = |record: Value, page_ms: f64| {
        let mut record = record;
        record["page_ms"] = json!(page_ms);
        record
    };
    // Ten seconds at 30 Hz with a click in the middle.
    let mut records: Vec<_> = (0..300).map(|k| at(sample(k), 33.3 * k as f64 - 5_000.0 + 5_001.0)).collect();
    records.push(at(click(0), 5_000.0));
    remote.send(records).ok();
    remote.finish(json!({"page": 1, "affect": 300})).ok();
}

#[test]
fn nothing_is_shown_without_a_login() {
    let s = served();
    for path in [
        "/v1/library/studies",
        "/v1/library/sessions",
        "/v1/library/sessions/x",
        "/v1/library/sessions/x/download",
        "/v1/library/sessions/x/live",
        "/v1/library/studies/demo/download",
        "/v1/library/studies/demo/average?stream=page&kind=click",
        "/v1/library/live",
        "/v1/login",
    ] {
        s.browser.send("GET", path, &[], &[]).unwrap().is_problem(401);
        let headers = [("Authorization", "Bearer aga_wrong")];
        s.browser.send("GET", path, &headers, &[]).unwrap().is_problem(401);
        let headers = [("Cookie", "__Host-affectograph=guessed")];
        s.browser.send("GET", path, &headers, &[]).unwrap().is_problem(401);
    }
    s.browser.send("DELETE", "/v1/library/participants/sub-01", &[], &[]).unwrap().is_problem(401);
    s.running.stop().unwrap();
}

#[test]
fn the_cookie_is_the_owners_own_and_changes_need_the_word() {
    let s = served();
    let own = s.browser.url.clone();
    let login = |password: &str, origin: &str| {
        let body = json!({"password": password}).to_string();
        s.browser.send("POST", "/v1/login", &[("Origin", origin)], body.as_bytes()).unwrap()
    };
    login("wrong horse battery", &own).is_problem(401);
    login(PASSWORD, "https://evil.example").is_problem(403);
    let answer = login(PASSWORD, &own);
    let cookie = answer.headers["set-cookie"].clone();
    for flag in ["__Host-affectograph=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    let csrf = answer.ok()["csrf"].as_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap();
    s.browser.send("GET", "/v1/library/sessions", &[("Cookie", cookie)], &[]).unwrap().ok();
    let logout = |headers: &[(&str, &str)]| s.browser.send("POST", "/v1/logout", headers, &[]).unwrap();
    logout(&[("Cookie", cookie), ("Origin", &own)]).is_problem(403);
    logout(&[("Cookie", cookie), ("Origin", &own), ("X-Affectograph-Csrf", "guess")]).is_problem(403);
    logout(&[("Cookie", cookie), ("Origin", "https://evil.example"), ("X-Affectograph-Csrf", &csrf)]).is_problem(403);
    assert_eq!(logout(&[("Cookie", cookie), ("Origin", &own), ("X-Affectograph-Csrf", &csrf)]).status, 204);
    s.browser.send("GET", "/v1/library/sessions", &[("Cookie", cookie)], &[]).unwrap().is_problem(401);
    // Guessing is slow: after ten attempts all logins are refused for some time.
    let tried = (0..12).map(|_| login("wrong horse battery", &own).status).collect::<Vec<_>>();
    assert!(tried.contains(&429), "{tried:?}");
    s.running.stop().unwrap();
}

#[test]
fn sessions_are_listed_shown_averaged_and_pulled() {
    let s = served();
    recorded(&s.browser);
    recorded(&s.browser);
    let open = s.browser.begin("off");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let list = loop {
        let list = s.browser.get("/v1/library/sessions?study=demo").ok();
        let graded = list["sessions"].as_array().unwrap().iter().filter(|s| s["grade"].is_string()).count();
        if graded == 2 {
            break list;
        }
        assert!(std::time::Instant::now() < deadline, "{list}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    let states: Vec<_> = list["sessions"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["recording", "closed", "closed"]);
    assert_eq!(s.browser.get("/v1/library/sessions?study=other").ok()["sessions"], json!([]));
    let studies = s.browser.get("/v1/library/studies").ok();
    let demo = &studies["studies"][0];
    assert_eq!(
        (&demo["name"], &demo["sessions"], &demo["keys"][0]["key"]),
        (&json!("demo"), &json!(3), &json!(super::KEY))
    );

    let name = list["sessions"][1]["name"].as_str().unwrap();
    let shown = s.browser.get(&format!("/v1/library/sessions/{name}")).ok();
    assert_eq!(
        (shown["affect"].as_array().unwrap().len(), shown["events"][0]["what"].as_str()),
        (300, Some("button#buy"))
    );
    s.browser.get("/v1/library/sessions/sub-01_..%2F..%2Fserver.sqlite").is_problem(404);

    let average = s.browser.get("/v1/library/studies/demo/average?stream=page&kind=click").ok();
    assert_eq!((&average["participants"], &average["epochs"]), (&json!(2), &json!(2)));
    assert_eq!(average["times_s"].as_array().unwrap().len(), average["valence"]["mean"].as_array().unwrap().len());
    s.browser.get("/v1/library/studies/demo/average?stream=page&kind=nothing").is_problem(409);
    s.browser.get("/v1/library/studies/demo/average").is_problem(422);

    // Pulled twice into another library. The second time nothing is fetched.
    let here = tempfile::tempdir().unwrap();
    let library = Library::open(here.path()).unwrap();
    let plan = PullPlan { server: s.browser.url.clone(), token: TOKEN.into(), study: Some("demo".into()) };
    let pulled = pull(&plan, &library, &Cancel::default(), |_| {}).unwrap();
    assert_eq!((pulled.fetched.len(), pulled.there_already, &pulled.refused), (2, 0, &vec![]));
    let again = pull(&plan, &library, &Cancel::default(), |_| {}).unwrap();
    assert_eq!((again.fetched.len(), again.there_already), (0, 2));
    for folder in &pulled.fetched {
        let file = SessionFile::open(folder).unwrap();
        assert_eq!(file.timeline().unwrap().series("affect").unwrap().len(), 300);
        assert!(affectograph::store::verify(folder).unwrap().findings.is_empty());
    }
    assert_eq!(library.participants().unwrap().len(), 2);
    let wrong = PullPlan { token: "aga_wrong".into(), ..plan };
    assert!(pull(&wrong, &library, &Cancel::default(), |_| {}).unwrap_err().to_string().contains("unknown"));
    let study = s.browser.get("/v1/library/studies/demo/download");
    assert_eq!((study.status, study.headers["content-type"].as_str()), (200, "application/x-tar"));
    drop(open);
    s.running.stop().unwrap();
}

#[test]
fn an_erased_participant_is_gone_for_good() {
    let s = served();
    recorded(&s.browser);
    closed(s.dir.path());
    let (other, live) = (s.browser.begin("off"), s.browser.begin("off"));
    live.send(vec![click(0)]).ok();
    let erase = |participant: &str| {
        let headers = [("Authorization", format!("Bearer {TOKEN}"))];
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        s.browser.send("DELETE", &format!("/v1/library/participants/{participant}"), &headers, &[]).unwrap()
    };
    for participant in ["sub-01", "sub-03"] {
        assert_eq!(erase(participant).status, 204);
        erase(participant).is_problem(404);
        assert!(!s.dir.path().join(participant).exists());
    }
    erase("..%2Fstudies").is_problem(422);
    live.send(vec![click(1)]).is_problem(404);
    other.send(vec![click(0)]).ok();
    let participants = std::fs::read_to_string(s.dir.path().join("participants.tsv")).unwrap();
    assert!(participants.contains("sub-02") && !participants.contains("sub-01") && !participants.contains("sub-03"));
    // The number of an erased participant is not assigned again.
    assert_eq!(s.browser.begin("off").begun["participant"], "sub-04");
    s.running.stop().unwrap();
}

#[test]
fn a_watcher_sees_what_is_committed() {
    use std::io::{BufRead, BufReader, Write};
    let s = served();
    let remote = s.browser.begin("scores");
    let name = s.browser.get("/v1/library/sessions").ok()["sessions"][0]["name"].as_str().unwrap().to_owned();
    let mut socket = std::net::TcpStream::connect(s.browser.address).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    write!(socket, "GET /v1/library/sessions/{name}/live HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n")
        .unwrap();
    let mut lines = BufReader::new(socket).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains("200"));
    lines.find(|l| l.is_empty()).unwrap();
    remote.send(vec![click(0), sample(0)]).ok();
    let news = lines.find_map(|l| l.strip_prefix("data: ").map(str::to_owned)).unwrap();
    let news: Value = serde_json::from_str(&news).unwrap();
    assert_eq!((&news["events"][0]["kind"], news["affect"][0]["at_s"].as_f64()), (&json!("click"), Some(0.001)));
    remote.finish(json!({"page": 1, "affect": 1})).ok();
    assert!(lines.any(|l| l == "event: ended"));
    s.running.stop().unwrap();
}
