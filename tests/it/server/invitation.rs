//! What a page asks before it asks the visitor for consent.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Answer, Browser, KEY, ORIGIN, served, served_with};

fn ask(browser: &Browser, study: &str, key: &str, headers: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers: Vec<_> = [("Authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
    browser.send("GET", &format!("/v1/studies/{study}/invitation"), &headers, &[]).unwrap()
}

#[test]
fn an_invitation_has_the_studys_own_words_and_rules() {
    let s = served();
    let answer = ask(&s.browser, "demo", KEY, &[]);
    assert_eq!(answer.headers["access-control-allow-origin"], ORIGIN);
    let expected = json!({
        "title": "Demo", "consent": {"required": true, "text": "I agree."},
        "mask": ["#secret"], "content": ["#comment"], "open": true,
    });
    assert_eq!(answer.ok(), expected);
    s.running.stop().unwrap();
}

#[test]
fn only_a_page_that_may_begin_a_session_is_invited() {
    let s = served();
    ask(&s.browser, "demo", "agk_none", &[]).is_problem(401);
    ask(&s.browser, "other", KEY, &[]).is_problem(403);
    ask(&s.browser, "demo", KEY, &[("Origin", "https://evil.example")]).is_problem(403);
    s.browser.send("GET", "/v1/studies/demo/invitation", &[], &[]).unwrap().is_problem(401);
    s.running.stop().unwrap();
}

/// A browser sends no `Origin` with a GET to the page's own origin.
#[test]
fn a_page_of_the_servers_own_origin_is_invited_if_the_key_allows_it() {
    use std::io::{Read, Write};
    let s = served();
    let status = |head: &str| {
        let mut stream = std::net::TcpStream::connect(s.browser.address).unwrap();
        write!(
            stream,
            "GET /v1/studies/demo/invitation HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\n{head}Connection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status("Host: lab.example\r\nSec-Fetch-Site: same-origin\r\n"), "200");
    assert_eq!(status("Host: evil.example\r\nSec-Fetch-Site: same-origin\r\n"), "403");
    assert_eq!(status("Host: lab.example\r\nSec-Fetch-Site: cross-site\r\n"), "403");
    assert_eq!(status("Host: lab.example\r\n"), "403");
    s.running.stop().unwrap();
}

#[test]
fn a_full_study_says_so_and_opens_again() {
    let s = served_with(|c| c.sessions_per_key = 1);
    let first = s.browser.begin("off");
    let full = ask(&s.browser, "demo", KEY, &[]).ok();
    assert_eq!(full["open"], false);
    let why = full["closed_because"].as_str().unwrap();
    assert!(why.contains("largest number of open sessions") && why.ends_with('.'), "{why}");
    first.finish(json!({})).ok();
    let deadline = Instant::now() + Duration::from_secs(20);
    while ask(&s.browser, "demo", KEY, &[]).ok()["open"] != true {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
    }
    s.running.stop().unwrap();
}

#[test]
fn a_nearly_full_disk_invites_nobody() {
    let s = served_with(|c| c.min_free_bytes = u64::MAX);
    let answer = ask(&s.browser, "demo", KEY, &[]).ok();
    assert_eq!(answer["open"], false);
    assert!(answer["closed_because"].as_str().unwrap().contains("disk"));
    s.running.stop().unwrap();
}

/// A rate is shared by all pages of a study, so neither a request without a valid key nor one address may use it up.
#[test]
fn nobody_uses_up_the_invitations_of_others() {
    let s = served_with(|c| {
        c.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        c.limits.starts_per_address_per_min = 5;
    });
    let ask_from = |address: &str, key: &str| ask(&s.browser, "demo", key, &[("X-Forwarded-For", address)]);
    // More than all pages together may ask for at once.
    for _ in 0..1_200 {
        assert_eq!(ask_from("198.51.100.1", "agk_none").status, 401);
    }
    for _ in 0..20 {
        ask_from("198.51.100.1", KEY).ok();
    }
    let refused = ask_from("198.51.100.1", KEY);
    assert!(refused.is_problem(429).contains("this network address"));
    assert!(refused.headers["retry-after"].parse::<u32>().unwrap() <= 3);
    ask_from("192.0.2.1", KEY).ok();
    s.running.stop().unwrap();
}
