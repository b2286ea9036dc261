//! Invalid and hostile requests: each is refused with the right status, and other sessions lose nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use affectograph::store::SessionFile;
use serde_json::{Value, json};

use super::{KEY, ORIGIN, click, closed, new_session, served, served_with};

#[test]
fn a_token_opens_its_own_session_and_no_other() {
    let s = served();
    let (mine, yours) = (s.browser.begin("video"), s.browser.begin("video"));
    let batch = yours.batch(vec![click(0)]);
    s.browser.post(&yours.path("records"), &mine.token, &batch).is_problem(403);
    s.browser.post(&yours.path("finish"), &mine.token, &json!({"streams": {}})).is_problem(403);
    let bearer = format!("Bearer {}", mine.token);
    s.browser.send("PUT", &yours.path("video/0"), &[("Authorization", &bearer)], b"x").unwrap().is_problem(403);
    s.browser.post(&yours.path("records"), KEY, &batch).is_problem(403);
    s.browser.post("/v1/sessions/nonsense/records", &mine.token, &batch).is_problem(404);
    s.browser.send("POST", &yours.path("records"), &[], b"{}").unwrap().is_problem(401);
    // A session's token and a write key do not permit reading.
    for token in [mine.token.as_str(), KEY] {
        let bearer = format!("Bearer {token}");
        s.browser.send("GET", "/v1/library/sessions", &[("Authorization", &bearer)], &[]).unwrap().is_problem(401);
    }
    assert_eq!(yours.send(vec![]).ok()["committed"]["page"], 0);
    s.running.stop().unwrap();
}

#[test]
fn other_origins_are_refused() {
    let s = served();
    let bearer = format!("Bearer {KEY}");
    let begin = |origin: &str| {
        let headers = [("Authorization", bearer.as_str()), ("Origin", origin)];
        s.browser.send("POST", "/v1/sessions", &headers, new_session("off").to_string().as_bytes()).unwrap()
    };
    for origin in ["https://evil.example", "http://lab.example", "https://lab.example.evil.example", "null", ""] {
        begin(origin).is_problem(403);
    }
    let remote = s.browser.begin("off");
    let bearer = format!("Bearer {}", remote.token);
    let headers = [("Authorization", bearer.as_str()), ("Origin", "https://evil.example")];
    let batch = remote.batch(vec![click(0)]).to_string();
    s.browser.send("POST", &remote.path("records"), &headers, batch.as_bytes()).unwrap().is_problem(403);
    assert_eq!(remote.send(vec![]).ok()["committed"]["page"], 0);
    s.running.stop().unwrap();
}

