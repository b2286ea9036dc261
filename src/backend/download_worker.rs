//! The thread `download_worker`: fetches sessions from a server, one request after the other.

use super::command_queue::{CommandQueue, QueuedCommand};
use super::to_window::ToWindow;
use crate::places::Places;
#[cfg(feature = "server")]
use desktop::port::DownloadProgress;
use desktop::port::{Activity, BackendEvent, DownloadRequest, DownloadResult};
#[cfg(feature = "server")]
use server::{PullPlan, PullProgress, Pulled, pull};
use study_query::Cancel;

impl QueuedCommand for (DownloadRequest, Cancel) {
    fn replaces(&self, _: &Self) -> bool {
        false
    }
}

/// The thread is not joined, because a stalled server would delay the closing of the window. An incomplete session is in a
/// draft, which the next download removes.
pub fn start(
    places: Places,
    requests: CommandQueue<(DownloadRequest, Cancel)>,
    window: ToWindow,
) -> std::io::Result<()> {
    let run = move || {
        for (request, cancel) in requests.each() {
            window.send(match carry_out(&places, &request, &cancel, &window) {
                Ok(outcome) => BackendEvent::SessionsDownloaded(outcome),
                Err(sentence) => BackendEvent::Failed { during: Activity::Download, sentence },
            });
        }
    };
    std::thread::Builder::new().name("download_worker".into()).spawn(run).map(drop)
}

#[cfg(feature = "server")]
fn carry_out(
    places: &Places,
    request: &DownloadRequest,
    cancel: &Cancel,
    window: &ToWindow,
) -> Result<DownloadResult, String> {
    let library = places.library().map_err(|e| e.to_string())?;
    let DownloadRequest { server, token, study } = request.clone();
    let plan = PullPlan { server, token, study, are_same_people: false };
    let progress = |PullProgress { number, sessions, name }| {
        window.send(BackendEvent::DownloadProgress(DownloadProgress { number, of: sessions, name }))
    };
    let Pulled { fetched, there_already, mut refused, damaged, is_cancelled } =
        pull(&plan, &library, cancel, progress).map_err(|e| e.to_string())?;
    refused.extend(damaged);
    Ok(DownloadResult { server: plan.server, fetched, there_already, refused, is_cancelled })
}

#[cfg(not(feature = "server"))]
fn carry_out(_: &Places, _: &DownloadRequest, _: &Cancel, _: &ToWindow) -> Result<DownloadResult, String> {
    Err("This build cannot download from a server. Build affectograph with its feature `server`.".to_owned())
}
