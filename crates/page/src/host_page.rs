//! The program's own pages in the participant's window besides the fixation cross: questionnaires, a calm screen and the
//! closing screen.

use std::borrow::Cow;

use http::{Request, Response};

use super::host_screen::escaped;
use super::own_page;

/// An origin of its own that no web page can use.
pub(super) const SCHEME: &str = "host";
/// A calm screen without anything on it.
pub(super) const CALM: &str = "host://localhost/calm";

/// A calm screen with the study's last sentence.
pub(super) const CLOSING: &str = "host://localhost/closing";

/// Whether the address in [`PageEvent::Loaded`](super::PageEvent::Loaded) is one of these pages and not the study's.
pub fn is_host_page(url: &str) -> bool {
    url.starts_with("host:")
}

/// The number of a questionnaire among those of the page, if the address is one.
pub fn questionnaire_number(url: &str) -> Option<usize> {
    url.strip_prefix("host://localhost/questionnaire/")?.parse().ok()
}

pub(super) fn questionnaire_url(number: usize) -> String {
    format!("host://localhost/questionnaire/{number}")
}

/// The colours of the fixation cross, so that the light on the face stays the same.
const CALM_PAGE: &str = "<!doctype html><html><meta charset=\"utf-8\"><title>–</title>\
    <style>html, body { height: 100%; margin: 0; background: #c9c9c6; cursor: none;\
    -webkit-user-select: none; user-select: none }</style></html>";

/// As the closing screen in front of the page.
const CLOSING_PAGE: &str = "<!doctype html><html><meta charset=\"utf-8\"><title>–</title>\
    <style>html, body { height: 100%; margin: 0; background: #c9c9c6; color: #33383d; cursor: default;\
    -webkit-user-select: none; user-select: none; font: 26px/1.5 system-ui, sans-serif }\
    body { display: flex; align-items: center; justify-content: center; text-align: center; padding: 0 10%;\
    box-sizing: border-box }</style><div dir=\"auto\">SENTENCE</div></html>";

pub(super) fn respond(
    request: &Request<Vec<u8>>,
    questionnaires: &[String],
    closing: &str,
) -> Response<Cow<'static, [u8]>> {
    let number = questionnaire_number(&request.uri().to_string());
    let (status, body) = match number {
        Some(number) => match questionnaires.get(number) {
            Some(page) => (200, page.clone()),
            None => (404, "this questionnaire does not exist".to_owned()),
        },
        None if request.uri().path() == "/calm" => (200, CALM_PAGE.to_owned()),
        None if request.uri().path() == "/closing" => (200, CLOSING_PAGE.replace("SENTENCE", &escaped(closing))),
        None => (404, "this page does not exist".to_owned()),
    };
    own_page::response(status, body, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_pages_are_served() {
        let pages = ["<p>one".to_owned()];
        let get = |url: &str| respond(&Request::get(url).body(Vec::new()).unwrap(), &pages, "Thanks <b>&</b>");
        let status = |url: &str| get(url).status().as_u16();
        assert_eq!([status(CALM), status(&questionnaire_url(0))], [200; 2]);
        let closing = String::from_utf8(get(CLOSING).into_body().into_owned()).unwrap();
        assert!(closing.contains("<div dir=\"auto\">Thanks &lt;b&gt;&amp;&lt;/b&gt;</div>"), "{closing}");
        assert_eq!(
            [status(&questionnaire_url(1)), status("host://localhost/"), status("host://localhost/questionnaire/x")],
            [404; 3]
        );
        assert!(is_host_page(CALM) && !is_host_page("https://host:80/"));
        assert_eq!(questionnaire_number("study://localhost/questionnaire/0"), None);
    }
}
