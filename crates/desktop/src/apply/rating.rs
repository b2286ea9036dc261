//! Commands of a continuous rating.

use crate::app::App;
use crate::command::RateCommand;
use crate::port::{AddedStream, NewRecords, rating_stream_name};
use crate::rating_state::{KEY_STEP, Rating, RatingInput};
use crate::state::{Screen, Side};
use session::{PlayheadMode, Timestamp};

pub fn apply(app: &mut App, command: RateCommand) {
    match command {
        RateCommand::Begin => begin(app),
        RateCommand::End => end(app),
        RateCommand::SetPosition(position, input) => {
            if let Some(rating) = running(app) {
                rating.set_position(position, input);
            }
        }
        RateCommand::MovePosition(valence, arousal) => {
            if let Some(rating) = running(app) {
                let position = [rating.position[0] + valence * KEY_STEP, rating.position[1] + arousal * KEY_STEP];
                rating.set_position(position, RatingInput::Keyboard);
            }
        }
        RateCommand::Compare(pass) => app.backend.compare_rating(pass),
    }
}

fn running(app: &mut App) -> Option<&mut Rating> {
    app.state.review.as_mut()?.ratings.running.as_mut()
}

fn begin(app: &mut App) {
    if app.state.screen != Screen::Review {
        return;
    }
    let author = app.state.author.trim().to_owned();
    let Some(review) = &mut app.state.review else { return };
    review.side = Side::Rating;
    if author.is_empty() {
        app.state.inform("Write the rater's name or initials first. They are stored with the rating.".into());
        return;
    }
    if review.ratings.running.is_some() {
        return;
    }
    let timeline = review.log.timeline();
    let is_taken = |pass: &u32| timeline.series(&rating_stream_name(*pass)).is_some_and(|s| !s.is_empty());
    let pass = (1..).find(|pass| !is_taken(pass)).unwrap_or(u32::MAX);
    if review.playhead.at >= review.end() {
        review.seek(review.start());
    }
    review.playhead.rate = 1.0;
    review.ratings.running = Some(Rating::new(pass, author, review.playhead.at));
    if !review.is_playing() {
        review.playhead.toggle_play(review.span.from(), review.span.until());
    }
    app.backend.listen_to_gamepad(true);
}

fn end(app: &mut App) {
    let Some(review) = &mut app.state.review else { return };
    let Some(mut rating) = review.ratings.running.take() else { return };
    review.playhead.mode = PlayheadMode::Paused;
    app.backend.listen_to_gamepad(false);
    let bodies = rating.take_waiting();
    if !bodies.is_empty() {
        let stream = AddedStream::Rating { pass: rating.pass };
        app.backend.add_records(NewRecords { stream, author: rating.author.clone(), bodies });
    }
    if rating.samples > 1 {
        app.backend.compare_rating(rating.pass);
    }
}

/// Takes a sample after the playhead has moved. Ends the rating at the end of the session.
pub fn advance(app: &mut App, at: Timestamp) {
    let Some(review) = &mut app.state.review else { return };
    let is_over = !review.is_playing() && at >= review.span.until();
    let Some(rating) = &mut review.ratings.running else { return };
    if let Some(bodies) = rating.sample(at) {
        let stream = AddedStream::Rating { pass: rating.pass };
        app.backend.add_records(NewRecords { stream, author: rating.author.clone(), bodies });
    }
    if is_over {
        end(app);
    }
}
