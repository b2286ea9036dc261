//! Templates for new studies, and the copy of a template with a person's pictures or videos.

use std::ffi::OsStr;
use std::fs::{self, File, FileType};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::folders::subfolders;
use super::studies::{STUDY_FILE, is_hidden};
use super::study_write_error::{MOST_MEDIA, StudyWriteError};
use super::{Library, StoreError};

/// Describes a template. It is not copied into the study.
const TEMPLATE_FILE: &str = "template.toml";
/// The folder of the templates in the folder of the shipped studies.
const TEMPLATES: &str = "templates";
/// Written beside the page: the names of its media files.
const MEDIA_LIST: &str = "media.js";

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

impl Library {
    /// The templates that come with the program, in their order. One that cannot be read is its error, at the end.
    pub fn templates(&self) -> Result<Vec<Result<StudyTemplate, StudyWriteError>>, StoreError> {
        let Some(shipped) = self.shipped_studies() else { return Ok(Vec::new()) };
        let (mut templates, mut unreadable) = (Vec::new(), Vec::new());
        for (folder, _) in subfolders(&shipped.join(TEMPLATES))? {
            match template_text(&folder) {
                Ok(Some(TemplateText { title, description, order, media })) => {
                    let media = media.map(|media| media.kind);
                    templates.push((order, StudyTemplate { folder, title, description, media }));
                }
                Ok(None) => {}
                Err(e) => unreadable.push(Err(e)),
            }
        }
        templates.sort_by_key(|(order, _)| *order);
        Ok(templates.into_iter().map(|(_, template)| Ok(template)).chain(unreadable).collect())
    }
}

