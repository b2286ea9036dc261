//! The dashboard's files, and the headers that prevent recorded content from running in it.

use super::served;

#[test]
fn the_dashboard_is_served_under_a_strict_policy() {
    let s = served();
    let html = std::fs::read_to_string("client/dashboard/index.html").unwrap();
    let mut files = vec!["/dashboard/".to_owned()];
    files.extend(html.split('"').filter(|part| part.starts_with("/dashboard/")).map(str::to_owned));
    assert!(files.len() > 3, "{files:?}");
    for name in std::fs::read_dir("client/dashboard").unwrap() {
        let name = name.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".js") {
            let text = std::fs::read_to_string(format!("client/dashboard/{name}")).unwrap();
            assert!(!text.contains("innerHTML") && !text.contains(".style."), "{name} writes markup or styles");
        }
    }
    // The licences of the packages inside the scripts are served, too.
    files.push("/dashboard/THIRD_PARTY_LICENSES.txt".to_owned());
    for path in files {
        let answer = s.browser.send("GET", &path, &[], &[]).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
    }
    // A recorded page is drawn in a document of its own. It has styles, and it may request nothing.
    let replay = s.browser.send("GET", "/dashboard/replay.html", &[], &[]).unwrap();
    let policy = &replay.headers["content-security-policy"];
    assert!(policy.contains("default-src 'none'; script-src 'self';") && !policy.contains("connect-src"), "{policy}");
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
    assert!(!html.contains("<style") && !html.contains("onclick") && !html.contains(" style="));
    s.browser.send("GET", "/dashboard/../server.sqlite", &[], &[]).unwrap().is_problem(404);
    s.browser.send("GET", "/nowhere", &[], &[]).unwrap().is_problem(404);
    s.browser.send("POST", "/v1/clock", &[], &[]).unwrap().is_problem(405);
    let model =
        s.browser.send("GET", "/v1/models/affect/model.toml", &[("Origin", "https://any.example")], &[]).unwrap();
    assert_eq!((model.status, model.headers["access-control-allow-origin"].as_str()), (200, "*"));
    s.browser.send("GET", "/v1/models/affect/..%2F..%2Fserver.sqlite", &[], &[]).unwrap().is_problem(404);
    s.running.stop().unwrap();
}
