//! What a person adds to the session in review: annotations and ratings.

use chrono::Utc;

use crate::annotated::Stored;
use crate::app::App;
use crate::command::{AnnotateCommand, RateCommand};
use crate::port::{AddedStream, NewRecords, rating_stream_name};
use crate::rated::{Hand, NUDGE, Rating};
use crate::state::{Screen, Side};
use session::{PlayheadMode, Timestamp};

pub fn annotate(app: &mut App, command: AnnotateCommand) {
    use AnnotateCommand as A;
    if let A::SetAuthor(author) = command {
        app.state.author = author;
        return;
    }
    let author = app.state.author.trim().to_owned();
    let Some(review) = &mut app.state.review else { return };
    let stores = matches!(command, A::Point(_) | A::Range(_) | A::TakeBack | A::Undo | A::Redo);
    if stores && author.is_empty() {
        review.side = Side::Annotations;
        app.state.notice("Write your name or initials beside the annotations first: they are kept with them.".into());
        return;
    }
    let (at, now) = (review.playhead.at, Utc::now());
    let annotated = &mut review.annotated;
    let stored: Stored = match command {
        A::SetAuthor(_) => Vec::new(),
        A::Point(k) => match annotated.labels.get(k).cloned() {
            Some(label) => annotated.point(&label, at, &author, now),
            None => Vec::new(),
        },
        A::Range(k) => match annotated.labels.get(k).cloned() {
            Some(label) => annotated.range(&label, at, &author, now),
            None => Vec::new(),
        },
        A::DropRange => {
            annotated.open_range = None;
            Vec::new()
        }
        A::WriteLabel(text) => {
            annotated.new_label = text;
            Vec::new()
        }
        A::AddLabel => {
            annotated.add_label();
            Vec::new()
        }
        A::Select(id) => {
            annotated.selected = Some(id);
            if let Some(from) = annotated.standing().iter().find(|a| a.id == id).map(|a| a.from) {
                review.seek(from);
            }
            Vec::new()
        }
        A::TakeBack => annotated.take_back_selected(&author, now),
        A::Undo => annotated.undo(&author, now),
        A::Redo => annotated.redo(&author, now),
    };
    if !stored.is_empty() {
        app.backend.add_records(NewRecords { stream: AddedStream::Annotation, author, bodies: stored });
    }
}

pub fn rate(app: &mut App, command: RateCommand) {
    match command {
        RateCommand::Begin => begin(app),
        RateCommand::End => end(app),
        RateCommand::Hold(held, hand) => {
            if let Some(rating) = running(app) {
                rating.hold(held, hand);
            }
        }
        RateCommand::Nudge(valence, arousal) => {
            if let Some(rating) = running(app) {
                let held = [rating.held[0] + valence * NUDGE, rating.held[1] + arousal * NUDGE];
                rating.hold(held, Hand::Keyboard);
            }
        }
        RateCommand::Compare(pass) => app.backend.compare_rating(pass),
    }
}

fn running(app: &mut App) -> Option<&mut Rating> {
    app.state.review.as_mut()?.rated.running.as_mut()
}

fn begin(app: &mut App) {
    if app.state.screen != Screen::Review {
        return;
    }
    let author = app.state.author.trim().to_owned();
    let Some(review) = &mut app.state.review else { return };
    review.side = Side::Rating;
    if author.is_empty() {
        app.state.notice("Write the rater's name or initials first: they are kept with the rating.".into());
        return;
    }
    if review.rated.running.is_some() {
        return;
    }
    let timeline = review.log.timeline();
    let is_taken = |pass: &u32| timeline.series(&rating_stream_name(*pass)).is_some_and(|s| !s.is_empty());
    let pass = (1..).find(|pass| !is_taken(pass)).unwrap_or(u32::MAX);
    if review.playhead.at >= review.end() {
        review.seek(review.start());
    }
    review.playhead.rate = 1.0;
    review.rated.running = Some(Rating::new(pass, author, review.playhead.at));
    if !review.is_playing() {
        review.playhead.toggle_play(review.span.from(), review.span.until());
    }
    app.backend.listen_to_gamepad(true);
}

fn end(app: &mut App) {
    let Some(review) = &mut app.state.review else { return };
    let Some(mut rating) = review.rated.running.take() else { return };
    review.playhead.mode = PlayheadMode::Paused;
    app.backend.listen_to_gamepad(false);
    let bodies = rating.rest();
    if !bodies.is_empty() {
        let stream = AddedStream::Rating { pass: rating.pass };
        app.backend.add_records(NewRecords { stream, author: rating.author.clone(), bodies });
    }
    if rating.samples > 1 {
        app.backend.compare_rating(rating.pass);
    }
}

/// The playhead moved on while somebody rates.
pub fn rated(app: &mut App, at: Timestamp) {
    let Some(review) = &mut app.state.review else { return };
    let is_over = !review.is_playing() && at >= review.span.until();
    let Some(rating) = &mut review.rated.running else { return };
    if let Some(bodies) = rating.sample(at) {
        let stream = AddedStream::Rating { pass: rating.pass };
        app.backend.add_records(NewRecords { stream, author: rating.author.clone(), bodies });
    }
    if is_over {
        end(app);
    }
}
