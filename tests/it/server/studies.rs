//! The owner makes and changes studies and keys in the dashboard.

use affectograph::store::{Ledger, WriteKey};
use serde_json::{Value, json};

use super::{Browser, KEY, ORIGIN, STUDY, new_session, served, served_with};

fn preflight(browser: &Browser, origin: &str) -> Option<String> {
    let headers = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "authorization"),
    ];
    let answer = browser.send("OPTIONS", "/v1/studies/demo/invitation", &headers, &[]).unwrap();
    answer.headers.get("access-control-allow-origin").cloned()
}

/// Another program makes the key. The server had two seconds in which it answered no page of a new origin.
#[test]
fn a_page_is_answered_as_soon_as_its_key_exists() {
    let s = served();
    let ledger = Ledger::open(s.dir.path()).unwrap();
    for k in 0..20 {
        let (origin, key) = (format!("https://new{k}.example"), format!("agk_new{k}"));
        assert_eq!(preflight(&s.browser, &origin), None);
        let made =
            WriteKey { key: key.clone(), study: "demo".into(), origins: vec![origin.clone()], is_revoked: false };
        ledger.add_key(&made, chrono::Utc::now()).unwrap();
        assert_eq!(preflight(&s.browser, &origin).as_deref(), Some(origin.as_str()), "at once");
        let answer = s.browser.invitation(&key, &origin);
        assert_eq!(answer.headers["access-control-allow-origin"], origin);
        answer.ok();
    }
    s.running.stop().unwrap();
}

#[test]
fn a_study_with_a_key_is_made_in_the_dashboard_and_records() {
    let s = served();
    let form = json!({"title": "Calm & <loud>", "address": "https://shop.example/task", "consent_text": "I agree.\nReally.",
                      "consent_required": true, "mask": [".diary"], "camera": "scores", "replay": true});
    let made = s.browser.ask_as_owner("POST", "/v1/library/studies", &json!({"name": "shop", "form": form}));
    assert_eq!(made.status, 201, "{made:?}");
    s.browser.ask_as_owner("POST", "/v1/library/studies", &json!({"name": "shop", "form": form})).is_problem(409);
    for name in ["", "../x", "a b", "x".repeat(33).as_str()] {
        s.browser.ask_as_owner("POST", "/v1/library/studies", &json!({"name": name, "form": form})).is_problem(422);
    }
    let keys = "/v1/library/studies/shop/keys";
    for origins in [json!([]), json!(["shop.example"]), json!(["https://shop.example/path"])] {
        s.browser.ask_as_owner("POST", keys, &json!({"origins": origins})).is_problem(422);
    }
    s.browser
        .ask_as_owner("POST", "/v1/library/studies/none/keys", &json!({"origins": ["https://a.example"]}))
        .is_problem(404);
    let key = s.browser.ask_as_owner("POST", keys, &json!({"origins": ["https://Shop.example:443/"]})).ok();
    assert_eq!(key["origins"], json!(["https://shop.example"]));
    let key = key["key"].as_str().unwrap();

    let headers = [("Authorization", format!("Bearer {key}")), ("Origin", "https://shop.example".to_owned())];
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let invitation = s.browser.send("GET", "/v1/studies/shop/invitation", &headers, &[]).unwrap();
    assert_eq!(invitation.headers["access-control-allow-origin"], "https://shop.example");
    let invitation = invitation.ok();
    assert_eq!(
        (&invitation["title"], &invitation["consent"]["text"]),
        (&json!("Calm & <loud>"), &json!("I agree.\nReally."))
    );
    assert_eq!((&invitation["camera"], &invitation["replay"]), (&json!("scores"), &json!(true)));
    let begin = |camera: &str| {
        let mut new = new_session(camera);
        new["study"] = json!("shop");
        s.browser.send("POST", "/v1/sessions", &headers, new.to_string().as_bytes()).unwrap()
    };
    let refused = begin("video");
    assert!(refused.is_problem(403).contains("camera"));
    begin("scores").ok();

    // Other pages, then none.
    let path = format!("/v1/library/keys/{key}");
    assert_eq!(s.browser.ask_as_owner("PUT", &path, &json!({"origins": ["https://other.example"]})).status, 204);
    assert!(begin("off").is_problem(403).contains("origin"));
    assert_eq!(s.browser.ask_as_owner("DELETE", &path, &Value::Null).status, 204);
    begin("off").is_problem(401);
    s.browser.ask_as_owner("DELETE", "/v1/library/keys/agk_none", &Value::Null).is_problem(404);
    s.running.stop().unwrap();
}

