//! The owner: login, the library, downloads, pulling into another library, and erasing.

use std::time::{Duration, Instant};

use affectograph::server::{PullPlan, pull, secrets};
use affectograph::store::{Ledger, Library, SessionFile, TokenScope};
use affectograph::study_query::Cancel;
use serde_json::{Value, json};

use super::{Answer, Browser, PASSWORD, TOKEN, click, closed, sample, served, served_with};

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
        "/v1/library/status",
        "/v1/library/studies/demo",
        "/v1/library/studies/demo/events",
        "/v1/library/studies/demo/comparison?stream=page&kind=click&other_stream=page&other_kind=click",
        "/v1/library/studies/demo/export?format=csv",
        "/v1/library/sessions/x/export?format=csv",
        "/v1/library/sessions/x/picture?at_s=1",
        "/v1/library/sessions/x/replay",
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
    s.running.stop().unwrap();
}

/// Logs in from an address, which a trusted proxy names.
fn log_in(browser: &Browser, address: &str, password: &str) -> Answer {
    let headers = [("Origin", browser.url.as_str()), ("X-Forwarded-For", address)];
    browser.send("POST", "/v1/login", &headers, json!({ "password": password }).to_string().as_bytes()).unwrap()
}

#[test]
fn an_attacker_is_slowed_down_and_does_not_keep_the_owner_out() {
    let s = served_with(|c| c.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]);
    let (attacker, owner) = ("198.51.100.1", "192.0.2.7");
    let (mut checked, mut refused) = (0, 0);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(8) {
        let answer = log_in(&s.browser, attacker, "wrong horse battery");
        match answer.status {
            401 => checked += 1,
            _ => {
                assert!(answer.is_problem(429).contains("network address"));
                let wait_s: u64 = answer.headers["retry-after"].parse().unwrap();
                assert!((1..=60).contains(&wait_s), "{wait_s}");
                refused += 1;
            }
        }
        log_in(&s.browser, owner, PASSWORD).ok();
        std::thread::sleep(Duration::from_millis(250));
    }
    println!("in 8 s, {checked} passwords of the attacker were checked and {refused} were refused");
    // Three are free. The next wait 1 s, 2 s and 4 s.
    assert!((4..=6).contains(&checked) && refused >= 3, "{checked} {refused}");
    // The right password from the attacker's address has to wait, too. The wait must not end between the two requests.
    loop {
        let answer = log_in(&s.browser, attacker, "wrong horse battery");
        if answer.status == 401 || answer.headers["retry-after"].parse::<u64>().unwrap() > 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    log_in(&s.browser, attacker, PASSWORD).is_problem(429);
    // Several IPv6 addresses of one network count as one.
    let tried = (0..8).map(|k| log_in(&s.browser, &format!("2001:db8::{k}"), "wrong horse battery").status);
    assert!(tried.collect::<Vec<_>>().contains(&429));
    s.running.stop().unwrap();
}

#[test]
fn only_a_trusted_proxy_names_another_address() {
    let s = served();
    let tried = (0..8).map(|k| log_in(&s.browser, &format!("192.0.2.{k}"), "wrong horse battery").status);
    assert!(tried.collect::<Vec<_>>().contains(&429));
    s.running.stop().unwrap();
}

