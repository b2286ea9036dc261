//! Studies as files of the library: made from a template, and saved after a change.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::folders::replace_file;
use super::studies::STUDY_FILE;
use super::{Library, StoreError, StudyFile, StudyFileError};
use session::{Study, StudyError, edited_text};

/// Describes a template. It is not copied into the study.
const TEMPLATE_FILE: &str = "template.toml";
/// The folder of the templates in the folder of the shipped studies.
const TEMPLATES: &str = "templates";
/// Written beside the page: the names of its media files.
const MEDIA_LIST: &str = "media.js";
const MOST_MEDIA: usize = 2000;

/// A template for a new study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyTemplate {
    pub folder: PathBuf,
    pub title: String,
    pub description: String,
    /// The files that it takes from a folder. `None`: it takes none.
    pub media: Option<MediaKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Pictures,
    Videos,
}

impl MediaKind {
    /// In the plural, for texts.
    pub fn as_str(self) -> &'static str {
        match self {
            MediaKind::Pictures => "pictures",
            MediaKind::Videos => "videos",
        }
    }

    fn extensions(self) -> &'static [&'static str] {
        match self {
            MediaKind::Pictures => &["jpg", "jpeg", "png", "webp", "gif", "avif", "svg"],
            MediaKind::Videos => &["mp4", "m4v", "webm", "ogv"],
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateText {
    title: String,
    description: String,
    /// The place in the list of templates.
    order: u32,
    media: Option<MediaText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaText {
    kind: MediaKind,
    /// The folder of the page.
    page: PathBuf,
    /// Files to try the template with, relative to the template.
    example: Option<PathBuf>,
}

/// What a new study is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStudy {
    /// The folder of a template, or of another study to copy.
    pub template: PathBuf,
    pub name: String,
    pub title: String,
    /// A folder with pictures or videos, if the template takes some. `None`: the template's examples.
    pub media: Option<PathBuf>,
}

#[derive(Debug, Error)]
pub enum StudyEditError {
    #[error("could not {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    Template { path: PathBuf, message: String },
    #[error(transparent)]
    Study(#[from] StudyFileError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the study cannot be created: {0}")]
    Wrong(StudyError),
    #[error("there is already a study `{0}`: choose another name")]
    Taken(String),
    #[error("{} contains no {kind} ({extensions}): choose another folder", folder.display())]
    NoMedia { folder: PathBuf, kind: &'static str, extensions: String },
    #[error("{} contains more than {MOST_MEDIA} {kind}: choose a folder with fewer", folder.display())]
    TooManyMedia { folder: PathBuf, kind: &'static str },
    #[error("{} is not in this library's folder of studies: copy the study with “New study …” and edit the copy", .0.display())]
    NotOwn(PathBuf),
    #[error("{} was changed by another program since it was opened: nothing was saved. Open the study again, then repeat your changes", .0.display())]
    Changed(PathBuf),
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StudyEditError {
    let path = path.to_owned();
    move |source| StudyEditError::Io { doing, path, source }
}

impl Library {
    pub fn is_own_study(&self, file: &Path) -> bool {
        file.starts_with(self.own_studies())
    }

    /// The templates that come with the program, in their order.
    pub fn templates(&self) -> Result<Vec<StudyTemplate>, StudyEditError> {
        let Some(folder) = self.shipped_studies().map(|shipped| shipped.join(TEMPLATES)) else { return Ok(Vec::new()) };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(io("read the folder", &folder)(e)),
        };
        let mut templates = Vec::new();
        for entry in entries {
            let folder = entry.map_err(io("read the folder", &folder))?.path();
            if let Some(text) = template_text(&folder)? {
                let media = text.media.map(|media| media.kind);
                let (title, description) = (text.title, text.description);
                templates.push((text.order, StudyTemplate { folder, title, description, media }));
            }
        }
        templates.sort_by_key(|(order, _)| *order);
        Ok(templates.into_iter().map(|(_, template)| template).collect())
    }

    /// Copies a template into the folder of studies under the person's own name. The folder is complete or absent.
    pub fn create_from_template(&self, new: &NewStudy) -> Result<StudyFile, StudyEditError> {
        let source = StudyFile::read(&new.template)?;
        let study = Study { name: new.name.clone(), title: new.title.clone(), ..source.study.clone() };
        let text = edited_text(&source.text, &source.study, &study).map_err(StudyEditError::Wrong)?;
        Study::parse(&text).map_err(StudyEditError::Wrong)?;
        let (folder, draft) =
            (self.own_studies().join(&new.name), self.own_studies().join(format!(".draft-{}", new.name)));
        let is_listed = self.studies().is_ok_and(|all| all.iter().any(|s| s.name.eq_ignore_ascii_case(&new.name)));
        if folder.exists() || is_listed {
            return Err(StudyEditError::Taken(new.name.clone()));
        }
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(io("remove the folder", &draft))?;
        }
        let made = self
            .fill_draft(new, &draft, &text)
            .and_then(|()| fs::rename(&draft, &folder).map_err(io("create the folder", &folder)));
        if let Err(e) = made {
            // What is left begins with a dot, is not listed, and is removed by the next attempt.
            fs::remove_dir_all(&draft).ok();
            return Err(e);
        }
        Ok(StudyFile::read(&folder)?)
    }

    fn fill_draft(&self, new: &NewStudy, draft: &Path, text: &str) -> Result<(), StudyEditError> {
        let source = if new.template.is_dir() { new.template.as_path() } else { parent(&new.template) };
        copy_folder(source, draft)?;
        let file = draft.join(STUDY_FILE);
        fs::write(&file, text).map_err(io("write", &file))?;
        let Some(media) = template_text(source)?.and_then(|template| template.media) else { return Ok(()) };
        let example = media.example.as_ref().map(|example| source.join(example));
        match new.media.clone().or(example) {
            Some(folder) => copy_media(&folder, media.kind, &draft.join(&media.page)),
            None => Ok(()),
        }
    }

    /// Saves the text of an own study. `was` is the text that was read before the changes.
    pub fn save_study(&self, file: &Path, text: &str, was: &str) -> Result<(), StudyEditError> {
        if !self.is_own_study(file) {
            return Err(StudyEditError::NotOwn(file.to_owned()));
        }
        let _lock = self.lock_folders()?;
        let present = fs::read_to_string(file).map_err(io("read", file))?;
        if present != was && present != text {
            return Err(StudyEditError::Changed(file.to_owned()));
        }
        Ok(replace_file(file, text.as_bytes())?)
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn template_text(folder: &Path) -> Result<Option<TemplateText>, StudyEditError> {
    let path = folder.join(TEMPLATE_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(io("read", &path)(e)),
    };
    let message = |e: toml::de::Error| StudyEditError::Template { path, message: e.to_string() };
    toml::from_str(&text).map(Some).map_err(message)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), StudyEditError> {
    fs::create_dir_all(to).map_err(io("create the folder", to))?;
    for entry in fs::read_dir(from).map_err(io("read the folder", from))? {
        let entry = entry.map_err(io("read the folder", from))?;
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            copy_folder(&path, &to.join(name))?;
        } else if name != TEMPLATE_FILE {
            fs::copy(&path, to.join(name)).map_err(io("copy", &path))?;
        }
    }
    Ok(())
}

/// Copies the files and writes their names for the page, in the order of people: `2.jpg` before `10.jpg`.
fn copy_media(from: &Path, kind: MediaKind, page: &Path) -> Result<(), StudyEditError> {
    let is_media = |path: &Path| {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        path.is_file() && kind.extensions().contains(&extension.as_str())
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(from).map_err(io("read the folder", from))? {
        let path = entry.map_err(io("read the folder", from))?.path();
        if let Some(name) = path.file_name().and_then(|n| n.to_str()).filter(|_| is_media(&path)) {
            names.push(name.to_owned());
        }
    }
    if names.is_empty() {
        let extensions = kind.extensions().join(", ");
        return Err(StudyEditError::NoMedia { folder: from.to_owned(), kind: kind.as_str(), extensions });
    }
    if names.len() > MOST_MEDIA {
        return Err(StudyEditError::TooManyMedia { folder: from.to_owned(), kind: kind.as_str() });
    }
    names.sort_by_cached_key(|name| in_order_of_people(name));
    let to = page.join(kind.as_str());
    fs::create_dir_all(&to).map_err(io("create the folder", &to))?;
    for name in &names {
        let path = from.join(name);
        fs::copy(&path, to.join(name)).map_err(io("copy", &path))?;
    }
    let lines: Vec<String> =
        names.iter().map(|name| format!("  {},\n", serde_json::Value::from(name.as_str()))).collect();
    let list = page.join(MEDIA_LIST);
    let text = format!(
        "// The files in the folder `{}`, in their order.\nconst FILES = [\n{}];\n",
        kind.as_str(),
        lines.concat()
    );
    fs::write(&list, text).map_err(io("write", &list))
}

/// Numbers are compared as numbers.
fn in_order_of_people(name: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    let mut digits = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            parts.push((digits.parse().unwrap_or(u64::MAX), std::mem::take(&mut digits)));
        }
        parts.push((0, c.to_string()));
    }
    parts.extend((!digits.is_empty()).then(|| (digits.parse().unwrap_or(u64::MAX), digits)));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lab {
        dir: tempfile::TempDir,
        library: Library,
    }

    fn lab() -> Lab {
        let dir = tempfile::tempdir().unwrap();
        let shipped = dir.path().join("shipped");
        let template = shipped.join("templates/pictures");
        fs::create_dir_all(template.join("page/more")).unwrap();
        fs::write(
            template.join("template.toml"),
            "title = \"Pictures\"\ndescription = \"d\"\norder = 1\n[media]\nkind = \"pictures\"\npage = \"page\"\n",
        )
        .unwrap();
        fs::write(
            template.join("study.toml"),
            "# Mine.\nname = \"pictures\" # here\ntitle = \"Pictures\"\n[page]\naddress = \"page\"\n",
        )
        .unwrap();
        fs::write(template.join("page/index.html"), "<p>").unwrap();
        fs::write(template.join("page/more/a.js"), "1").unwrap();
        let library = Library::open(&dir.path().join("sessions")).unwrap().with_studies(&shipped);
        Lab { dir, library }
    }

    impl Lab {
        fn new_study(&self, name: &str, media: Option<&str>) -> NewStudy {
            let template = self.library.templates().unwrap()[0].folder.clone();
            let media = media.map(|folder| self.dir.path().join(folder));
            NewStudy { template, name: name.into(), title: format!("Study {name}"), media }
        }

        fn drafts(&self) -> usize {
            let all = fs::read_dir(self.library.own_studies()).into_iter().flatten().flatten();
            all.filter(|e| e.file_name().to_string_lossy().starts_with('.')).count()
        }
    }

    #[test]
    fn a_template_becomes_a_study_with_the_persons_pictures() {
        let lab = lab();
        let pictures = lab.dir.path().join("my pictures");
        fs::create_dir(&pictures).unwrap();
        for name in ["10.JPG", "2.jpg", "a \"quote\".png", "notes.txt"] {
            fs::write(pictures.join(name), name).unwrap();
        }
        let made = lab.library.create_from_template(&lab.new_study("mine", Some("my pictures"))).unwrap();
        assert_eq!((made.study.name.as_str(), made.study.title.as_str()), ("mine", "Study mine"));
        assert!(made.text.starts_with("# Mine.\nname = \"mine\" # here\n"), "{}", made.text);
        let folder = made.path.parent().unwrap();
        assert_eq!(folder, lab.library.own_studies().join("mine"));
        assert!(folder.join("page/more/a.js").is_file() && !folder.join("template.toml").exists());
        let list = fs::read_to_string(folder.join("page/media.js")).unwrap();
        assert!(
            list.ends_with("const FILES = [\n  \"2.jpg\",\n  \"10.JPG\",\n  \"a \\\"quote\\\".png\",\n];\n"),
            "{list}"
        );
        assert_eq!(fs::read_to_string(folder.join("page/pictures/2.jpg")).unwrap(), "2.jpg");
        assert_eq!((lab.library.studies().unwrap().len(), lab.drafts()), (1, 0));
    }

    #[test]
    fn what_cannot_be_made_leaves_nothing() {
        let lab = lab();
        fs::create_dir(lab.dir.path().join("empty")).unwrap();
        let refused = |new: NewStudy| lab.library.create_from_template(&new).unwrap_err().to_string();
        assert!(refused(lab.new_study("mine", Some("empty"))).contains("contains no pictures (jpg"));
        assert!(refused(lab.new_study("mine", Some("missing"))).contains("could not read the folder"));
        assert!(refused(lab.new_study("my study", None)).contains("letters and digits"));
        assert!(refused(lab.new_study("../mine", None)).contains("letters and digits"));
        assert_eq!(lab.library.studies().unwrap().len(), 0);
        lab.library.create_from_template(&lab.new_study("mine", None)).unwrap();
        assert!(refused(lab.new_study("Mine", None)).contains("already a study"));
        assert_eq!(lab.drafts(), 0);
    }

    #[test]
    fn a_study_that_somebody_else_changed_is_not_overwritten() {
        let lab = lab();
        let made = lab.library.create_from_template(&lab.new_study("mine", None)).unwrap();
        let save = |text: &str, was: &str| lab.library.save_study(&made.path, text, was);
        let new = made.text.replace("Study mine", "New title");
        save(&new, &made.text).unwrap();
        assert_eq!(fs::read_to_string(&made.path).unwrap(), new);
        assert!(matches!(save("other", &made.text), Err(StudyEditError::Changed(_))));
        save(&new, &made.text).unwrap();
        let shipped = lab.library.templates().unwrap()[0].folder.join("study.toml");
        assert!(matches!(lab.library.save_study(&shipped, "x", "y"), Err(StudyEditError::NotOwn(_))));
    }
}