/// Copies a template or another study into `draft`, which exists, without its `study.toml`, and the media beside its page.
pub(super) fn copy_template(new: &NewStudy, draft: &Path) -> Result<(), StudyWriteError> {
    let source = if new.template.is_dir() { new.template.as_path() } else { parent(&new.template) };
    copy_files(source, draft, &[TEMPLATE_FILE, STUDY_FILE])?;
    let Some(media) = template_text(source)?.and_then(|template| template.media) else { return Ok(()) };
    let example = media.example.as_ref().map(|example| source.join(example));
    match new.media.clone().or(example) {
        Some(folder) => copy_media(&folder, media.kind, &draft.join(&media.page)),
        None => Ok(()),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn template_text(folder: &Path) -> Result<Option<TemplateText>, StudyWriteError> {
    let path = folder.join(TEMPLATE_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::io("read", &path)(e).into()),
    };
    let wrong = |e: toml::de::Error| StudyWriteError::Template { path, message: e.message().to_owned() };
    toml::from_str(&text).map(Some).map_err(wrong)
}

/// Copies what is in a folder, without the files `left_out` at its top. A link is refused: it may lead to anything, also
/// back to this folder.
fn copy_files(from: &Path, to: &Path, left_out: &[&str]) -> Result<(), StudyWriteError> {
    for (path, kind) in entries(from)? {
        let name = path.file_name().unwrap_or_default();
        if left_out.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let to = to.join(name);
        if kind.is_dir() {
            fs::create_dir(&to).map_err(StoreError::io("create the folder", &to))?;
            copy_files(&path, &to, &[])?;
        } else if kind.is_file() {
            copy_file(&path, &to)?;
        } else {
            return Err(StudyWriteError::NotAFile(path));
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<(PathBuf, FileType)>, StoreError> {
    let read = || -> io::Result<_> {
        fs::read_dir(folder)?.map(|entry| entry.and_then(|e| Ok((e.path(), e.file_type()?)))).collect()
    };
    read().map_err(StoreError::io("read the folder", folder))
}

/// Copies the bytes, not the permissions: the files of an installation may be read-only, those of a study are not.
fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    let copy = || io::copy(&mut File::open(from)?, &mut File::create(to)?);
    copy().map(drop).map_err(StoreError::io("copy", from))
}

/// Copies the files and writes their names for the page, in the order of people: `2.jpg` before `10.jpg`.
fn copy_media(from: &Path, kind: MediaKind, page: &Path) -> Result<(), StudyWriteError> {
    let names = media_names(from, kind)?;
    let to = page.join(kind.as_str());
    fs::create_dir_all(&to).map_err(StoreError::io("create the folder", &to))?;
    for name in &names {
        copy_file(&from.join(name), &to.join(name))?;
    }
    let lines: Vec<String> =
        names.iter().map(|name| format!("  {},\n", serde_json::Value::from(name.as_str()))).collect();
    let list = page.join(MEDIA_LIST);
    let text = format!(
        "// The files in the folder `{}`, in their order.\nconst FILES = [\n{}];\n",
        kind.as_str(),
        lines.concat()
    );
    Ok(fs::write(&list, text).map_err(StoreError::io("write", &list))?)
}

fn media_names(from: &Path, kind: MediaKind) -> Result<Vec<String>, StudyWriteError> {
    let mut names = Vec::new();
    for (path, _) in entries(from)? {
        if is_media(&path, kind) {
            let name = path.file_name().and_then(OsStr::to_str).map(str::to_owned);
            names.push(name.ok_or(StudyWriteError::MediaName(path))?);
        }
    }
    if names.is_empty() {
        let extensions = kind.extensions().join(", ");
        return Err(StudyWriteError::NoMedia { folder: from.to_owned(), kind: kind.as_str(), extensions });
    }
    if names.len() > MOST_MEDIA {
        return Err(StudyWriteError::TooManyMedia { folder: from.to_owned(), kind: kind.as_str() });
    }
    names.sort_by_cached_key(|name| in_order_of_people(name));
    Ok(names)
}

/// Hidden files are left out: a USB stick from a Mac has a `._1.jpg`, which is no picture, beside each `1.jpg`.
fn is_media(path: &Path, kind: MediaKind) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    !is_hidden(path) && path.is_file() && kind.extensions().contains(&extension.as_str())
}

/// A piece of a name. A number comes before a letter.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum NamePart {
    Number(u64),
    Letter(char),
}

/// Numbers are compared as numbers.
fn in_order_of_people(name: &str) -> Vec<NamePart> {
    let mut parts = Vec::new();
    for c in name.to_lowercase().chars() {
        match (c.to_digit(10), parts.last_mut()) {
            (Some(digit), Some(NamePart::Number(number))) => {
                *number = number.saturating_mul(10).saturating_add(u64::from(digit));
            }
            (Some(digit), _) => parts.push(NamePart::Number(u64::from(digit))),
            (None, _) => parts.push(NamePart::Letter(c)),
        }
    }
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
            let template = self.library.templates().unwrap().remove(0).unwrap().folder;
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
        let refusal = refused(lab.new_study("my study", None));
        assert!(refusal.contains("letters and digits") && !refusal.contains("line"), "{refusal}");
        assert!(refused(lab.new_study("../mine", None)).contains("letters and digits"));
        assert_eq!(lab.library.studies().unwrap().len(), 0);
        lab.library.create_from_template(&lab.new_study("mine", None)).unwrap();
        assert!(refused(lab.new_study("Mine", None)).contains("already a study"));
        assert_eq!(lab.drafts(), 0);
    }

    #[test]
    fn a_template_that_cannot_be_read_hides_no_other() {
        let lab = lab();
        let broken = lab.dir.path().join("shipped/templates/a");
        fs::create_dir(&broken).unwrap();
        fs::write(broken.join("template.toml"), "title = 1").unwrap();
        let all = lab.library.templates().unwrap();
        assert_eq!(all[0].as_ref().unwrap().title, "Pictures");
        let problem = all[1].as_ref().unwrap_err().to_string();
        assert!(problem.contains("template.toml is wrong") && !problem.contains('\n'), "{problem}");
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn hidden_files_are_no_pictures() {
        let lab = lab();
        let pictures = lab.dir.path().join("stick");
        fs::create_dir(&pictures).unwrap();
        for name in ["1.jpg", "._1.jpg"] {
            fs::write(pictures.join(name), name).unwrap();
        }
        let made = lab.library.create_from_template(&lab.new_study("mine", Some("stick"))).unwrap();
        let page = made.path.with_file_name("page");
        assert_eq!(fs::read_dir(page.join("pictures")).unwrap().count(), 1);
        assert!(!fs::read_to_string(page.join("media.js")).unwrap().contains("._1.jpg"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_a_page_cannot_load_is_reported() {
        use std::os::unix::ffi::OsStrExt;
        let lab = lab();
        let pictures = lab.dir.path().join("old");
        fs::create_dir(&pictures).unwrap();
        fs::write(pictures.join(OsStr::from_bytes(b"\xff.jpg")), "x").unwrap();
        let refused = lab.library.create_from_template(&lab.new_study("mine", Some("old"))).unwrap_err();
        assert!(refused.to_string().contains("rename the file"), "{refused}");
        assert_eq!(lab.drafts(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn files_of_a_read_only_installation_can_be_changed_in_the_study() {
        use std::os::unix::fs::PermissionsExt;
        let lab = lab();
        let template = lab.dir.path().join("shipped/templates/pictures");
        for file in ["study.toml", "page/index.html"] {
            fs::set_permissions(template.join(file), fs::Permissions::from_mode(0o444)).unwrap();
        }
        let made = lab.library.create_from_template(&lab.new_study("mine", None)).unwrap();
        for file in [made.path.clone(), made.path.with_file_name("page").join("index.html")] {
            assert!(!fs::metadata(&file).unwrap().permissions().readonly(), "{}", file.display());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let lab = lab();
        let page = lab.dir.path().join("shipped/templates/pictures/page");
        std::os::unix::fs::symlink("..", page.join("loop")).unwrap();
        let refused = lab.library.create_from_template(&lab.new_study("mine", None)).unwrap_err();
        assert!(refused.to_string().contains("page/loop is a link"), "{refused}");
        assert!(lab.library.studies().unwrap().is_empty() && lab.drafts() == 0);
    }

    #[test]
    fn a_study_is_copied_with_its_files() {
        let lab = lab();
        let first = lab.library.create_from_template(&lab.new_study("mine", None)).unwrap();
        let copy = NewStudy { template: first.path, name: "copy".into(), title: "Copy".into(), media: None };
        let made = lab.library.create_from_template(&copy).unwrap();
        assert_eq!((made.study.name.as_str(), lab.library.studies().unwrap().len()), ("copy", 2));
        assert!(made.path.with_file_name("page").join("more/a.js").is_file());
    }
}
