//! Commands of annotations.

use chrono::Utc;

use crate::annotation_state::NewBodies;
use crate::app::App;
use crate::command::AnnotateCommand;
use crate::port::{AddedStream, NewRecords};
use crate::state::Side;

pub fn apply(app: &mut App, command: AnnotateCommand) {
    use AnnotateCommand as C;
    if let C::SetAuthor(author) = command {
        app.state.author = author;
        return;
    }
    let author = app.state.author.trim().to_owned();
    let Some(review) = &mut app.state.review else { return };
    let stores_records = matches!(command, C::Point(_) | C::Range(_) | C::RemoveSelected | C::Undo | C::Redo);
    if stores_records && author.is_empty() {
        review.side = Side::Annotations;
        app.state
            .inform("Write your name or initials in “Coded by” first. They are stored with each annotation.".into());
        return;
    }
    let (at, now) = (review.playhead.at, Utc::now());
    let annotations = &mut review.annotations;
    let mut bodies = NewBodies::new();
    match command {
        C::SetAuthor(_) => {}
        C::Point(k) => {
            if let Some(label) = annotations.labels.get(k).cloned() {
                bodies = annotations.point(&label, at, &author, now);
            }
        }
        C::Range(k) => {
            if let Some(label) = annotations.labels.get(k).cloned() {
                bodies = annotations.range(&label, at, &author, now);
            }
        }
        C::CancelRange => annotations.open_range = None,
        C::EditNewLabel(text) => annotations.new_label = text,
        C::AddLabel => annotations.add_label(),
        C::Select(id) => {
            annotations.selected = Some(id);
            if let Some(from) = annotations.current().iter().find(|a| a.id == id).map(|a| a.from) {
                review.seek(from);
            }
        }
        C::RemoveSelected => bodies = annotations.remove_selected(&author, now),
        C::Undo => bodies = annotations.undo(&author, now),
        C::Redo => bodies = annotations.redo(&author, now),
    }
    if !bodies.is_empty() {
        app.backend.add_records(NewRecords { stream: AddedStream::Annotation, author, bodies });
    }
}
