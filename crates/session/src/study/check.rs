//! Checks of a study that TOML's grammar cannot express.

use std::collections::HashSet;

use super::model::Study;
use super::names::{is_name, is_of_key, is_short_name};
use super::page::PagePlacement;
use super::participant::{ConsentBy, SeatChoice};
use super::phases::PhaseKind;
use super::questionnaire_texts::QuestionnaireText;
use super::questionnaires::QuestionnaireKind;
use super::serial_source;
use super::sources::SourceKind;

/// What is wrong, and the place in the file that it belongs to.
pub(super) struct Wrong {
    /// The beginning of a line: a key or the head of a table.
    line: &'static str,
    /// Of several such lines, from 0.
    number: usize,
    pub message: String,
}

impl Wrong {
    fn new(line: &'static str, number: usize, message: impl Into<String>) -> Wrong {
        Wrong { line, number, message: message.into() }
    }

    /// The place in the text, or its beginning if the file does not have the line.
    pub fn offset(&self, text: &str) -> usize {
        let mut offset = 0;
        let mut before = 0;
        for line in text.split_inclusive('\n') {
            let own = line.trim_start();
            let is_it = own.strip_prefix(self.line).is_some_and(|rest| !rest.starts_with(is_of_key));
            if is_it && before == self.number {
                return offset + (line.len() - own.len());
            }
            before += usize::from(is_it);
            offset += line.len();
        }
        0
    }
}

const MAX_CONDITIONS: usize = 50;
const MAX_CONDITION_CHARS: usize = 60;

/// A name becomes a cell of tables, in which `n/a` means unknown.
fn is_condition_name(name: &str) -> bool {
    name.trim() == name
        && (1..=MAX_CONDITION_CHARS).contains(&name.chars().count())
        && !name.contains(char::is_control)
        && !name.eq_ignore_ascii_case("n/a")
}

pub(super) fn check(study: &Study) -> Result<(), Wrong> {
    head(study)?;
    page(study)?;
    participant(study)?;
    camera(study)?;
    markers(study)?;
    phases(study)?;
    labels(study)?;
    questionnaires(study)?;
    questionnaire_texts(study)?;
    conditions(study)?;
    sources(study)?;
    study.remote.check().map_err(|(line, message)| Wrong::new(line, 0, message))
}

/// Whether a study may have this name. The error is a message for the user.
pub fn check_study_name(name: &str) -> Result<(), String> {
    if !is_name(name, 32, |c| c.is_ascii_alphanumeric()) {
        return Err(format!(
            "`name` is `{name}`: use 1 to 32 letters and digits, because it becomes part of folder names"
        ));
    }
    Ok(())
}

fn sources(study: &Study) -> Result<(), Wrong> {
    let all = || study.sources.iter().enumerate();
    for (k, source) in all() {
        let checked = match source.kind {
            SourceKind::Lsl => source.check(),
            SourceKind::Serial => serial_source::check(source),
        };
        checked.map_err(|message| Wrong::new("[[sources]]", k, message))?;
    }
    if let Some((k, source)) =
        all().find(|(k, source)| study.sources[..*k].iter().any(|earlier| earlier.to_string() == source.to_string()))
    {
        return Err(Wrong::new("[[sources]]", k, format!("the source `{source}` is listed twice")));
    }
    let mut streams = HashSet::new();
    for (k, port) in all().filter_map(|(k, source)| Some((k, source.serial_port()?))) {
        if !streams.insert(port.stream.clone()) {
            let message = format!("two serial ports would fill the stream `{}`: give each its own `name`", port.stream);
            return Err(Wrong::new("[[sources]]", k, message));
        }
    }
    Ok(())
}

fn head(study: &Study) -> Result<(), Wrong> {
    check_study_name(&study.name).map_err(|message| Wrong::new("name", 0, message))?;
    if !(study.planned_minutes > 0.0 && study.planned_minutes <= 24.0 * 60.0) {
        return Err(Wrong::new("planned_minutes", 0, "`planned_minutes` must be above 0 and at most 1440"));
    }
    Ok(())
}

fn page(study: &Study) -> Result<(), Wrong> {
    if study.page.as_ref().is_some_and(|page| page.address.trim().is_empty()) {
        let message = "`page.address` is empty: enter a URL, or a folder or file relative to the study file, or remove \
                       `[page]` for a study without a page";
        return Err(Wrong::new("address", 0, message));
    }
    Ok(())
}

