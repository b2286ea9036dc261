//! Sessions whose pages are forgotten: they cost nothing, end by themselves, and go on when their tab speaks again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use affectograph::server::{PullPlan, pull};
use affectograph::session::Body;
use affectograph::store::{Ledger, Library, SessionFile, SessionState, verify};
use affectograph::study_query::Cancel;
use serde_json::json;

use super::{Browser, Program, Remote, TOKEN, click, closed, library, sample, served, served_with};

fn wait_until(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is() {
        assert!(Instant::now() < deadline, "timeout: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Threads, and memory in kB.
fn status(pid: u32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let number = |name: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    (number("Threads:"), number("VmRSS:"))
}

fn states(remote: &Remote) -> Vec<String> {
    let list = remote.browser.get("/v1/library/sessions").ok();
    list["sessions"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap().to_owned()).collect()
}

/// Sends the click as a browser does that waits and tries again. Returns the answer.
#[track_caller]
fn until_accepted(remote: &Remote, seq: u64) -> serde_json::Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = remote.send(vec![click(seq)]);
        if answer.status == 200 {
            return answer.json;
        }
        assert!(Instant::now() < deadline, "never accepted: {answer:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn events(folder: &Path, wanted: &str) -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    let file = SessionFile::open(folder).unwrap();
    file.each_record(|r| {
        if let Body::Event { kind, data } = &r.body
            && kind == wanted
        {
            found.push(json!(data));
        }
    })
    .unwrap();
    found
}

/// More sessions do not run at the same time, because each is silent after three seconds.
const WARM_UP: u32 = 150;
/// The server accepts 400 sessions at once, and then 20 per second.
const BEGIN_EVERY: Duration = Duration::from_millis(50);

/// Open sessions, and how many of them are silent. The list of sessions would open the file of each session.
fn open_and_silent(browser: &Browser) -> (u64, u64) {
    let status = browser.get("/v1/library/status").ok();
    let number = |name: &str| status[name].as_u64().unwrap();
    (number("open_sessions"), number("silent_sessions"))
}

/// Starts sessions that send twenty clicks and samples each. Adds the most threads of the server meanwhile.
fn begin_many(server: &Program, number: u32, most_threads: &mut u64) -> Vec<Remote> {
    let mut due = Instant::now();
    let begun = (0..number).map(|_| {
        if number > WARM_UP {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            due += BEGIN_EVERY;
        }
        let remote = server.browser.begin("scores");
        remote.send((0..20).flat_map(|k| [click(k), sample(k)]).collect()).ok();
        *most_threads = status(server.pid()).0.max(*most_threads);
        remote
    });
    begun.collect()
}

/// Threads and kB when all sessions are silent.
fn settled(server: &Program, threads_before: u64) -> (u64, u64) {
    wait_until("all sessions are silent", || {
        let (open, silent) = open_and_silent(&server.browser);
        open == silent
    });
    // Threads of the pool for blocking work end after ten seconds.
    wait_until("their threads have ended", || status(server.pid()).0 <= threads_before + 2);
    // The server returns unused memory to the system every two seconds.
    std::thread::sleep(Duration::from_secs(5));
    status(server.pid())
}

/// `AFFECTOGRAPH_SILENT_SESSIONS` sets another number of sessions.
#[test]
#[cfg(target_os = "linux")]
fn silent_sessions_cost_no_thread_and_little_memory_and_go_on() {
    let sessions: u32 = std::env::var("AFFECTOGRAPH_SILENT_SESSIONS").map_or(75, |n| n.parse().expect("a number"));
    let dir = library();
    let limits = ["--sessions-per-key", "--sessions-per-address", "--starts-per-address"];
    let mut options: Vec<&str> = limits.iter().flat_map(|name| [*name, "100000"]).collect();
    options.extend(["--silent-min", "0.05"]);
    let server = Program::start_with(dir.path(), 0, &options);
    let first = server.browser.begin("scores");
    first.send(vec![click(0), sample(0)]).ok();
    wait_until("the first session is silent", || open_and_silent(&server.browser) == (1, 1));
    let threads_before = status(server.pid()).0;
    let mut most_threads = 0;
    // What many sessions at a time need once, such as the allocator's arenas, is not counted.
    begin_many(&server, sessions.min(WARM_UP), &mut most_threads);
    let kilobytes_before = settled(&server, threads_before).1;
    let started = Instant::now();
    let remotes = begin_many(&server, sessions, &mut most_threads);
    let begun_s = started.elapsed().as_secs_f64();
    let (threads, kilobytes) = settled(&server, threads_before);
    let each_kb = kilobytes.saturating_sub(kilobytes_before) as f64 / f64::from(sessions);
    println!(
        "{sessions} more silent sessions, begun in {begun_s:.0} s: {threads} threads (at most {most_threads} while they \
         began), {kilobytes} kB, {each_kb:.1} kB each"
    );
    assert!(each_kb <= 100.0, "{each_kb} kB for each silent session");

    // A tab speaks again. Nothing is lost or stored twice.
    let remote = &remotes[sessions as usize / 2];
    let again = (10..40).flat_map(|k| [click(k), sample(k)]).collect();
    let committed = remote.send(again).ok()["committed"].clone();
    assert_eq!((&committed["page"], &committed["affect"]), (&json!(40), &json!(40)));
    remote.finish(json!({"page": 40, "affect": 40})).ok();
    let participant = remote.begun["participant"].as_str().unwrap();
    let folder = folder_of(dir.path(), participant);
    wait_until("the session is closed", || {
        SessionFile::open(&folder).unwrap().summary().is_some_and(|s| s.quality.is_some())
    });
    let why = events(&folder, "resumed");
    assert!(why.len() == 1 && why[0]["why"].as_str().unwrap().contains("no request had arrived"), "{why:?}");
    assert_eq!(events(&folder, "click").len(), 40);
    assert!(verify(&folder).unwrap().findings.is_empty());
    // The others are still silent and go on after a restart, too.
    let port = server.kill();
    let started = Instant::now();
    let server = Program::start_with(dir.path(), port, &options);
    println!("started again in {:.1} s", started.elapsed().as_secs_f64());
    let (open, silent) = open_and_silent(&server.browser);
    assert_eq!((open, silent), (u64::from(sessions + sessions.min(WARM_UP)), open));
    let started = Instant::now();
    assert_eq!(remotes[0].send(vec![click(20)]).ok()["committed"]["page"], 21);
    println!("one of them went on after {:.3} s", started.elapsed().as_secs_f64());
}

fn folder_of(dir: &Path, participant: &str) -> PathBuf {
    let mut folders = std::fs::read_dir(dir.join(participant)).unwrap();
    folders.next().unwrap().unwrap().path()
}

#[test]
fn a_silent_session_is_closed_with_the_reason_and_makes_room() {
    let s = served_with(|c| {
        c.sessions_per_key = 1;
        c.limits.silent_after = Duration::from_secs(1);
        c.limits.close_after = Duration::from_secs(8);
    });
    let forgotten = s.browser.begin("off");
    forgotten.send(vec![click(0)]).ok();
    // A silent session does not keep others out.
    wait_until("it is silent", || states(&forgotten) == ["silent"]);
    let visitor = s.browser.begin("off");
    visitor.finish(json!({})).ok();
    let folder = folder_of(s.dir.path(), "sub-w01");
    wait_until("it is closed", || SessionFile::open(&folder).unwrap().state().unwrap() == SessionState::Closed);
    closed(s.dir.path());
    assert_eq!(events(&folder, "silence").len(), 1);
    assert_eq!(events(&folder, "click").len(), 1);
    assert!(verify(&folder).unwrap().findings.is_empty());

    // A copy that is fetched now becomes outdated when the tab speaks again.
    let here = tempfile::tempdir().unwrap();
    let library = Library::open(here.path()).unwrap();
    let plan = PullPlan { server: s.browser.url.clone(), token: TOKEN.into(), study: None, are_same_people: false };
    assert_eq!(pull(&plan, &library, &Cancel::default(), |_| {}).unwrap().fetched.len(), 2);
    until_accepted(&forgotten, 1);
    assert_eq!(SessionFile::open(&folder).unwrap().state().unwrap(), SessionState::Recording);
    forgotten.finish(json!({"page": 2})).ok();
    closed(s.dir.path());
    assert_eq!((events(&folder, "click").len(), events(&folder, "resumed").len()), (2, 1));
    assert!(verify(&folder).unwrap().findings.is_empty());
    forgotten.send(vec![click(2)]).is_problem(410);
    let again = pull(&plan, &library, &Cancel::default(), |_| {}).unwrap();
    assert_eq!((again.fetched.len(), again.there_already, again.refused.len()), (0, 2, 1));
    assert!(again.refused[0].contains("went on after it was fetched"), "{:?}", again.refused);
    s.running.stop().unwrap();
}

/// A silent and a closed session use no thread. If all of them went on at once, the server would run more sessions than its
/// limits allow.
#[test]
fn a_session_goes_on_only_if_the_server_may_run_one_more() {
    for limit in ["of the key", "of the server"] {
        let s = served_with(|c| {
            match limit {
                "of the key" => c.sessions_per_key = 1,
                _ => c.max_sessions = 1,
            }
            c.limits.silent_after = Duration::from_secs(1);
            c.limits.close_after = Duration::from_secs(10);
        });
        let closed_one = s.browser.begin("off");
        closed_one.send(vec![click(0)]).ok();
        wait_until("it is closed", || states(&closed_one) == ["closed"]);
        let silent = s.browser.begin("off");
        silent.send(vec![click(0)]).ok();
        wait_until("it is silent", || states(&silent).contains(&"silent".to_owned()));
        let running = s.browser.begin("off");
        for (k, waiting) in [&closed_one, &silent].into_iter().enumerate() {
            running.send(vec![click(k as u64)]).ok();
            let refused = waiting.send(vec![click(1)]);
            assert!(refused.is_problem(503).contains("at the same time"), "{limit}");
            assert!(refused.headers["retry-after"].parse::<u32>().unwrap() > 0);
        }
        running.finish(json!({"page": 2})).ok();
        for waiting in [&closed_one, &silent] {
            assert_eq!(until_accepted(waiting, 1)["committed"]["page"], 2, "{limit}");
            waiting.finish(json!({"page": 2})).ok();
        }
        s.running.stop().unwrap();
    }
}

/// The ledger lists the session as open, and its file is still closed: the server ended while the session was being opened
/// again.
#[test]
fn a_session_goes_on_although_the_server_ended_while_it_was_opened_again() {
    let s = served_with(|c| {
        c.limits.silent_after = Duration::from_secs(1);
        c.limits.close_after = Duration::from_secs(3);
    });
    let remote = s.browser.begin("off");
    remote.send(vec![click(0)]).ok();
    wait_until("it is closed", || states(&remote) == ["closed"]);
    let super::Served { dir, running, .. } = s;
    running.stop().unwrap();
    Ledger::open(dir.path()).unwrap().reopen_session(&remote.id).unwrap();
    let mut config = super::config(dir.path());
    config.address = remote.browser.address;
    let server = affectograph::server::serve(config).unwrap();
    assert_eq!(remote.send(vec![click(1)]).ok()["committed"]["page"], 2);
    remote.finish(json!({"page": 2})).ok();
    let folder = closed(dir.path()).remove(0);
    assert_eq!((events(&folder, "click").len(), events(&folder, "resumed").len()), (2, 1));
    assert!(verify(&folder).unwrap().findings.is_empty());
    server.stop().unwrap();
}

/// Makes the disk of a session slow: its file cannot be written until this is dropped.
fn locked(folder: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(folder.join("session.sqlite")).unwrap();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    conn
}

#[test]
fn closing_forgotten_sessions_delays_no_visitor() {
    let s = served_with(|c| {
        c.limits.silent_after = Duration::from_secs(1);
        c.limits.close_after = Duration::from_secs(7);
    });
    let forgotten: Vec<_> = (0..12).map(|_| s.browser.begin("off")).collect();
    wait_until("all are silent", || states(&forgotten[0]).iter().all(|state| state == "silent"));
    let locks: Vec<_> = forgotten
        .iter()
        .map(|remote| locked(&folder_of(s.dir.path(), remote.begun["participant"].as_str().unwrap())))
        .collect();
    // Each closing waits five seconds for its file, and then fails.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(14) {
        let before = Instant::now();
        s.browser.begin("off");
        assert!(before.elapsed() < Duration::from_secs(3), "a visitor waited for {:?}", before.elapsed());
        std::thread::sleep(Duration::from_millis(700));
    }
    drop(locks);
    assert_eq!(until_accepted(&forgotten[0], 0)["committed"]["page"], 1);
    s.running.stop().unwrap();
}

#[test]
fn a_program_on_the_same_folder_leaves_silent_sessions_open() {
    let s = served_with(|c| c.limits.silent_after = Duration::from_secs(1));
    let remote = s.browser.begin("off");
    remote.send(vec![click(0)]).ok();
    wait_until("it is silent", || states(&remote) == ["silent"]);
    let library = Library::open(s.dir.path()).unwrap();
    assert!(library.recover_all(&library.sessions().unwrap()).unwrap().is_empty());
    assert_eq!(remote.send(vec![click(1)]).ok()["committed"]["page"], 2);
    s.running.stop().unwrap();
}

#[test]
fn the_owner_closes_one_session_now() {
    let s = served_with(|c| c.limits.silent_after = Duration::from_secs(1));
    let (silent, other) = (s.browser.begin("off"), s.browser.begin("off"));
    silent.send(vec![click(0)]).ok();
    wait_until("both are silent", || states(&silent) == ["silent", "silent"]);
    let list = s.browser.get("/v1/library/sessions?search=w01").ok();
    let name = list["sessions"][0]["name"].as_str().unwrap();
    let close = || s.browser.post(&format!("/v1/library/sessions/{name}/close"), TOKEN, &json!({}));
    assert_eq!(close().status, 202);
    let folder = folder_of(s.dir.path(), "sub-w01");
    wait_until("it is closed", || SessionFile::open(&folder).unwrap().summary().is_some_and(|s| s.quality.is_some()));
    assert_eq!((events(&folder, "closed_by_owner").len(), events(&folder, "click").len()), (1, 1));
    wait_until("the server knows", || close().status == 409);
    assert!(close().is_problem(409).contains("is not open"));
    silent.send(vec![click(1)]).is_problem(410);
    assert_eq!(other.send(vec![click(0)]).ok()["committed"]["page"], 1);
    s.browser.post("/v1/library/sessions/sub-w09_x/close", TOKEN, &json!({})).is_problem(404);
    s.running.stop().unwrap();
}

/// A session that could not store its records was finished without its file, and never closed.
#[test]
fn a_session_that_cannot_be_written_stays_open_until_it_can_be_closed() {
    let s = served();
    let remote = s.browser.begin("off");
    remote.send(vec![click(0)]).ok();
    let folder = folder_of(s.dir.path(), "sub-w01");
    let list = s.browser.get("/v1/library/sessions").ok();
    let name = list["sessions"][0]["name"].as_str().unwrap();
    let close = || s.browser.post(&format!("/v1/library/sessions/{name}/close"), TOKEN, &json!({}));
    let lock = locked(&folder);
    // The recorder waits five seconds for the file, and fails.
    remote.send(vec![click(1)]).is_problem(507);
    assert!(close().is_problem(507).contains("stays open"));
    drop(lock);
    assert_eq!(remote.send(vec![click(1)]).ok()["committed"]["page"], 2);
    let lock = locked(&folder);
    remote.send(vec![click(2)]).is_problem(507);
    drop(lock);
    // Now the closing itself has to open the file again.
    assert_eq!(close().status, 202);
    wait_until("it is closed", || SessionFile::open(&folder).unwrap().summary().is_some_and(|s| s.quality.is_some()));
    assert_eq!((events(&folder, "closed_by_owner").len(), events(&folder, "click").len()), (1, 2));
    assert!(verify(&folder).unwrap().findings.is_empty());
    s.running.stop().unwrap();
}

#[test]
#[cfg(unix)]
fn files_of_the_server_are_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = library();
    let server = Program::start(dir.path(), 0);
    let remote = server.browser.begin("video");
    let bearer = format!("Bearer {}", remote.token);
    let headers = [("Authorization", bearer.as_str())];
    server.browser.send("PUT", &remote.path("video/0"), &headers, b"video").unwrap().ok();
    remote.send(vec![click(0)]).ok();
    let mut folders = vec![dir.path().join("sub-w01")];
    let mut files = Vec::new();
    for name in ["server.sqlite", "server.sqlite-wal", "participants.tsv", ".library.lock"] {
        files.push(dir.path().join(name));
    }
    let mut next = 0;
    while next < folders.len() {
        for entry in std::fs::read_dir(&folders[next]).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
        next += 1;
    }
    let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert!(folders.len() == 3 && files.len() >= 8, "{folders:?} {files:?}");
    folders.iter().for_each(|path| assert_eq!(mode(path), 0o700, "{}", path.display()));
    files.iter().for_each(|path| assert_eq!(mode(path), 0o600, "{}", path.display()));
    drop(server);
}
