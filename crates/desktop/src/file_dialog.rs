//! The system's file dialogs. A dialog waits for a person, so each one runs in a thread of its own.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, bounded};

use super::port::{ExportFormat, StudyExportFormat, Wake};

/// The kind of file to choose.
#[derive(Clone, Debug, PartialEq)]
pub enum FileRequest {
    Session,
    Video,
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
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChosenFile {
    /// The dialog was cancelled, or this system has no file dialogs. Each path can also be typed.
    Nothing,
    Session(PathBuf),
    Video(PathBuf),
    Films(Vec<PathBuf>),
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
            let chosen = show(request);
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
