//! The fields of a study that the owner edits in the dashboard, and the study that they make. What the dashboard does not
//! show stays as it is, because people also edit this file with a text editor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use session::{PageSettings, RemoteCamera, Study, StudyCondition, edited_text};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyForm {
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// The address of the study's page.
    pub address: String,
    #[serde(default)]
    pub consent_text: String,
    #[serde(default)]
    pub consent_required: bool,
    /// CSS selectors of elements for which only the occurrence of events is recorded.
    #[serde(default)]
    pub mask: Vec<String>,
    /// CSS selectors of fields whose typed text is recorded.
    #[serde(default)]
    pub content: Vec<String>,
    /// `off`, `scores` or `video`: the most that a page may use of the camera. `null`: the page decides.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub camera: Option<RemoteCamera>,
    /// `null`: the page decides.
    #[serde(default)]
    pub replay: Option<bool>,
    /// `null`: no limit.
    #[serde(default)]
    pub max_participants: Option<u64>,
    #[serde(default)]
    pub completion_code: String,
    #[serde(default)]
    pub redirect: String,
    /// Names of the conditions.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// How often each condition occurs in a block of the random assignment. 0: twice.
    #[serde(default)]
    pub block_repeats: u32,
}

impl StudyForm {
    pub fn of(study: &Study) -> StudyForm {
        let page = study.page.clone().unwrap_or_default();
        StudyForm {
            title: study.title.clone(),
            description: study.description.clone(),
            address: page.address,
            consent_text: study.consent.text.clone(),
            consent_required: study.consent.required,
            mask: page.mask,
            content: page.content,
            camera: study.remote.camera,
            replay: study.remote.replay,
            max_participants: study.remote.max_participants,
            completion_code: study.remote.completion_code.clone(),
            redirect: study.remote.redirect.clone(),
            conditions: study.conditions.iter().map(|c| c.name.clone()).collect(),
            block_repeats: study.assignment.block_repeats.unwrap_or(0),
        }
    }

    /// The text of a new study.
    pub fn new_text(&self, name: &str) -> Result<String, String> {
        edited(EMPTY, |empty| Study { name: name.to_owned(), ..self.applied_to(empty) })
    }

    /// The text of a study after the edit. The new study need not be valid.
    pub fn edited(&self, text: &str) -> Result<String, String> {
        edited(text, |old| self.applied_to(old))
    }

    fn applied_to(&self, old: &Study) -> Study {
        let mut study = old.clone();
        study.title.clone_from(&self.title);
        study.description.clone_from(&self.description);
        study.page = self.page(old.page.as_ref());
        study.consent.text.clone_from(&self.consent_text);
        study.consent.required = self.consent_required;
        study.remote.camera = self.camera;
        study.remote.replay = self.replay;
        study.remote.max_participants = self.max_participants;
        study.remote.completion_code = self.completion_code.trim().to_owned();
        study.remote.redirect = self.redirect.trim().to_owned();
        study.conditions = entries(&self.conditions).map(|name| condition(name, &old.conditions)).collect();
        study.assignment.block_repeats = Some(self.block_repeats).filter(|repeats| *repeats > 0);
        study
    }

    /// A study without a page stays one if no address is given.
    fn page(&self, old: Option<&PageSettings>) -> Option<PageSettings> {
        let address = self.address.trim().to_owned();
        if old.is_none() && address.is_empty() {
            return None;
        }
        let (mask, content) = (entries(&self.mask), entries(&self.content));
        let (mask, content) = (mask.map(str::to_owned).collect(), content.map(str::to_owned).collect());
        Some(PageSettings { address, mask, content, ..old.cloned().unwrap_or_default() })
    }
}

const EMPTY: &str = "name = \"\"\ntitle = \"\"\n";

fn edited(text: &str, change: impl FnOnce(&Study) -> Study) -> Result<String, String> {
    let old = Study::unchecked(text).map_err(|e| format!("The study's file is wrong: {e}."))?;
    edited_text(text, &old, &change(&old)).map_err(|e| format!("The study could not be changed: {e}."))
}

