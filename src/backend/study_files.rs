//! Studies as files, for the window: templates, new studies, checks and changes.

use std::path::{Path, PathBuf};

use crate::places::Places;
use desktop::port::{self, BackendEvent, StudyDocument, StudySave, TemplateRow};
use page::PageAddress;
use recording::questionnaire_items;
use session::Study;
use store::{Library, NewStudy, StudyWriteError};
use vision::models_folder;

pub enum StudyFileCommand {
    Create(port::NewStudy),
    Read(PathBuf),
    Check(StudyDocument),
    Save(StudySave),
}

/// The error is a message for the user.
pub fn execute(places: &Places, command: StudyFileCommand) -> Result<BackendEvent, String> {
    let library = || places.library().map_err(|e| e.to_string());
    match command {
        StudyFileCommand::Create(new) => {
            let port::NewStudy { template, name, title, media } = new;
            let made = library()?.create_from_template(&NewStudy { template, name, title, media });
            let made = made.map_err(|e| sentence(&e))?;
            Ok(BackendEvent::StudyOpened(StudyDocument { file: made.path, text: made.text }))
        }
        StudyFileCommand::Read(file) => {
            let failed = |e| format!("The study {} could not be read: {e}.", file.display());
            let text = std::fs::read_to_string(&file).map_err(failed)?;
            Ok(BackendEvent::StudyOpened(StudyDocument { file, text }))
        }
        StudyFileCommand::Check(document) => {
            let problems = problems(&library()?, &document);
            Ok(BackendEvent::StudyChecked { file: document.file, problems })
        }
        StudyFileCommand::Save(StudySave { file, text, was }) => {
            library()?.save_study(&file, &was, &text).map_err(|e| sentence(&e))?;
            Ok(BackendEvent::StudySaved(StudyDocument { file, text }))
        }
    }
}

fn sentence(e: &StudyWriteError) -> String {
    format!("{e}.")
}

/// What the text alone does not show. The messages are those of the set-up.
fn problems(library: &Library, document: &StudyDocument) -> Vec<String> {
    let Ok(study) = Study::unchecked(&document.text) else { return Vec::new() };
    let beside = document.file.parent().unwrap_or(Path::new("."));
    let mut problems = Vec::new();
    if let Some(page) = study.page.as_ref().filter(|page| !page.address.trim().is_empty()) {
        problems.extend(PageAddress::parse(&page.address, beside).err().map(|e| e.to_string()));
    }
    for q in study.questionnaires.iter().filter(|q| !q.items.trim().is_empty()) {
        problems.extend(questionnaire_items(q, beside).err().map(|e| e.to_string()));
    }
    if let Ok(models) = models_folder()
        && !models.join(&study.affect_model).join("model.toml").is_file()
    {
        problems.push(format!("there is no affect network `{}` in {}", study.affect_model, models.display()));
    }
    problems.extend(name_problem(library, document, &study.name));
    problems
}

/// Studies that were copied by hand may have one name, without a change of it.
fn name_problem(library: &Library, document: &StudyDocument, name: &str) -> Option<String> {
    let others = match library.studies() {
        Ok(studies) => studies,
        Err(e) => return Some(e.to_string()),
    };
    if others.iter().any(|s| s.path != document.file && s.name.eq_ignore_ascii_case(name)) {
        return Some(format!("another study is called `{name}`: choose another name"));
    }
    let present = match std::fs::read_to_string(&document.file) {
        Ok(present) => present,
        Err(e) => return Some(format!("{} could not be read: {e}", document.file.display())),
    };
    library.check_name(&document.file, &present, name).err().map(|e| e.to_string())
}

/// The templates, and a sentence for each one that cannot be read.
pub fn templates(library: &Library) -> (Vec<TemplateRow>, Vec<String>) {
    let all = library.templates().unwrap_or_else(|e| vec![Err(e.into())]);
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for template in all {
        match template {
            Ok(store::StudyTemplate { folder, title, description, media }) => {
                rows.push(TemplateRow { folder, title, description, media: media.map(store::MediaKind::as_str) });
            }
            Err(e) => problems.push(sentence(&e)),
        }
    }
    (rows, problems)
}
