//! The list of sessions and of events: in pages, searched, and only what has changed.

use serde_json::{Value, json};

use super::{KEY, click, closed, new_session, served};

fn names(list: &Value) -> Vec<String> {
    list["sessions"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_list_comes_in_pages_is_searched_and_sends_what_has_changed() {
    let s = served();
    let list = |query: &str| s.browser.get(&format!("/v1/library/sessions?{query}")).ok();
    let remotes: Vec<_> = (0..5).map(|_| s.browser.begin("off")).collect();
    let whole = list("");
    assert_eq!((whole["total"].as_u64(), whole["open"].as_u64(), &whole["next"]), (Some(5), Some(5), &Value::Null));
    let all = names(&whole);

    // Three pages of two sessions together are the whole list.
    let (mut paged, mut after) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = list(&format!("limit=2{after}"));
        paged.extend(names(&page));
        assert_eq!(page["total"], 5);
        after = page["next"].as_str().map_or(String::new(), |next| format!("&after={next}"));
    }
    assert_eq!((&paged, after.as_str()), (&all, ""));
    for bad in ["limit=0", "limit=1001"] {
        s.browser.get(&format!("/v1/library/sessions?{bad}")).is_problem(422);
    }
    for bad in ["limit=x", "since=-1"] {
        s.browser.get(&format!("/v1/library/sessions?{bad}")).is_problem(400);
    }

    let found = list("search=W03&study=demo");
    assert_eq!((found["total"].as_u64(), names(&found).len()), (Some(1), 1));
    assert_eq!(found["sessions"][0]["participant"], "sub-w03");
    assert_eq!(names(&list("search=nobody")), Vec::<String>::new());

    // Only what has changed.
    let since = |list: &Value| format!("since={}", list["version"]);
    let nothing = list(&since(&whole));
    assert_eq!((names(&nothing).len(), nothing["is_update"].as_bool()), (0, Some(true)));
    let participant = s.browser.post("/v1/sessions", KEY, &new_session("off")).ok()["participant"].clone();
    let one = list(&since(&nothing));
    assert_eq!((names(&one).len(), &one["sessions"][0]["participant"]), (1, &participant));
    remotes[1].finish(json!({})).ok();
    let erased = remotes[0].begun["participant"].as_str().unwrap();
    assert_eq!(s.browser.delete(&format!("/v1/library/participants/{erased}")).status, 204);
    let two = list(&since(&one));
    assert_eq!(two["removed"].as_array().unwrap().len(), 1, "{two}");
    assert!(two["removed"][0].as_str().unwrap().starts_with(&format!("{erased}_")), "{two}");
    assert!(names(&two).iter().all(|name| name.starts_with("sub-w02_")), "{two}");
    // A version of another run of the server is not known: the whole list is sent.
    let unknown = list("since=7");
    assert_eq!((names(&unknown).len(), unknown["is_update"].as_bool()), (5, Some(false)));
    s.running.stop().unwrap();
}

#[test]
fn paging_goes_on_after_the_session_of_the_cursor_was_erased() {
    let s = served();
    (0..5).for_each(|_| drop(s.browser.begin("off")));
    let list = |query: &str| s.browser.get(&format!("/v1/library/sessions?{query}")).ok();
    let all = names(&list(""));
    let first = list("limit=2");
    let cursor = first["next"].as_str().unwrap().to_owned();
    assert_eq!(cursor, all[1]);
    let (participant, _) = cursor.split_once('_').unwrap();
    assert_eq!(s.browser.delete(&format!("/v1/library/participants/{participant}")).status, 204);
    let second = list(&format!("limit=2&after={cursor}"));
    assert_eq!(names(&second), all[2..4]);
    let third = list(&format!("limit=2&after={}", second["next"].as_str().unwrap()));
    assert_eq!((names(&third), &third["next"]), (all[4..].to_vec(), &Value::Null));
    for bad in ["x", "sub-w01", "ses-01_20261123T100000Z_demo", "sub-w01_x"] {
        s.browser.get(&format!("/v1/library/sessions?after={bad}")).is_problem(422);
    }
    s.running.stop().unwrap();
}

#[test]
fn the_last_events_are_shown_and_the_earlier_ones_are_found() {
    let s = served();
    let remote = s.browser.begin("off");
    for from in [0, 2_000, 4_000] {
        remote.send((from..from + 2_000).map(click).collect()).ok();
    }
    remote.finish(json!({"page": 6_000})).ok();
    closed(s.dir.path());
    let name = names(&s.browser.get("/v1/library/sessions").ok()).remove(0);
    let shown = s.browser.get(&format!("/v1/library/sessions/{name}")).ok();
    let last_s = 1e-3 + 5_999.0 * 0.5e-3;
    let events = shown["events"].as_array().unwrap();
    assert_eq!((events.len(), shown["events_left_out"].as_u64()), (5_000, Some(1_000)));
    assert!(
        events.iter().any(|e| (e["at_s"].as_f64().unwrap() - last_s).abs() < 1e-6),
        "the last click is in the list"
    );
    let page = |query: &str| s.browser.get(&format!("/v1/library/sessions/{name}/events?{query}")).ok();
    let first = page("before_s=0.0021&search=BUTTON%23buy");
    let at_us = |e: &Value| (e["at_s"].as_f64().unwrap() * 1e6).round() as u64;
    let at_us: Vec<_> = first["events"].as_array().unwrap().iter().map(at_us).collect();
    assert_eq!((at_us, first["earlier"].as_u64()), (vec![1_000, 1_500, 2_000], Some(0)));
    let last = page("search=click&limit=10");
    assert_eq!((last["events"].as_array().unwrap().len(), last["earlier"].as_u64()), (10, Some(5_990)));
    let before = page("search=click&limit=10&skip=10");
    assert_eq!((before["events"].as_array().unwrap().len(), before["earlier"].as_u64()), (10, Some(5_980)));
    assert!(before["events"][9]["at_s"].as_f64() < last["events"][0]["at_s"].as_f64());
    let rest = page("search=click&limit=10&skip=5995");
    assert_eq!((rest["events"].as_array().unwrap().len(), rest["earlier"].as_u64()), (5, Some(0)));
    assert_eq!(page("search=nothing")["events"], json!([]));
    s.browser.get(&format!("/v1/library/sessions/{name}/events?limit=0")).is_problem(422);
    s.running.stop().unwrap();
}
