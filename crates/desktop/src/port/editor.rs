//! Studies as files: templates, new studies and changes of a study.

use std::path::PathBuf;

/// A template for a new study.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateRow {
    pub folder: PathBuf,
    pub title: String,
    pub description: String,
    /// What it takes from a folder, in the plural: `pictures`. `None`: nothing.
    pub media: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewStudy {
    /// [`TemplateRow::folder`], or the file of another study to copy.
    pub template: PathBuf,
    pub name: String,
    pub title: String,
    /// A folder of pictures or videos. `None`: the template's own examples.
    pub media: Option<PathBuf>,
}

/// A study file that is open in the editor.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyDocument {
    pub file: PathBuf,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StudySave {
    pub file: PathBuf,
    pub text: String,
    /// The text of the file before the changes. A file that another program changed is not overwritten.
    pub was: String,
}
