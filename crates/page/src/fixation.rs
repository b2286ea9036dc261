//! The fixation cross with one sentence, shown before the study's page begins.

use std::borrow::Cow;

use http::Response;

use super::host_screen::escaped;
use super::own_page;

/// An origin of its own that no web page can use. Shown until [`PageStage::begin`](super::PageStage::begin).
pub(super) const SCHEME: &str = "fixation";
pub(super) const URL: &str = "fixation://localhost/";

/// Whether the address in [`PageEvent::Loaded`](super::PageEvent::Loaded) is the cross and not the study's page.
pub fn is_fixation(url: &str) -> bool {
    url.starts_with("fixation:")
}

/// Grey on grey without motion, because light and motion would change the face.
const PAGE: &str = r#"<!doctype html>
<html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>+</title>
<style>
  html, body { height: 100%; margin: 0; background: #c9c9c6; cursor: none; -webkit-user-select: none;
    user-select: none }
  i { position: fixed; left: 50%; top: 50%; background: #33383d; border-radius: 1px }
  i:first-of-type { width: 48px; height: 6px; margin: -3px 0 0 -24px }
  i:last-of-type { width: 6px; height: 48px; margin: -24px 0 0 -3px }
  p { position: fixed; left: 10%; right: 10%; top: calc(50% + 72px); margin: 0; text-align: center;
      font: 22px/1.5 system-ui, sans-serif; color: #4c5258 }
</style>
<i></i><i></i>
<p dir="auto">SENTENCE</p>
</html>
"#;

pub(super) fn respond(sentence: &str) -> Response<Cow<'static, [u8]>> {
    own_page::response(200, page(sentence), false)
}

fn page(sentence: &str) -> String {
    PAGE.replace("SENTENCE", &escaped(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_stays_a_sentence() {
        let page = page("Look & <script>rest</script>");
        assert!(page.contains("<p dir=\"auto\">Look &amp; &lt;script&gt;rest&lt;/script&gt;</p>"), "{page}");
        assert!(is_fixation(URL) && !is_fixation("study://localhost/fixation:"));
    }
}