#[test]
fn a_new_password_ends_all_logins() {
    use std::io::{BufRead, BufReader, Write};
    let s = served();
    let login = |password: &str| log_in(&s.browser, "", password);
    let cookie = login(PASSWORD).headers["set-cookie"].split(';').next().unwrap().to_owned();
    let list = |cookie: &str| s.browser.send("GET", "/v1/library/sessions", &[("Cookie", cookie)], &[]).unwrap();
    list(&cookie).ok();
    // A stream that was opened before ends, too.
    let mut socket = std::net::TcpStream::connect(s.browser.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(socket, "GET /v1/library/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n")
        .unwrap();
    let mut lines = BufReader::new(socket).lines().map(|line| line.expect("the stream ends before the time-out"));
    assert!(lines.next().unwrap().contains("200"));

    let new = "another long password";
    let ledger = Ledger::open(s.dir.path()).unwrap();
    ledger.set_password(&secrets::hash_password(new).unwrap(), chrono::Utc::now()).unwrap();
    list(&cookie).is_problem(401);
    assert!(lines.count() > 0);
    login(PASSWORD).is_problem(401);
    let cookie = login(new).headers["set-cookie"].split(';').next().unwrap().to_owned();
    list(&cookie).ok();
    s.running.stop().unwrap();
}

#[test]
fn a_token_only_reads_unless_it_may_erase() {
    let s = served();
    let ledger = Ledger::open(s.dir.path()).unwrap();
    ledger.add_api_token("reader", &secrets::sha256("aga_reader"), TokenScope::Read, chrono::Utc::now()).unwrap();
    let remote = s.browser.begin("off");
    let participant = remote.begun["participant"].as_str().unwrap();
    let headers = [("Authorization", "Bearer aga_reader")];
    let list = s.browser.send("GET", "/v1/library/sessions", &headers, &[]).unwrap().ok();
    let name = list["sessions"][0]["name"].as_str().unwrap();
    let (erase, close) =
        (format!("/v1/library/participants/{participant}"), format!("/v1/library/sessions/{name}/close"));
    for (method, path) in [("DELETE", &erase), ("POST", &close)] {
        let refused = s.browser.send(method, path, &headers, &[]).unwrap();
        assert!(refused.is_problem(403).contains("can only read"));
    }
    assert_eq!(remote.send(vec![click(0)]).ok()["committed"]["page"], 1);
    s.running.stop().unwrap();
}

#[test]
fn participants_of_other_places_are_not_mixed_when_sessions_are_pulled() {
    let s = served();
    recorded(&s.browser);
    closed(s.dir.path());
    let here = tempfile::tempdir().unwrap();
    let library = Library::open(here.path()).unwrap();
    // The library has another person with the server's label, for example from another server.
    let other = here.path().join("sub-w01/ses-07_20250101T000000Z_demo");
    std::fs::create_dir_all(&other).unwrap();
    let mut plan = PullPlan { server: s.browser.url.clone(), token: TOKEN.into(), study: None, are_same_people: false };
    let pulled = pull(&plan, &library, &Cancel::default(), |_| {}).unwrap();
    assert_eq!((pulled.fetched.len(), pulled.refused.len()), (0, 1));
    assert!(pulled.refused[0].contains("may be another person"), "{:?}", pulled.refused);
    assert_eq!(library.folders().unwrap(), std::slice::from_ref(&other));
    plan.are_same_people = true;
    let pulled = pull(&plan, &library, &Cancel::default(), |_| {}).unwrap();
    assert_eq!((pulled.fetched.len(), pulled.refused.len()), (1, 0));
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
    let plan = PullPlan {
        server: s.browser.url.clone(),
        token: TOKEN.into(),
        study: Some("demo".into()),
        are_same_people: false,
    };
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
    let erase = |participant: &str| s.browser.delete(&format!("/v1/library/participants/{participant}"));
    for participant in ["sub-w01", "sub-w03"] {
        assert_eq!(erase(participant).status, 204);
        erase(participant).is_problem(404);
        assert!(!s.dir.path().join(participant).exists());
    }
    erase("..%2Fstudies").is_problem(422);
    live.send(vec![click(1)]).is_problem(404);
    other.send(vec![click(0)]).ok();
    let participants = std::fs::read_to_string(s.dir.path().join("participants.tsv")).unwrap();
    assert!(participants.contains("sub-w02") && !participants.contains("sub-w01") && !participants.contains("sub-w03"));
    // The number of an erased participant is not assigned again.
    assert_eq!(s.browser.begin("off").begun["participant"], "sub-w04");
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
