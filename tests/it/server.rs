//! The server over HTTP, as browsers and the owner use it, and after a kill.

mod abuse;
mod api;
mod dashboard;
mod exports;
mod groups;
mod invitation;
mod kill;
mod list;
pub mod owner;
mod quota;
mod recruiting;
mod schema;
mod silence;
mod studies;
mod tls;
mod video;
mod visitor;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use affectograph::server::{Quotas, Running, ServerConfig, SessionLimits, secrets, serve};
use affectograph::store::{Ledger, Library, SessionFile, SessionState, TokenScope, WriteKey};
use serde_json::{Value, json};

pub const ORIGIN: &str = "https://lab.example";
pub const KEY: &str = "agk_test";
pub const TOKEN: &str = "aga_test";
pub const PASSWORD: &str = "correct horse battery";
pub const STUDY: &str = r##"name = "demo"
title = "Demo"
[page]
address = "https://lab.example/task"
mask = ["#secret"]
content = ["#comment"]
[consent]
text = "I agree."
required = true
"##;

/// A folder of sessions with a study, a write key, an owner and an API token.
pub fn library() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("studies/demo");
    std::fs::create_dir_all(&study).unwrap();
    std::fs::write(study.join("study.toml"), STUDY).unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let now = chrono::Utc::now();
    let key = WriteKey { key: KEY.into(), study: "demo".into(), origins: vec![ORIGIN.into()], is_revoked: false };
    ledger.add_key(&key, now).unwrap();
    ledger.set_password(&secrets::hash_password(PASSWORD).unwrap(), now).unwrap();
    ledger.add_api_token("test", &secrets::sha256(TOKEN), TokenScope::Erase, now).unwrap();
    ledger.set_participant_prefix("w").unwrap();
    dir
}

pub fn config(sessions: &Path) -> ServerConfig {
    ServerConfig {
        address: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        allow_plain_http: false,
        sessions: sessions.to_owned(),
        studies: PathBuf::from("assets/studies"),
        models: affectograph::vision::models_folder().unwrap(),
        vision_threads: 1,
        sessions_per_key: 50,
        max_sessions: 100,
        trusted_proxies: Vec::new(),
        limits: SessionLimits::default(),
        quotas: Quotas::default(),
        min_free_bytes: 0,
        revision: None,
    }
}

/// A server in this process, and a browser that sends requests to it.
pub struct Served {
    pub dir: tempfile::TempDir,
    pub running: Running,
    pub browser: Browser,
}

pub fn served() -> Served {
    served_with(|_| {})
}

pub fn served_with(change: impl FnOnce(&mut ServerConfig)) -> Served {
    let dir = library();
    let mut config = config(dir.path());
    change(&mut config);
    let running = serve(config).unwrap();
    let browser = Browser::new(running.address);
    Served { dir, running, browser }
}

/// Status, headers, and the body if it is JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub json: Value,
}

impl Answer {
    /// Checks that the answer is a JSON problem with a sentence.
    #[track_caller]
    pub fn is_problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], status);
        assert!(self.json["type"].as_str().unwrap().starts_with("urn:affectograph:"), "{self:?}");
        let detail = self.json["detail"].as_str().unwrap();
        assert!(detail.ends_with('.') && detail.len() > 20, "{detail}");
        detail
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json
    }
}

#[derive(Clone)]
pub struct Browser {
    pub url: String,
    pub address: SocketAddr,
    agent: ureq::Agent,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Browser {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .max_redirects(0)
            // The server closes a connection after a request that was too large.
            .max_idle_connections(0)
            .build();
        Browser { url: format!("http://{address}"), address, agent: config.into() }
    }

    /// Sends the page's origin unless `headers` contains another.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !headers.iter().any(|h| h.0.eq_ignore_ascii_case("origin")) {
            request = request.header("Origin", ORIGIN);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let has_body = !matches!(method, "GET" | "DELETE" | "OPTIONS");
        let mut response = if has_body {
            self.agent.run(request.body(body).unwrap())?
        } else {
            self.agent.run(request.body(()).unwrap())?
        };
        let headers = response.headers().iter();
        let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap_or_default().to_owned())).collect();
        let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status: response.status().as_u16(), headers, json })
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.send("POST", path, &headers, body.to_string().as_bytes()).unwrap()
    }

    /// With the owner's API token.
    pub fn ask_as_owner(&self, method: &str, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        self.send(method, path, &[("Authorization", &bearer)], body.to_string().as_bytes()).unwrap()
    }

    /// With the owner's API token.
    pub fn get(&self, path: &str) -> Answer {
        self.ask_as_owner("GET", path, &Value::Null)
    }

    /// With the owner's API token.
    pub fn delete(&self, path: &str) -> Answer {
        self.ask_as_owner("DELETE", path, &Value::Null)
    }

    /// What a page of an origin learns about the study `demo`.
    pub fn invitation(&self, key: &str, origin: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        self.send("GET", "/v1/studies/demo/invitation", &[("Authorization", &bearer), ("Origin", origin)], &[]).unwrap()
    }

    pub fn begin(&self, camera: &str) -> Remote {
        let begun = self.post("/v1/sessions", KEY, &new_session(camera)).ok();
        Remote {
            browser: self.clone(),
            id: begun["session"].as_str().unwrap().to_owned(),
            token: begun["token"].as_str().unwrap().to_owned(),
            zero_utc_ms: begun["zero_utc_ms"].as_f64().unwrap(),
            begun,
        }
    }

    pub fn clock_ms(&self) -> f64 {
        self.send("GET", "/v1/clock", &[], &[]).unwrap().ok()["utc_ms"].as_f64().unwrap()
    }
}

