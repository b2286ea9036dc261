//! The state of the study editor and of the dialog for a new study.

use std::collections::BTreeMap;
use std::path::PathBuf;

use session::{CameraSettings, KeptPage, PageSettings, Study, StudyError, edited_text};

use super::port::{NewStudy, StudyDocument, TemplateRow};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditorTab {
    Form,
    Text,
}

/// What happens after the study is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSave {
    Stay,
    SetUp,
}

/// One study file in the editor. The form and the text are the same study: each change of one changes the other.
#[derive(Clone, Debug)]
pub struct StudyEditor {
    pub file: PathBuf,
    /// The text of the file.
    pub saved: String,
    pub text: String,
    /// `None` while the text is not a study file. Need not be valid.
    pub study: Option<Study>,
    /// The page of the file as it was opened or saved, or the page that the form removed last. It comes back if the form wants a
    /// page again. A page that is half deleted in the text is not kept: it would come back without its masks.
    page: Option<KeptPage>,
    /// The values that the camera's controls had last. They come back if a control is not automatic any more.
    camera: CameraSettings,
    /// The last table of items of each questionnaire, by its name. It comes back with the kind.
    items: BTreeMap<String, String>,
    /// What is wrong with the text, with line and column.
    pub problem: Option<String>,
    /// What is wrong outside of the text: a page or a table of items that is missing.
    pub outside: Vec<String>,
    pub tab: EditorTab,
    /// Set while the file is being written.
    pub saving: Option<AfterSave>,
    /// The operator wants to leave without saving and has been asked once.
    pub is_leaving: bool,
}

impl StudyEditor {
    pub fn new(document: StudyDocument) -> StudyEditor {
        let StudyDocument { file, text } = document;
        let mut editor = StudyEditor {
            file,
            saved: text.clone(),
            text: String::new(),
            study: None,
            page: None,
            camera: CameraSettings::default(),
            items: BTreeMap::new(),
            problem: None,
            outside: Vec::new(),
            tab: EditorTab::Form,
            saving: None,
            is_leaving: false,
        };
        editor.set_text(text);
        editor.keep_page_of_file();
        if editor.study.is_none() {
            editor.tab = EditorTab::Text;
        }
        editor
    }

    pub fn set_text(&mut self, text: String) {
        let read = Study::unchecked(&text);
        let problem = read.as_ref().map_or_else(|e| Some(e.clone()), |study| study.check(&text).err());
        self.problem = problem.map(|e| e.to_string());
        if let Ok(study) = &read {
            self.remember(study);
        }
        self.study = read.ok();
        self.text = text;
        self.is_leaving = false;
    }

    /// The file has this text now.
    pub fn set_saved(&mut self, text: String) {
        self.saved = text;
        self.keep_page_of_file();
    }

    fn keep_page_of_file(&mut self) {
        let page = Study::unchecked(&self.saved).ok().and_then(|study| KeptPage::of(&self.saved, &study));
        self.page = page.or(self.page.take());
    }

    /// Remembers what a switch of the form removes, besides the page.
    fn remember(&mut self, study: &Study) {
        let camera = &study.camera;
        self.camera.exposure = camera.exposure.or(self.camera.exposure);
        self.camera.white_balance_k = camera.white_balance_k.or(self.camera.white_balance_k);
        self.camera.focus = camera.focus.or(self.camera.focus);
        let with_items = study.questionnaires.iter().filter(|q| !q.items.is_empty());
        self.items.extend(with_items.map(|q| (q.name.clone(), q.items.clone())));
    }

    /// Writes the differences into the text. Comments stay, also those of a page that comes back.
    pub fn set_study(&mut self, new: &Study) -> Result<(), StudyError> {
        let Some(old) = &self.study else { return Ok(()) };
        let back = self.page.as_ref().filter(|_| old.page.is_none() && new.page.is_some());
        let edited = match back {
            Some(page) => {
                let with_page = Study { page: Some(page.settings().clone()), ..old.clone() };
                edited_text(&page.put_back(&self.text)?, &with_page, new)?
            }
            None => edited_text(&self.text, old, new)?,
        };
        if new.page.is_none() {
            self.page = KeptPage::of(&self.text, old).or(self.page.take());
        }
        self.set_text(edited);
        Ok(())
    }