fn participant(study: &Study) -> Result<(), Wrong> {
    let is_embedded = study.page.as_ref().is_some_and(|page| page.placement == PagePlacement::Embedded);
    if study.participant.screen == SeatChoice::Participant && is_embedded {
        let message = "a page that is embedded beside the plots shows the participant their own measurement: remove \
                       `placement`, or set `screen = \"pilot\"`";
        return Err(Wrong::new("placement", 0, message));
    }
    if study.consent.by == ConsentBy::Participant && study.consent.text.trim().is_empty() {
        let message = "the participant cannot agree to an empty text: write `consent.text`";
        return Err(Wrong::new("[consent]", 0, message));
    }
    Ok(())
}

fn camera(study: &Study) -> Result<(), Wrong> {
    let c = &study.camera;
    if !c.record && study.page.is_none() && study.sources.is_empty() {
        let message = "a study without a camera needs `[[sources]]` or a page: nothing else would be recorded";
        return Err(Wrong::new("[camera]", 0, message));
    }
    let is_size = |px: &u32| (16..=8192).contains(px);
    if !is_size(&c.width_px) || !is_size(&c.height_px) || !(1.0..=240.0).contains(&c.rate_hz) {
        return Err(Wrong::new("[camera]", 0, "`camera` must have 16 to 8192 px and 1 to 240 Hz"));
    }
    Ok(())
}

fn markers(study: &Study) -> Result<(), Wrong> {
    let mut keys = HashSet::new();
    for (k, marker) in study.markers.iter().enumerate() {
        if !marker.key.is_ascii_alphanumeric() {
            return Err(Wrong::new("[[markers]]", k, format!("marker key `{}` is not a letter or digit", marker.key)));
        }
        if !keys.insert(marker.key.to_ascii_lowercase()) {
            let message = format!("marker key `{}` is used twice: give each marker its own key", marker.key);
            return Err(Wrong::new("[[markers]]", k, message));
        }
    }
    Ok(())
}

fn phases(study: &Study) -> Result<(), Wrong> {
    if let Some(k) = study.phases.iter().position(|p| !(p.seconds > 0.0 && p.seconds.is_finite())) {
        return Err(Wrong::new("[[phases]]", k, format!("phase `{}` must be longer than 0 s", study.phases[k].name)));
    }
    let is_baseline = |kind: PhaseKind| kind == PhaseKind::Baseline;
    let first_task = study.phases.iter().position(|p| !is_baseline(p.kind)).unwrap_or(study.phases.len());
    let late = study.phases.iter().enumerate().skip(first_task).find(|(_, p)| is_baseline(p.kind));
    if let Some((k, p)) = late {
        let message = format!(
            "phase `{}` is a baseline: move it before the tasks, because the page begins after the baseline",
            p.name
        );
        return Err(Wrong::new("[[phases]]", k, message));
    }
    Ok(())
}

fn labels(study: &Study) -> Result<(), Wrong> {
    let mut labels = HashSet::new();
    for label in &study.annotation_labels {
        if label.trim().is_empty() || label.len() > 100 {
            return Err(Wrong::new("annotation_labels", 0, "an annotation label must have 1 to 100 bytes"));
        }
        if !labels.insert(label) {
            let message = format!("annotation label `{label}` is used twice: remove one");
            return Err(Wrong::new("annotation_labels", 0, message));
        }
    }
    Ok(())
}

fn questionnaires(study: &Study) -> Result<(), Wrong> {
    let mut names = HashSet::new();
    for (k, q) in study.questionnaires.iter().enumerate() {
        let wrong = |message: String| Err(Wrong::new("[[questionnaires]]", k, message));
        if !is_short_name(&q.name) {
            return wrong(format!(
                "the questionnaire's name is `{}`: use 1 to 40 letters, digits, `-` and `_`",
                q.name
            ));
        }
        if !names.insert(&q.name) {
            return wrong(format!("two questionnaires are called `{}`: give each its own name", q.name));
        }
        match (q.kind, q.items.trim().is_empty()) {
            (QuestionnaireKind::Items, true) => {
                return wrong(format!("the questionnaire `{}` needs `items`, the table of its items", q.name));
            }
            (QuestionnaireKind::Manikins | QuestionnaireKind::AffectGrid, false) => {
                return wrong(format!("the questionnaire `{}` has items of its own: remove `items`", q.name));
            }
            _ => {}
        }
    }
    Ok(())
}

