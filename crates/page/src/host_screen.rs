//! The screens that the program itself shows to the participant: waiting, consent, the question of a withdrawal, closing.
//!
//! Grey like the fixation cross, without motion, because light and motion would change the face. They have an origin of
//! their own that no web page can use, and their own web view.

use std::borrow::Cow;

use http::Response;
use serde::{Deserialize, Serialize};

use super::own_page;

pub(super) const SCHEME: &str = "screen";
pub(super) const URL: &str = "screen://localhost/";

/// The grey of every screen of the program, `#c9c9c6`.
pub const GREY: (u8, u8, u8) = (0xc9, 0xc9, 0xc6);

/// The longest name or initials that are taken, in characters.
const TYPED_LIMIT: usize = 100;

/// A screen of the program. All texts are the study's own, and may be written from right to left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostScreen {
    /// Nothing but grey.
    Grey,
    /// A sentence in the middle. `hint` is small and below, for the operator.
    Sentence { sentence: String, hint: Option<String> },
    /// The consent text with a button. With `initials`, the label of a field, the participant also types initials.
    Consent { text: String, button: String, initials: Option<String> },
    /// Asks whether the participant wants to stop.
    Withdraw { question: String, stop: String, go_on: String },
}

/// What the participant answers on a screen of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostAnswer {
    /// The participant pressed the button of the consent. `typed`: initials, if the screen asked for them.
    Agreed {
        typed: Option<String>,
    },
    Withdrawn,
    /// The participant does not want to stop.
    GoesOn,
}

impl HostAnswer {
    /// Parses a message of a screen's script.
    pub(super) fn parse(message: &str) -> Option<HostAnswer> {
        match message.split_once(':') {
            Some(("agreed", typed)) => {
                let typed: String = typed.trim().chars().filter(|c| !c.is_control()).take(TYPED_LIMIT).collect();
                Some(HostAnswer::Agreed { typed: Some(typed).filter(|t| !t.is_empty()) })
            }
            Some(("stop", _)) => Some(HostAnswer::Withdrawn),
            Some(("go on", _)) => Some(HostAnswer::GoesOn),
            _ => None,
        }
    }
}

/// A double click of a waiting participant selects nothing. WebKit reads only its own name of the property.
const STYLE: &str = "html, body { height: 100%; margin: 0; background: #c9c9c6; color: #33383d; cursor: default;
    font: 26px/1.5 system-ui, sans-serif; -webkit-user-select: none; user-select: none }
  .middle { min-height: 100%; display: flex; flex-direction: column; align-items: center; justify-content: center;
    text-align: center; padding: 0 10%; box-sizing: border-box }
  .hint { position: fixed; left: 0; right: 0; bottom: 18px; text-align: center; font-size: 14px; color: #6d7378 }
  main { max-width: 900px; margin: 0 auto; padding: 48px 40px; box-sizing: border-box }
  main p { white-space: pre-wrap; margin: 0 0 32px }
  label { display: block; margin: 0 0 24px }
  input { display: block; font: inherit; width: 100%; box-sizing: border-box; margin-top: 6px; padding: 10px 14px;
    border: 2px solid #6d7378; border-radius: 6px; background: #e6e6e3; color: inherit; -webkit-user-select: text;
    user-select: text }
  button { font: inherit; padding: 14px 34px; margin: 0 10px; border: 2px solid #33383d; border-radius: 8px;
    background: #e6e6e3; color: inherit; cursor: pointer }
  main button { margin-inline-start: 0 }
  button:disabled { opacity: 0.45; cursor: default }
  button:focus-visible, input:focus-visible { outline: 3px solid #33383d; outline-offset: 2px }";

/// The script of the consent: the button needs the initials, if they are asked for.
const CONSENT_SCRIPT: &str = "const field = document.querySelector('input'), button = document.querySelector('button');
  const check = () => { button.disabled = !!field && !field.value.trim(); };
  field?.addEventListener('input', check);
  button.addEventListener('click', () => {
    button.disabled = true;
    window.ipc.postMessage('agreed:' + (field?.value ?? ''));
  });
  check();";

const WITHDRAW_SCRIPT: &str = "for (const button of document.querySelectorAll('button')) {
    button.addEventListener('click', () => window.ipc.postMessage(button.dataset.answer + ':'));
  }";

impl HostScreen {
    pub(super) fn respond(&self) -> Response<Cow<'static, [u8]>> {
        own_page::response(200, self.page(), true)
    }

    fn page(&self) -> String {
        let body = match self {
            HostScreen::Grey => String::new(),
            HostScreen::Sentence { sentence, hint } => {
                let hint = hint.as_ref().map(|hint| format!("<div class=hint>{}</div>", escaped(hint)));
                format!("<div class=middle><div dir=auto>{}</div></div>{}", escaped(sentence), hint.unwrap_or_default())
            }
            HostScreen::Consent { text, button, initials } => {
                let field = initials.as_ref().map(|label| {
                    format!(
                        "<label dir=auto>{}<input type=text dir=auto autocomplete=off maxlength={TYPED_LIMIT}></label>",
                        escaped(label)
                    )
                });
                format!(
                    "<main><p dir=auto>{}</p>{}<div dir=auto><button type=button>{}</button></div></main><script>{CONSENT_SCRIPT}</script>",
                    escaped(text.trim()),
                    field.unwrap_or_default(),
                    escaped(button),
                )
            }
            HostScreen::Withdraw { question, stop, go_on } => format!(
                "<div class=middle><p dir=auto>{}</p><div><button type=button dir=auto data-answer='go on'>{}</button>\
                 <button type=button dir=auto data-answer=stop>{}</button></div></div><script>{WITHDRAW_SCRIPT}</script>",
                escaped(question),
                escaped(go_on),
                escaped(stop),
            ),
        };
        format!(
            "<!doctype html><html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>affectograph</title><style>{STYLE}</style><body>{body}</body></html>"
        )
    }
}

/// `text` without the characters that have a meaning in HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_study_stay_text() {
        let nasty = "<script>alert(1)</script> & \"x\"".to_owned();
        let screens = [
            HostScreen::Sentence { sentence: nasty.clone(), hint: Some(nasty.clone()) },
            HostScreen::Consent { text: nasty.clone(), button: nasty.clone(), initials: Some(nasty.clone()) },
            HostScreen::Withdraw { question: nasty.clone(), stop: nasty.clone(), go_on: nasty },
        ];
        for screen in screens {
            let page = screen.page();
            assert!(!page.contains("<script>alert"), "{page}");
            assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"), "{page}");
        }
    }

    #[test]
    fn answers_are_taken_and_nothing_else() {
        let agreed = |typed: Option<&str>| Some(HostAnswer::Agreed { typed: typed.map(str::to_owned) });
        assert_eq!(HostAnswer::parse("agreed:"), agreed(None));
        assert_eq!(HostAnswer::parse("agreed: A.\u{7}B. "), agreed(Some("A.B.")));
        let long = HostAnswer::parse(&format!("agreed:{}", "x".repeat(5000)));
        assert_eq!(long, agreed(Some(&"x".repeat(TYPED_LIMIT))));
        assert_eq!(HostAnswer::parse("stop:"), Some(HostAnswer::Withdrawn));
        assert_eq!(HostAnswer::parse("go on:"), Some(HostAnswer::GoesOn));
        for other in ["", "agreed", "stop", "x:y"] {
            assert_eq!(HostAnswer::parse(other), None, "{other}");
        }
    }
}