    /// The table of items that this questionnaire had last.
    pub fn last_items(&self, questionnaire: &str) -> String {
        self.items.get(questionnaire).cloned().unwrap_or_default()
    }

    /// The page that comes back if the study gets a page again.
    pub fn last_page(&self) -> Option<&PageSettings> {
        self.page.as_ref().map(KeptPage::settings)
    }

    /// The camera's controls as they were last set by hand.
    pub fn last_camera(&self) -> &CameraSettings {
        &self.camera
    }

    pub fn is_changed(&self) -> bool {
        self.text != self.saved
    }

    /// All problems, the text's first.
    pub fn problems(&self) -> impl Iterator<Item = &String> {
        self.problem.iter().chain(&self.outside)
    }

    pub fn title(&self) -> &str {
        self.study.as_ref().map_or("Study", |study| study.title.as_str())
    }
}

/// The dialog for a new study.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewStudyDraft {
    /// A template's folder, or the file of a study to copy.
    pub template: Option<PathBuf>,
    pub title: String,
    pub name: String,
    /// The name follows the title until a person writes a name.
    pub is_own_name: bool,
    pub media: String,
    pub problem: Option<String>,
    pub is_creating: bool,
}

impl NewStudyDraft {
    /// The request, if the draft is complete. The error is a message for the operator.
    pub fn request(&self) -> Result<NewStudy, String> {
        let template = self.template.clone().ok_or("Choose a template.")?;
        if self.title.trim().is_empty() {
            return Err("Give the study a title.".to_owned());
        }
        let (name, title) = (self.name.trim().to_owned(), self.title.trim().to_owned());
        session::check_study_name(&name)?;
        let media = Some(self.media.trim()).filter(|m| !m.is_empty()).map(PathBuf::from);
        Ok(NewStudy { template, name, title, media })
    }

    /// The title as a name: letters and digits.
    pub fn follow_title(&mut self) {
        if !self.is_own_name {
            self.name = self.title.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        }
    }

