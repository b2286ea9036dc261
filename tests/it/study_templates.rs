//! The templates that are shipped: each becomes a study that can be recorded at once.

use std::path::{Path, PathBuf};

use affectograph::page::PageAddress;
use affectograph::session::{QuestionnaireKind, Study};
use affectograph::store::{Library, MediaKind, NewStudy, StudyFile, StudyTemplate};

use super::page::Page;
use super::screen::Display;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/studies")
}

fn templates(library: &Library) -> Vec<StudyTemplate> {
    library.templates().unwrap().into_iter().map(Result::unwrap).collect()
}

fn study_of(library: &Library, template: &StudyTemplate, name: &str) -> StudyFile {
    let new = NewStudy { template: template.folder.clone(), name: name.into(), title: "Own".into(), media: None };
    library.create_from_template(&new).unwrap()
}

#[test]
fn each_template_becomes_a_study_that_works_at_once() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap().with_studies(&shipped());
    let templates = templates(&library);
    let titles: Vec<&str> = templates.iter().map(|t| t.title.as_str()).collect();
    let wanted =
        ["Picture rating", "Video watching", "Stroop task", "Free interview", "Resting baseline", "Typing task"];
    assert_eq!(titles, wanted);
    for (k, template) in templates.iter().enumerate() {
        let made = study_of(&library, template, &format!("own{k}"));
        let folder = made.path.parent().unwrap();
        if let Some(page) = &made.study.page {
            assert!(PageAddress::parse(&page.address, folder).is_ok(), "{}", template.title);
            names_exist(&folder.join(&page.address));
        }
        assert!(made.study.consent.required && made.text.contains("without giving a reason"), "{}", template.title);
        assert!(made.study.questionnaires.iter().all(|q| q.kind != QuestionnaireKind::Items));
    }
    assert_eq!(templates[0].media, Some(MediaKind::Pictures));
    assert!(tmp.path().join("studies/own0/page/pictures/lighthouse.svg").is_file(), "the examples are there");
    let of = |k: usize| -> Study { library.studies().unwrap().remove(k).study.unwrap().study };
    assert!(!of(3).needs_window() && of(3).timed_phases().count() == 3, "an interview needs no screen");
    assert!(of(4).page.is_none() && of(4).needs_window(), "the cross needs one");
}

/// The scripts themselves are tried without a display by `client/test/unit/templates.test.ts`.
#[test]
fn each_templates_page_starts_its_task() {
    let Some(display) = Display::open() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap().with_studies(&shipped());
    let mut started = 0;
    for (k, template) in templates(&library).iter().enumerate() {
        let made = study_of(&library, template, &format!("own{k}"));
        let Some(settings) = &made.study.page else { continue };
        let address = PageAddress::parse(&settings.address, made.path.parent().unwrap()).unwrap();
        let mut page = Page::shown(&display, address, &[]);
        // The corner has nothing to click. Then the keyboard finds the first button.
        display.click(5, 5);
        display.xdotool("key Tab space");
        page.wait_mark("task_started");
        page.close();
        let failed: Vec<_> = page.records().filter(|r| r.kind == "error").collect();
        assert!(failed.is_empty(), "{}: {failed:?}", template.title);
        started += 1;
    }
    assert_eq!(started, 4, "pictures, videos, Stroop, writing");
}

/// The files that the page names are beside it, and none is elsewhere.
fn names_exist(page: &Path) {
    let html = std::fs::read_to_string(page.join("index.html")).unwrap();
    for attribute in html.split('"').filter(|a| a.ends_with(".js") || a.ends_with(".css")) {
        assert!(page.join(attribute).is_file(), "{}: {attribute}", page.display());
    }
    let scripts = std::fs::read_dir(page).unwrap().flatten().map(|e| e.path());
    for script in scripts.filter(|p| p.extension().is_some_and(|e| e == "js" || e == "html")) {
        assert!(!std::fs::read_to_string(&script).unwrap().contains("http"), "{}", script.display());
    }
}
