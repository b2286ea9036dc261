//! The system's file dialogs. A dialog waits for a person, so each one runs in a thread of its own.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use super::port::{ExportFormat, StudyExportFormat, Wake};

/// A dialog needs longer than this to appear.
const QUICKEST_CANCEL: Duration = Duration::from_millis(250);

/// The kind of file to choose.
#[derive(Clone, Debug, PartialEq)]
pub enum FileRequest {
    Session,
    Video,
    /// The folder of recordings.
    Recordings,
    Export {
        format: ExportFormat,
        proposed: PathBuf,
    },
    StudyExport {
        format: StudyExportFormat,
        proposed: PathBuf,
    },
    /// A folder that does not exist yet.
    NewFolder {
        proposed: PathBuf,
    },
    /// Several video files.
    Films,
    /// A folder of pictures or videos for a new study.
    Media,
    /// The HTML file of a study's page.
    Page,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChosenFile {
    /// The dialog was cancelled.
    Nothing,
    /// This system has no file dialogs. Each path can also be typed.
    NotShown(FileRequest),
    Session(PathBuf),
    Video(PathBuf),
    Films(Vec<PathBuf>),
    Media(PathBuf),
    Page(PathBuf),
    Recordings(PathBuf),
    Export(PathBuf),
}

/// One open dialog.
pub struct FileDialog {
    chosen: Receiver<ChosenFile>,
    thread: JoinHandle<()>,
}

impl FileDialog {
    pub fn open(request: FileRequest, wake: Wake) -> std::io::Result<FileDialog> {
        let (sender, chosen) = bounded(1);
        let thread = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            let begun = Instant::now();
            let chosen = match show(request.clone()) {
                // rfd reports a missing dialog like a cancelled one. No person cancels this quickly.
                ChosenFile::Nothing if begun.elapsed() < QUICKEST_CANCEL => ChosenFile::NotShown(request),
                chosen => chosen,
            };
            // The send fails if the window has closed. Then the result is not needed.
            if sender.send(chosen).is_ok() {
                wake.wake();
            }
        })?;
        Ok(FileDialog { chosen, thread })
    }

    /// Returns the result and joins the thread if the dialog is closed; otherwise returns the dialog.
    pub fn finish(self) -> Result<ChosenFile, FileDialog> {
        match self.chosen.try_recv() {
            Ok(chosen) => {
                let has_panicked = self.thread.join().is_err();
                Ok(if has_panicked { ChosenFile::Nothing } else { chosen })
            }
            Err(crossbeam_channel::TryRecvError::Empty) => Err(self),
            Err(crossbeam_channel::TryRecvError::Disconnected) => Ok(ChosenFile::Nothing),
        }
    }
}

const VIDEO_EXTENSIONS: [&str; 5] = ["mp4", "mov", "mkv", "avi", "webm"];

fn show(request: FileRequest) -> ChosenFile {
    let dialog = rfd::FileDialog::new();
    let (found, chosen): (Option<PathBuf>, fn(PathBuf) -> ChosenFile) = match &request {
        FileRequest::Films => {
            let dialog = dialog.set_title("Import video files").add_filter("Video", &VIDEO_EXTENSIONS);
            return dialog.add_filter("All files", &["*"]).pick_files().map_or(ChosenFile::Nothing, ChosenFile::Films);
        }
        FileRequest::Session => {
            (dialog.set_title("Open session: choose its folder").pick_folder(), ChosenFile::Session)
        }
        FileRequest::Recordings => (dialog.set_title("Folder of recordings").pick_folder(), ChosenFile::Recordings),
        FileRequest::Media => (dialog.set_title("Choose the folder").pick_folder(), ChosenFile::Media),
        FileRequest::Page => {
            let dialog = dialog.set_title("Choose the page").add_filter("Web page", &["html", "htm"]);
            (dialog.pick_file(), ChosenFile::Page)
        }
        FileRequest::Video => {
            let dialog = dialog.set_title("Use a video file as the camera").add_filter("Video", &VIDEO_EXTENSIONS);
            (dialog.add_filter("All files", &["*"]).pick_file(), ChosenFile::Video)
        }
        FileRequest::Export { format: ExportFormat::Csv, .. } => {
            (dialog.set_title("Export records: choose a folder").pick_folder(), ChosenFile::Export)
        }
        FileRequest::Export { format, proposed } => {
            let extension = if *format == ExportFormat::FigurePng { "png" } else { "svg" };
            let dialog = dialog.set_title("Export figure").add_filter("Figure", &[extension]);
            (dialog.set_file_name(name(proposed)).save_file(), ChosenFile::Export)
        }
        FileRequest::NewFolder { proposed } => {
            let dialog = dialog.set_title("Export: name a new folder").set_file_name(name(proposed));
            (dialog.save_file(), ChosenFile::Export)
        }
        FileRequest::StudyExport { format, proposed } => {
            let dialog = dialog.set_title("Export averages").set_file_name(name(proposed));
            let dialog = match format {
                StudyExportFormat::FigureSvg => dialog.add_filter("Figure", &["svg"]),
                StudyExportFormat::FigurePng => dialog.add_filter("Figure", &["png"]),
                StudyExportFormat::Tables => dialog,
            };
            (dialog.save_file(), ChosenFile::Export)
        }
    };
    found.map_or(ChosenFile::Nothing, chosen)
}

fn name(proposed: &Path) -> String {
    proposed.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}