#[test]
fn a_session_token_without_its_pages_origin_is_refused() {
    let s = served();
    let remote = s.browser.begin("video");
    let body = remote.batch(vec![click(0)]).to_string();
    let status = |method: &str, path: &str, origin: &str, body: &str| {
        let mut socket = TcpStream::connect(s.browser.address).unwrap();
        let token = &remote.token;
        let path = remote.path(path);
        let length = body.len();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{origin}\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") || answer.contains("urn:affectograph:wrong-origin"), "{answer}");
        answer[9..12].to_owned()
    };
    let ours = format!("Origin: {ORIGIN}\r\n");
    for origin in ["", "Origin: null\r\n", "Origin: https://evil.example\r\n", "Origin: \r\n"] {
        assert_eq!(status("POST", "records", origin, &body), "403", "{origin}");
        assert_eq!(status("PUT", "video/0", origin, "x"), "403", "{origin}");
        assert_eq!(status("POST", "finish", origin, r#"{"streams": {}}"#), "403", "{origin}");
    }
    assert_eq!(status("POST", "records", &ours, &body), "200");
    s.running.stop().unwrap();
}

#[test]
fn one_address_cannot_take_all_sessions_of_a_study() {
    let s = served_with(|c| {
        c.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        c.sessions_per_key = 10;
        c.limits.per_address = 3;
        c.limits.starts_per_address_per_min = 5;
    });
    let begin = |address: &str| {
        let authorization = format!("Bearer {KEY}");
        let headers = [("Authorization", authorization.as_str()), ("X-Forwarded-For", address)];
        s.browser.send("POST", "/v1/sessions", &headers, new_session("off").to_string().as_bytes()).unwrap()
    };
    for _ in 0..3 {
        begin("198.51.100.1").ok();
    }
    assert!(begin("198.51.100.1").is_problem(429).contains("network address"));
    let others: Vec<_> = (0..3).map(|_| begin("192.0.2.1").ok()).collect();
    begin("192.0.2.1").is_problem(429);
    // Sessions that are finished make room. The rate of starts is limited, too.
    for (k, begun) in others.iter().enumerate() {
        let path = format!("/v1/sessions/{}/finish", begun["session"].as_str().unwrap());
        s.browser.post(&path, begun["token"].as_str().unwrap(), &json!({"streams": {}})).ok();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            let answer = begin("192.0.2.1");
            match answer.status {
                201 if k < 2 => break,
                429 if k == 2 && answer.json["detail"].as_str().unwrap().contains("begin at this network address") => {
                    assert!(answer.headers["retry-after"].parse::<u32>().unwrap() <= 12);
                    break;
                }
                429 => assert!(std::time::Instant::now() < deadline, "{answer:?}"),
                _ => panic!("{answer:?}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    // A visitor at a third address begins as usual.
    begin("203.0.113.5").ok();
    s.running.stop().unwrap();
}

#[test]
fn malformed_input_is_refused_in_words() {
    let s = served();
    let remote = s.browser.begin("off");
    let bearer = format!("Bearer {}", remote.token);
    let raw =
        |path: &str, body: &[u8]| s.browser.send("POST", path, &[("Authorization", bearer.as_str())], body).unwrap();
    for body in [&b""[..], b"{", b"\xff\xfe", b"nul"] {
        raw(&remote.path("records"), body).is_problem(400);
    }
    for body in [&b"[]"[..], b"{}", br#"{"records": 3}"#, br#"{"records": [], "more": 1}"#] {
        raw(&remote.path("records"), body).is_problem(422);
    }
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let mut batch = remote.batch(vec![click(0)]);
    batch["records"][0]["data"] = json!("DEEP");
    let deep = batch.to_string().replace("\"DEEP\"", &deep);
    raw(&remote.path("records"), deep.as_bytes()).is_problem(422);
    for bad in [
        json!({"study": "demo"}),
        {
            let mut s = new_session("off");
            s["consent"] = Value::Null;
            s
        },
        {
            let mut s = new_session("off");
            s["consent"]["text_sha256"] = json!("x");
            s
        },
        {
            let mut s = new_session("off");
            s["participant"] = json!("../../etc");
            s
        },
        {
            let mut s = new_session("off");
            s["camera"] = json!("infrared");
            s
        },
    ] {
        s.browser.post("/v1/sessions", KEY, &bad).is_problem(422);
    }
    let mut other = new_session("off");
    other["study"] = json!("another");
    s.browser.post("/v1/sessions", KEY, &other).is_problem(403);
    // An invalid record among valid ones: the valid ones are stored, and a gap takes the place of the invalid one.
    let mut bad = click(1);
    bad["data"]["target"] = json!(7);
    bad["seq"] = json!(2);
    let answer = remote.send(vec![click(1), bad, click(3)]);
    answer.is_problem(422);
    assert_eq!((&answer.json["committed"]["page"], &answer.json["refused"][0]["seq"]), (&json!(4), &json!(2)));
    remote.finish(json!({"page": 4})).ok();
    let file = SessionFile::open(&closed(s.dir.path())[0]).unwrap();
    let timeline = file.timeline().unwrap();
    assert_eq!((timeline.events().len(), timeline.gaps().len()), (2, 2));
    assert!(timeline.gaps()[0].what.note.starts_with("refused: "), "{:?}", timeline.gaps());
    s.running.stop().unwrap();
}

#[test]
fn what_is_too_large_is_not_read_to_its_end() {
    let s = served();
    let remote = s.browser.begin("video");
    let bearer = format!("Bearer {}", remote.token);
    // 256 MB of spaces, compressed to 256 kB.
    for (name, bomb) in [("gzip", gzip_bomb()), ("deflate", zlib_bomb())] {
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        let headers = [("Authorization", bearer.as_str()), ("Content-Encoding", name)];
        s.browser.send("POST", &remote.path("records"), &headers, &bomb).unwrap().is_problem(413);
    }
    let headers = [("Authorization", bearer.as_str()), ("Content-Encoding", "br")];
    s.browser.send("POST", &remote.path("records"), &headers, b"{}").unwrap().is_problem(415);
    let headers = [("Authorization", bearer.as_str()), ("Content-Encoding", "gzip")];
    s.browser.send("POST", &remote.path("records"), &headers, b"no gzip").unwrap().is_problem(400);
    // Refused because of its declared length, before the body is sent.
    for (method, path, bytes) in [("POST", "records", (1 << 20) + 1), ("PUT", "video/0", (8 << 20) + 1)] {
        let mut socket = TcpStream::connect(s.browser.address).unwrap();
        let head = format!(
            "{method} {} HTTP/1.1\r\nHost: a\r\nAuthorization: {bearer}\r\nContent-Length: {bytes}\r\n\r\n",
            remote.path(path)
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut status = [0; 12];
        socket.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 413");
    }
    let many: Vec<_> =
        (0..5_001).map(|k| json!({"stream": "health", "seq": k, "document": 1, "page_ms": 1, "kind": "a"})).collect();
    remote.send(many).is_problem(413);
    remote.send(vec![click(200_000)]).is_problem(409);
    assert_eq!(remote.send(vec![click(0)]).ok()["committed"]["page"], 1);
    s.running.stop().unwrap();
}

fn compressed(make: &str) -> Vec<u8> {
    let script = format!("import sys,zlib,gzip\nsys.stdout.buffer.write({make})");
    let output = std::process::Command::new("python3").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn gzip_bomb() -> Vec<u8> {
    compressed("gzip.compress(b' ' * (256 << 20))")
}

fn zlib_bomb() -> Vec<u8> {
    compressed("zlib.compress(b' ' * (256 << 20))")
}

#[test]
fn gzipped_batches_are_understood() {
    let s = served();
    let remote = s.browser.begin("off");
    let batch = remote.batch((0..50).map(click).collect()).to_string();
    let zipped = compressed(&format!("gzip.compress({batch:?}.encode())"));
    let bearer = format!("Bearer {}", remote.token);
    let headers =
        [("Authorization", bearer.as_str()), ("Content-Encoding", "gzip"), ("Content-Type", "application/json")];
    let answer = s.browser.send("POST", &remote.path("records"), &headers, &zipped).unwrap().ok();
    assert_eq!(answer["committed"]["page"], 50);
    s.running.stop().unwrap();
}

#[test]
fn who_sends_ten_times_too_fast_waits_and_loses_nothing() {
    let s = served();
    let (fast, calm) = (s.browser.begin("off"), s.browser.begin("off"));
    let event =
        |seq: u64| json!({"stream": "health", "seq": seq, "document": 1, "page_ms": 1, "kind": "a", "data": {}});
    let (mut next, mut refused) = (0, 0);
    while next < 45_000 {
        let answer = fast.send((next..next + 4_500).map(event).collect());
        if answer.status == 429 {
            answer.is_problem(429);
            let wait_s: u64 = answer.headers["retry-after"].parse().unwrap();
            assert!((1..10).contains(&wait_s), "{wait_s}");
            refused += 1;
            // Other sessions are not affected.
            assert_eq!(calm.send(vec![click(refused - 1)]).ok()["committed"]["page"], refused);
            std::thread::sleep(Duration::from_secs(wait_s));
        } else {
            next = answer.ok()["committed"]["health"].as_u64().unwrap();
        }
    }
    assert!(refused > 0);
    fast.finish(json!({"health": 45_000})).ok();
    s.running.stop().unwrap();
}

#[test]
fn sessions_of_a_key_are_limited() {
    let s = served_with(|c| c.sessions_per_key = 2);
    let first = s.browser.begin("off");
    s.browser.begin("off");
    s.browser.post("/v1/sessions", KEY, &new_session("off")).is_problem(429);
    first.finish(json!({})).ok();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while s.browser.post("/v1/sessions", KEY, &new_session("off")).status == 429 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
    }
    s.running.stop().unwrap();
}

#[test]
fn a_nearly_full_disk_refuses_and_says_so() {
    let s = served_with(|c| c.min_free_bytes = u64::MAX);
    let answer = s.browser.post("/v1/sessions", KEY, &new_session("off"));
    answer.is_problem(507);
    assert!(answer.headers.contains_key("retry-after"));
    s.running.stop().unwrap();
}

#[test]
fn who_sends_his_head_too_slowly_is_hung_up_on() {
    let s = served();
    let mut slow = TcpStream::connect(s.browser.address).unwrap();
    slow.write_all(b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\n").unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).expect("the server hangs up");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    s.running.stop().unwrap();
}

#[test]
fn plain_http_stays_on_this_machine() {
    let dir = super::library();
    let mut config = super::config(dir.path());
    config.address = "0.0.0.0:0".parse().unwrap();
    let Err(refused) = affectograph::server::serve(config.clone()) else { panic!("it listens") };
    assert!(refused.to_string().contains("--certificate"), "{refused}");
    config.allow_plain_http = true;
    affectograph::server::serve(config).unwrap().stop().unwrap();
}