#[test]
fn a_change_keeps_the_file_and_is_refused_if_the_file_has_changed() {
    let shipped = tempfile::tempdir().unwrap();
    std::fs::create_dir(shipped.path().join("other")).unwrap();
    std::fs::write(shipped.path().join("other/study.toml"), STUDY.replace("\"demo\"", "\"other\"")).unwrap();
    let s = served_with(|c| c.studies = shipped.path().to_owned());
    let text = format!("# Written by hand.\n{STUDY}");
    let path = s.dir.path().join("studies/demo/study.toml");
    std::fs::write(&path, &text).unwrap();
    let study = s.browser.get("/v1/library/studies/demo").ok();
    assert_eq!((&study["is_own"], &study["toml"]), (&json!(true), &json!(text)));
    let mut form = study["form"].clone();
    form["consent_text"] = json!("I agree to more.");
    form["redirect"] = json!("https://prolific.example/?cc=1");
    let changed =
        s.browser.ask_as_owner("PUT", "/v1/library/studies/demo", &json!({"before": text, "form": form})).ok();
    let now = std::fs::read_to_string(&path).unwrap();
    assert_eq!(changed["toml"], json!(now));
    assert!(
        now.starts_with("# Written by hand.") && now.contains("I agree to more.") && now.contains("[remote]"),
        "{now}"
    );
    assert_eq!(s.browser.invitation(KEY, ORIGIN).ok()["consent"]["text"], "I agree to more.");
    // The same change again is no conflict. Another one is.
    form["consent_text"] = json!("I agree to less.");
    let late = s.browser.ask_as_owner("PUT", "/v1/library/studies/demo", &json!({"before": text, "form": form}));
    assert!(late.is_problem(409).contains("changed elsewhere"));
    // Nothing that is wrong is stored.
    for (field, wrong) in [
        ("redirect", json!("javascript:alert(1)")),
        ("redirect", json!("http://a.example")),
        ("address", json!(" ")),
        ("max_participants", json!(0)),
        ("conditions", json!(["a", "a"])),
    ] {
        let mut bad = form.clone();
        bad[field] = wrong;
        s.browser.ask_as_owner("PUT", "/v1/library/studies/demo", &json!({"before": now, "form": bad})).is_problem(422);
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), now);
    // A study of the program stays as it is.
    let study = s.browser.get("/v1/library/studies/other").ok();
    assert_eq!(study["is_own"], false);
    let body = json!({"before": study["toml"], "form": study["form"]});
    s.browser.ask_as_owner("PUT", "/v1/library/studies/other", &body).is_problem(403);
    s.running.stop().unwrap();
}

#[test]
fn the_library_is_hosted_for_all_pages_and_old_versions_stay() {
    let s = served();
    let hosted = s.browser.get("/v1/library/studies").ok()["library"].clone();
    let path = hosted["path"].as_str().unwrap();
    let get = |path: &str| s.browser.send("GET", path, &[("Origin", "https://any.example")], &[]).unwrap();
    let script = get(path);
    assert_eq!((script.status, script.headers["access-control-allow-origin"].as_str()), (200, "*"));
    assert_eq!(script.headers["cross-origin-resource-policy"], "cross-origin");
    assert!(script.headers["cache-control"].contains("immutable"));
    let newest = get("/v1/client/affectograph.min.js");
    assert_eq!((newest.status, newest.headers["cache-control"].as_str()), (200, "no-cache"));
    let folder = path.rsplit_once('/').unwrap().0;
    for file in ["consent.js", "transport.js", "scores.worker.js", "ort-wasm-simd-threaded.wasm"] {
        assert_eq!(get(&format!("{folder}/{file}")).status, 200, "{file}");
    }
    // The checksum is that of the bytes.
    let bytes = web_bytes(&s.browser, path);
    let sum = <sha2::Sha384 as sha2::Digest>::digest(&bytes);
    let sum = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sum);
    assert_eq!(hosted["integrity"], json!(format!("sha384-{sum}")));
    // A version that the server had before an update.
    let old = s.dir.path().join("client-library/0.0.9-00000000");
    std::fs::create_dir(&old).unwrap();
    std::fs::write(old.join("affectograph.min.js"), "old").unwrap();
    std::fs::write(old.join("dropped.js"), "dropped").unwrap();
    std::fs::write(old.join("secret.sqlite"), "no file of the library").unwrap();
    assert_eq!(web_bytes(&s.browser, "/v1/client/0.0.9-00000000/affectograph.min.js"), b"old");
    let dropped = get("/v1/client/0.0.9-00000000/dropped.js");
    assert_eq!((dropped.status, &dropped.headers["content-type"]), (200, &script.headers["content-type"]));
    for bad in [
        "0.0.8-0/affectograph.min.js",
        "..%2F/server.sqlite",
        "..%2f..%2f/affectograph.min.js",
        "x/server.sqlite",
        "0.0.9-00000000/secret.sqlite",
        "0.0.9-00000000/..%2f..%2fserver.js",
    ] {
        get(&format!("/v1/client/{bad}")).is_problem(404);
    }
    s.running.stop().unwrap();
}

fn web_bytes(browser: &Browser, path: &str) -> Vec<u8> {
    let mut response = ureq::get(format!("{}{path}", browser.url)).call().unwrap();
    response.body_mut().read_to_vec().unwrap()
}