/// In a study in another language, no questionnaire may show the program's English words.
fn questionnaire_texts(study: &Study) -> Result<(), Wrong> {
    let texts = &study.questionnaire_texts;
    texts.check().map_err(|(text, message)| Wrong::new(text.as_str(), 0, message))?;
    let language = texts.get(QuestionnaireText::Language);
    for (k, q) in study.questionnaires.iter().enumerate() {
        if texts.is_foreign() && q.text.trim().is_empty() {
            let message = format!(
                "the questionnaire `{}` has no `text`, and the program's instruction is in English: write it in the language \
                 `{language}`",
                q.name
            );
            return Err(Wrong::new("[[questionnaires]]", k, message));
        }
        if let Some(text) = texts.untranslated(q.kind) {
            let key = text.as_str();
            let message = format!(
                "`questionnaire_texts.{key}` is missing: the questionnaire `{}` would show “{}” in a study in the language \
                 `{language}`",
                q.name,
                text.english()
            );
            return Err(Wrong::new("[questionnaire_texts]", 0, message));
        }
    }
    Ok(())
}

fn conditions(study: &Study) -> Result<(), Wrong> {
    if study.conditions.len() > MAX_CONDITIONS {
        let message = format!("a study can have at most {MAX_CONDITIONS} conditions");
        return Err(Wrong::new("[[conditions]]", MAX_CONDITIONS, message));
    }
    let mut names = HashSet::new();
    for (k, condition) in study.conditions.iter().enumerate() {
        let wrong = |message: String| Err(Wrong::new("[[conditions]]", k, message));
        if !is_condition_name(&condition.name) {
            return wrong(format!(
                "the condition's name is `{}`: use 1 to {MAX_CONDITION_CHARS} characters, without spaces at its ends, and \
                 not `n/a`",
                condition.name.escape_debug()
            ));
        }
        if !names.insert(&condition.name) {
            return wrong(format!("two conditions are called `{}`: give each its own name", condition.name));
        }
    }
    if study.assignment.block_repeats.is_some_and(|n| !(1..=100).contains(&n)) {
        return Err(Wrong::new("block_repeats", 0, "`assignment.block_repeats` must be 1 to 100"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Study;

    const SMALL: &str = "# name: a comment\nname = \"demo\"\ntitle = \"Demo\"\n";

    #[test]
    fn an_error_is_at_its_own_line_and_not_at_a_comment_or_at_an_earlier_table() {
        let found = |text: &str| Study::parse(text).unwrap_err();
        assert_eq!(found(&SMALL.replace("\"demo\"", "\"a b\"")).line, 2);
        let marker = |key: &str| format!("[[markers]]\nkey = \"{key}\"\nlabel = \"x\"\n");
        let e = found(&format!("{SMALL}{}{}", marker("1"), marker("1")));
        assert!(e.line == 7 && e.message.contains("twice"), "{e}");
    }

    /// Studies of earlier servers.
    #[test]
    fn earlier_conditions_and_blocks_are_read() {
        let name = "hohe Last, wenig Schlaf – für geübte Menschen";
        let text = format!("{SMALL}[[conditions]]\nname = \"{name}\"\n[assignment]\nblock_size = 4\nseed = 3\n");
        let study = Study::parse(&text).unwrap();
        assert_eq!((study.conditions[0].name.as_str(), study.assignment.seed), (name, 3));
    }

    #[test]
    fn questionnaires_and_conditions_are_checked() {
        for (added, line, word) in [
            ("[[questionnaires]]\nname = \"a\"\nkind = \"items\"\n", 4, "needs `items`"),
            ("[[questionnaires]]\nname = \"a\"\nkind = \"manikins\"\nitems = \"i.csv\"\n", 4, "remove `items`"),
            ("[[questionnaires]]\nname = \"a b\"\nkind = \"manikins\"\n", 4, "letters, digits"),
            ("[[questionnaires]]\nname = \"a\"\nkind = \"panas\"\n", 6, "panas"),
            ("[[conditions]]\nname = \"a\"\n[[conditions]]\nname = \"a\"\n", 6, "two conditions"),
            ("[[conditions]]\nname = \"\"\n", 4, "1 to 60 characters"),
            ("[[conditions]]\nname = \"a\\tb\"\n", 4, "1 to 60 characters"),
            ("[[conditions]]\nname = \"n/a\"\n", 4, "not `n/a`"),
            ("[assignment]\nblocksize = 4\n", 5, "blocksize"),
            ("[assignment]\nblock_repeats = 0\n", 5, "1 to 100"),
        ] {
            let e = Study::parse(&format!("{SMALL}{added}")).unwrap_err();
            assert!(e.line == line && e.message.contains(word), "{added}: {e}");
        }
    }
}