    pub fn chosen<'a>(&self, templates: &'a [TemplateRow]) -> Option<&'a TemplateRow> {
        templates.iter().find(|t| Some(&t.folder) == self.template.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::QuestionnaireKind;

    const TEXT: &str = "# Mine.\nname = \"a\"\ntitle = \"A\"\n";

    fn editor() -> StudyEditor {
        StudyEditor::new(StudyDocument { file: "a/study.toml".into(), text: TEXT.into() })
    }

    #[test]
    fn form_and_text_are_the_same_study() {
        let mut editor = editor();
        assert!(!editor.is_changed() && editor.problem.is_none());
        let study = Study { title: "Better".into(), ..editor.study.clone().unwrap() };
        editor.set_study(&study).unwrap();
        assert_eq!(editor.text, TEXT.replace("\"A\"", "\"Better\""));
        editor.set_text(editor.text.replace("Better", "Best"));
        assert_eq!((editor.title(), editor.is_changed()), ("Best", true));
    }

    #[test]
    fn a_page_that_was_removed_comes_back_with_its_masks_and_comments() {
        let page = "[page]\naddress = \"task\"\nmask = [\"#diary\"] # never store this\n";
        let text = format!("{TEXT}{page}");
        let mut editor = StudyEditor::new(StudyDocument { file: "a/study.toml".into(), text: text.clone() });
        let without = Study { page: None, ..editor.study.clone().unwrap() };
        editor.set_study(&without).unwrap();
        assert_eq!(editor.text, TEXT);
        let titled = Study { title: "Better".into(), ..without };
        editor.set_study(&titled).unwrap();
        let again = Study { page: editor.last_page().cloned(), ..titled };
        editor.set_study(&again).unwrap();
        assert_eq!(editor.text, text.replace("\"A\"", "\"Better\""));
        // What a person wrote since stays, also if the text was no study for some time.
        editor.set_study(&Study { page: None, ..again }).unwrap();
        editor.set_text(format!("title = \n{}", editor.text));
        editor.set_text(format!("# New.\n{TEXT}").replace("\"A\"", "\"Best\""));
        let last = Study { page: editor.last_page().cloned(), ..editor.study.clone().unwrap() };
        editor.set_study(&last).unwrap();
        assert_eq!(editor.text, format!("# New.\n{text}").replace("\"A\"", "\"Best\""));
        // The page may have been removed in the text, too.
        editor.set_text(TEXT.to_owned());
        assert_eq!(editor.last_page(), last.page.as_ref());
    }

    #[test]
    fn a_page_that_was_half_deleted_in_the_text_comes_back_with_its_masks() {
        let text = format!("{TEXT}[page]\naddress = \"task\"\nmask = [\"#diary\"]\n");
        let mut editor = StudyEditor::new(StudyDocument { file: "a/study.toml".into(), text: text.clone() });
        editor.set_text(format!("{TEXT}[page]\naddress = \"task\"\n"));
        editor.set_text(TEXT.to_owned());
        let again = Study { page: editor.last_page().cloned(), ..editor.study.clone().unwrap() };
        editor.set_study(&again).unwrap();
        assert_eq!(editor.text, text);
        // A page that was written in the text comes back if the form removed it, or if it was saved.
        let written = format!("{TEXT}[page]\naddress = \"other\"\n");
        editor.set_text(written.clone());
        editor.set_study(&Study { page: None, ..editor.study.clone().unwrap() }).unwrap();
        assert_eq!(editor.last_page().unwrap().address, "other");
        editor.set_saved(text);
        assert_eq!(editor.last_page().unwrap().address, "task");
    }

    #[test]
    fn a_control_of_the_camera_gets_its_value_back() {
        let mut editor = editor();
        editor.set_text(format!("{TEXT}[camera]\nexposure = 250\n"));
        let mut automatic = editor.study.clone().unwrap();
        automatic.camera.exposure = None;
        editor.set_study(&automatic).unwrap();
        editor.set_text(format!("# New.\n{}", editor.text));
        assert_eq!((editor.last_camera().exposure, editor.last_camera().focus), (Some(250), None));
    }

    #[test]
    fn a_table_of_items_is_remembered_while_another_kind_is_tried() {
        let mut editor = editor();
        editor.set_text(format!("{TEXT}[[questionnaires]]\nname = \"mood\"\nkind = \"items\"\nitems = \"mood.csv\"\n"));
        let mut other = editor.study.clone().unwrap();
        other.questionnaires[0].kind = QuestionnaireKind::Manikins;
        other.questionnaires[0].items.clear();
        editor.set_study(&other).unwrap();
        assert_eq!((editor.problem.as_deref(), editor.last_items("mood").as_str()), (None, "mood.csv"));
    }

    #[test]
    fn a_study_that_is_not_valid_yet_stays_in_the_form_with_the_files_own_message() {
        let mut editor = editor();
        let study = Study { name: "a b".into(), ..editor.study.clone().unwrap() };
        editor.set_study(&study).unwrap();
        assert_eq!(editor.study.as_ref().unwrap().name, "a b");
        assert_eq!(editor.problem, Some(Study::parse(&editor.text).unwrap_err().to_string()));
        editor.set_text("name = ".into());
        assert!(editor.study.is_none() && editor.problem.as_ref().unwrap().starts_with("line 1"));
    }

    #[test]
    fn a_name_follows_the_title_until_it_is_written() {
        let mut draft = NewStudyDraft { title: "Ten pictures!".into(), ..NewStudyDraft::default() };
        draft.follow_title();
        assert_eq!(draft.name, "Tenpictures");
        assert!(draft.request().unwrap_err().contains("template"));
        draft.template = Some("t".into());
        assert_eq!(draft.request().unwrap().media, None);
        (draft.name, draft.is_own_name) = ("ten pictures".into(), true);
        draft.follow_title();
        assert!(draft.request().unwrap_err().contains("letters and digits"));
    }
}
