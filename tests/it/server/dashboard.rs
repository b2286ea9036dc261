//! The dashboard's files, and the headers that keep what was recorded from acting in it.

use super::served;

#[test]
fn the_dashboard_is_served_under_a_strict_policy() {
    let s = served();
    let html = std::fs::read_to_string("assets/dashboard/index.html").unwrap();
    let mut files = vec!["/dashboard/".to_owned()];
    files.extend(html.split('"').filter(|part| part.starts_with("/dashboard/")).map(str::to_owned));
    for name in std::fs::read_dir("assets/dashboard").unwrap() {
        let name = name.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".js") {
            // Every import of a module is served.
            let text = std::fs::read_to_string(format!("assets/dashboard/{name}")).unwrap();
            let imports = text.split("from \"./").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
            files.extend(imports.map(|i| format!("/dashboard/{i}")));
            assert!(!text.contains("innerHTML") && !text.contains(".style."), "{name} writes markup or styles");
        }
    }
    for path in files {
        let answer = s.browser.send("GET", &path, &[], &[]).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
    }
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
