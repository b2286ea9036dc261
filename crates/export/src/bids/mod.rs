//! A study as a BIDS 1.11 dataset of behaviour: events with HED tags, affect as regular-rate recordings, the true
//! frame times beside them.
//!
//! ```text
//! dataset_description.json  README.md  participants.tsv/.json  sessions.json
//! sub-01/sub-01_sessions.tsv
//! sub-01/ses-01/beh/sub-01_ses-01_task-demo_events.tsv/.json
//!                  …_beh.tsv/.json                                every stored frame at its true time
//!                  …_recording-affect_physio.tsv.gz/.json         one for each stream of samples
//! ```

mod dataset;
mod events;
mod files;
mod hed;
mod recordings;

use std::path::Path;

use super::atomic_write::{make_folder, publish_folder};
use super::{ExportError, Selection};

/// Writes the dataset into the new folder `to`. `participants` is the laboratory's own `participants.tsv`, whose
/// columns are carried over. `on_session` receives the label of each session before it is written.
pub fn write_bids(
    selection: &Selection,
    participants: Option<&Path>,
    to: &Path,
    mut on_session: impl FnMut(&str),
) -> Result<(), ExportError> {
    publish_folder(to, |part| {
        let mut rows = Vec::new();
        for selected in selection.sessions() {
            on_session(&selected.label());
            let session = selected.load()?;
            let h = &session.header;
            let folder = part.join(h.participant.as_str()).join(h.session.to_string()).join("beh");
            make_folder(&folder)?;
            let stem = folder.join(selected.label());
            events::write(&session, &stem)?;
            recordings::write(&session, &selected.folder, &stem)?;
            rows.push(dataset::SessionRow::of(&session));
        }
        dataset::write(selection, &rows, participants, part)
    })
}
