//! The system's file dialogs. They wait for a person, so each has a thread of its own.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, bounded};

use super::port::{ExportFormat, StudyExportFormat, Wake};

#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    Session,
    Video,
    Export { format: ExportFormat, proposed: PathBuf },
    StudyExport { format: StudyExportFormat, proposed: PathBuf },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Picked {
    /// Cancelled, or this system has no such dialog; each can also be typed.
    Nothing,
    Session(PathBuf),
    Video(PathBuf),
    Export(PathBuf),
}

/// One open dialog.
pub struct Picking {
    answer: Receiver<Picked>,
    thread: JoinHandle<()>,
}

impl Picking {
    pub fn start(pick: Pick, wake: Wake) -> std::io::Result<Picking> {
        let (sender, answer) = bounded(1);
        let thread = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            let picked = ask(pick);
            // The window may have closed meanwhile; then nobody needs the answer.
            if sender.send(picked).is_ok() {
                wake.wake();
            }
        })?;
        Ok(Picking { answer, thread })
    }

    /// The answer once it is there. Joins the thread, which has nothing left to do then.
    pub fn finish(self) -> Result<Picked, Picking> {
        match self.answer.try_recv() {
            Ok(picked) => {
                let is_sound = self.thread.join().is_ok();
                Ok(if is_sound { picked } else { Picked::Nothing })
            }
            Err(crossbeam_channel::TryRecvError::Empty) => Err(self),
            Err(crossbeam_channel::TryRecvError::Disconnected) => Ok(Picked::Nothing),
        }
    }
}

fn ask(pick: Pick) -> Picked {
    let dialog = rfd::FileDialog::new();
    let found = match &pick {
        Pick::Session => dialog.set_title("Open session: choose its folder").pick_folder(),
        Pick::Video => dialog
            .set_title("Play a video file as camera")
            .add_filter("Video", &["mp4", "mov", "mkv", "avi", "webm"])
            .add_filter("All files", &["*"])
            .pick_file(),
        Pick::Export { format: ExportFormat::Csv, .. } => {
            dialog.set_title("Export records: choose a folder").pick_folder()
        }
        Pick::Export { format, proposed } => {
            let extension = if *format == ExportFormat::FigurePng { "png" } else { "svg" };
            dialog
                .set_title("Export figure")
                .add_filter("Figure", &[extension])
                .set_file_name(name(proposed))
                .save_file()
        }
        Pick::StudyExport { format, proposed } => {
            let dialog = dialog.set_title("Export averages").set_file_name(name(proposed));
            match format {
                StudyExportFormat::FigureSvg => dialog.add_filter("Figure", &["svg"]).save_file(),
                StudyExportFormat::FigurePng => dialog.add_filter("Figure", &["png"]).save_file(),
                StudyExportFormat::Tables => dialog.save_file(),
            }
        }
    };
    match (found, pick) {
        (None, _) => Picked::Nothing,
        (Some(path), Pick::Session) => Picked::Session(path),
        (Some(path), Pick::Video) => Picked::Video(path),
        (Some(path), Pick::Export { .. } | Pick::StudyExport { .. }) => Picked::Export(path),
    }
}

fn name(proposed: &Path) -> String {
    proposed.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}