pub fn new_session(camera: &str) -> Value {
    json!({
        "study": "demo",
        "consent": {"given_utc_ms": 1_763_901_234_567.0_f64, "text_sha256": "ab".repeat(32)},
        "camera": camera,
        "client": {"version": "0.1.0", "user_agent": "Test/1.0", "language": "en", "screen": {"width_px": 1280}},
    })
}

/// One session on the page's side. The page's clock has its zero one second after the session's.
#[derive(Clone)]
pub struct Remote {
    pub browser: Browser,
    pub id: String,
    pub token: String,
    pub zero_utc_ms: f64,
    pub begun: Value,
}

impl Remote {
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/sessions/{}/{rest}", self.id)
    }

    pub fn batch(&self, records: Vec<Value>) -> Value {
        let offset_ms = self.zero_utc_ms;
        json!({
            "documents": [{"document": 1, "time_origin_utc_ms": offset_ms,
                           "clock": {"at_ms": 1.0, "offset_ms": offset_ms, "uncertainty_ms": 0.5}}],
            "records": records,
        })
    }

    pub fn send(&self, records: Vec<Value>) -> Answer {
        self.browser.post(&self.path("records"), &self.token, &self.batch(records))
    }

    pub fn finish(&self, streams: Value) -> Answer {
        self.browser.post(&self.path("finish"), &self.token, &json!({ "streams": streams }))
    }
}

pub fn click(seq: u64) -> Value {
    let data = json!({"target": "button#buy", "x_px": 10, "y_px": 20, "button": 0, "buttons": 0});
    json!({"stream": "page", "seq": seq, "document": 1, "page_ms": 1.0 + seq as f64 * 0.5, "kind": "click", "data": data})
}

pub fn sample(seq: u64) -> Value {
    let v = (seq as f32 * 0.1).sin();
    let values = json!([v, -v, 0.1, 0.1, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]);
    json!({"stream": "affect", "seq": seq, "document": 1, "page_ms": 1.0 + seq as f64, "frame": seq, "values": values})
}

/// Waits until the session in `folder` is closed.
#[track_caller]
pub fn closed(dir: &Path) -> Vec<PathBuf> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let folders = Library::open(dir).unwrap().folders().unwrap();
        let is_closed =
            |f: &PathBuf| SessionFile::open(f).and_then(|s| s.state()).is_ok_and(|s| s == SessionState::Closed);
        // The grade is stored after the session is closed.
        let is_judged =
            |f: &PathBuf| SessionFile::open(f).is_ok_and(|s| s.summary().is_some_and(|s| s.quality.is_some()));
        if !folders.is_empty() && folders.iter().all(|f| is_closed(f) && is_judged(f)) {
            return folders;
        }
        assert!(Instant::now() < deadline, "not closed: {folders:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The program in a process of its own, so that it can be killed.
pub struct Program {
    child: Child,
    pub browser: Browser,
}

impl Program {
    /// `port` 0 selects a free port.
    pub fn start(sessions: &Path, port: u16) -> Program {
        Program::start_with(sessions, port, &[])
    }

    /// `more` are further options of `serve`. `AFFECTOGRAPH_PROGRAM` names another program, for example a release build.
    pub fn start_with(sessions: &Path, port: u16, more: &[&str]) -> Program {
        let program = std::env::var_os("AFFECTOGRAPH_PROGRAM");
        let mut child = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_affectograph").into()))
            .args(["serve", "--min-free-gb", "0", "--vision-threads", "1", "--address", &format!("127.0.0.1:{port}")])
            .arg("--sessions")
            .arg(sessions)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap_or_else(|| panic!("unexpected first line `{line}`"));
        Program { browser: Browser::new(address.parse().unwrap()), child }
    }

    pub fn kill(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.browser.address.port()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if the test has already killed the process.
        self.child.kill().ok();
        self.child.wait().ok();
        if let Some(mut out) = self.child.stdout.take() {
            drop(out.read(&mut [0]));
        }
    }
}
