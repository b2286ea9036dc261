//! The answer with one of the program's own pages: the cross, a questionnaire, or a screen.

use std::borrow::Cow;

use http::{Response, header};

/// Such a page loads nothing from anywhere and sends no form.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'";
const POLICY_WITH_SCRIPTS: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; form-action 'none'";

pub(super) fn response(status: u16, html: String, has_scripts: bool) -> Response<Cow<'static, [u8]>> {
    let body: Cow<'static, [u8]> = Cow::Owned(html.into_bytes());
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        // Isolated from other origins, so that the browser gives the page a finer clock.
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Cross-Origin-Embedder-Policy", "require-corp")
        .header("Content-Security-Policy", if has_scripts { POLICY_WITH_SCRIPTS } else { POLICY })
        .body(body);
    // Does not fail with these headers. An empty response would be reported as a failed load.
    response.unwrap_or_else(|_| Response::new(Cow::Borrowed(&[])))
}
