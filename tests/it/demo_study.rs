//! The study that is shipped: it parses, its page is complete, and needs nothing from elsewhere.

use std::path::Path;

use affectograph::session::Study;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/studies/demo"))
}

#[test]
fn the_shipped_study_parses_and_its_page_is_there() {
    let study = Study::parse(&std::fs::read_to_string(folder().join("study.toml")).unwrap()).unwrap();
    assert_eq!(study.name, "demo");
    assert!(study.consent.required && study.consent.text.contains("stop at any time"));
    assert!(folder().join(&study.page.as_ref().unwrap().address).join("index.html").is_file());
}

#[test]
fn the_page_is_complete_and_loads_nothing_from_elsewhere() {
    let page = folder().join("page");
    let read = |name: &str| std::fs::read_to_string(page.join(name)).unwrap();
    let (html, script, style) = (read("index.html"), read("task.js"), read("style.css"));
    for attribute in html.split(['"']).filter(|a| a.contains('.') && !a.contains([' ', '\n', '<'])) {
        assert!(page.join(attribute).is_file(), "{attribute} is named in the page and not there");
    }
    let names: Vec<&str> = script.split("{ name: '").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    assert_eq!(names.len(), 4);
    for name in names {
        let picture = read(&format!("pictures/{name}.svg"));
        assert!(picture.replace("http://www.w3.org/2000/svg", "").find("http").is_none(), "{name}");
        assert!(!picture.contains("<script"), "{name}");
    }
    for (what, text) in [("page", &html), ("script", &script), ("style", &style)] {
        assert!(!text.contains("://"), "the {what} points elsewhere");
    }
    // A strict content security policy would refuse these.
    for inline in [" onclick", " onload", " oninput", " style=", "<style", "javascript:"] {
        assert!(!html.contains(inline), "{inline}");
    }
    for id in ["start", "pleasantness", "comment", "next", "memory-yes", "choose-none"] {
        assert!(html.contains(&format!("id=\"{id}\"")), "#{id} is part of what tests and analyses rely on");
    }
}