fn entries(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// A condition that stays keeps its description.
fn condition(name: &str, old: &[StudyCondition]) -> StudyCondition {
    let new = || StudyCondition { name: name.to_owned(), description: String::new() };
    old.iter().find(|condition| condition.name == name).cloned().unwrap_or_else(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = r##"# Our study
name = "demo"
title = "Demo" # shown in lists

[page]
address = "https://a.example"
mask = ["#secret"] # the diary

[[markers]]
key = "1"
label = "smile"
"##;

    #[test]
    fn an_edit_keeps_comments_and_what_it_does_not_know() {
        let study = Study::parse(TEXT).unwrap();
        let form = StudyForm::of(&study);
        let unchanged = form.edited(TEXT).unwrap();
        assert_eq!(StudyForm::of(&Study::parse(&unchanged).unwrap()), form);
        assert!(
            unchanged.starts_with("# Our study\nname = \"demo\"\ntitle = \"Demo\" # shown in lists\n"),
            "{unchanged}"
        );
        let new = StudyForm {
            title: "A \"new\" title".into(),
            consent_text: "I agree.\nTo all.".into(),
            consent_required: true,
            content: vec!["textarea".into(), " ".into()],
            camera: Some(RemoteCamera::Scores),
            replay: Some(true),
            max_participants: Some(40),
            completion_code: "AB12".into(),
            redirect: "https://b.example/?cc=AB12".into(),
            conditions: vec!["calm".into(), "loud".into()],
            block_repeats: 2,
            ..form
        };
        let edited = new.edited(&unchanged).unwrap();
        let study = Study::parse(&edited).unwrap_or_else(|e| panic!("{e}\n{edited}"));
        assert_eq!(StudyForm::of(&study), StudyForm { content: vec!["textarea".into()], ..new.clone() });
        assert_eq!(study.markers.len(), 1);
        for kept in ["# Our study", "# shown in lists", "# the diary"] {
            assert!(edited.contains(kept), "{edited}");
        }
        // Back to nothing.
        let bare = StudyForm { conditions: vec![], redirect: String::new(), ..new }.edited(&edited).unwrap();
        assert!(!bare.contains("redirect") && !bare.contains("[[conditions]]"), "{bare}");
        Study::parse(&bare).unwrap();
    }

    #[test]
    fn conditions_keep_their_descriptions_and_take_the_owners_order() {
        let inline = "conditions = [{ name = \"calm\", description = \"slow music\" }, { name = \"loud\" }]\n";
        let tables = "\n[[conditions]]\nname = \"calm\"\ndescription = \"slow music\" # Bach\n\n[[conditions]]\nname = \"loud\"\n";
        for text in [TEXT.replace("\n[page]", &format!("{inline}\n[page]")), format!("{TEXT}{tables}")] {
            let form = StudyForm::of(&Study::parse(&text).unwrap());
            let titled = StudyForm { title: "New".into(), ..form.clone() }.edited(&text).unwrap();
            assert_eq!(titled, text.replace("\"Demo\"", "\"New\""), "only the title changes");
            let order = ["new", "loud", "calm"].map(str::to_owned).to_vec();
            let edited = StudyForm { conditions: order.clone(), ..form }.edited(&text).unwrap();
            let study = Study::parse(&edited).unwrap();
            assert_eq!(study.conditions.iter().map(|c| c.name.clone()).collect::<Vec<_>>(), order, "{edited}");
            assert_eq!(study.conditions[2].description, "slow music", "{edited}");
        }
    }

    #[test]
    fn a_new_study_begins_with_its_name_and_one_without_a_page_stays_so() {
        let form = StudyForm { title: "Talk".into(), ..StudyForm::of(&Study::unchecked(EMPTY).unwrap()) };
        let text = form.new_text("talk").unwrap();
        assert_eq!(text, "name = \"talk\"\ntitle = \"Talk\"\n");
        let edited = StudyForm { title: "A talk".into(), ..form }.edited(&text).unwrap();
        assert_eq!(Study::parse(&edited).unwrap().page, None);
        let paged = StudyForm { address: "https://a.example".into(), ..StudyForm::of(&Study::parse(&edited).unwrap()) };
        assert!(Study::parse(&paged.edited(&edited).unwrap()).unwrap().page.is_some());
    }

    proptest! {
        /// What an owner types cannot become another key of the file.
        #[test]
        fn typed_text_stays_text(title in "\\PC{1,40}", consent_text in "(\\PC|\n|\"|'|\\\\){0,60}", mask in "\\PC{1,20}") {
            prop_assume!(!mask.trim().is_empty());
            let form = StudyForm { title, consent_text, mask: vec![mask], ..StudyForm::of(&Study::parse(TEXT).unwrap()) };
            let study = Study::parse(&form.edited(TEXT).unwrap()).unwrap();
            let trimmed = StudyForm { mask: vec![form.mask[0].trim().to_owned()], ..form };
            prop_assert_eq!(StudyForm::of(&study), trimmed);
        }
    }
}
