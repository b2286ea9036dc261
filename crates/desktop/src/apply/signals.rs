//! Commands of the signals below valence and arousal. The choice is stored with the preferences, apart for the recording
//! and the review.

use crate::app::App;
use crate::command::SignalsCommand;
use crate::lane_choice::LaneList;
use crate::state::{Dialog, Screen};

pub fn apply(app: &mut App, command: SignalsCommand) {
    use SignalsCommand as C;
    match command {
        C::Show => app.state.dialog = Some(Dialog::Signals { search: String::new() }),
        C::Search(text) => {
            if let Some(Dialog::Signals { search }) = &mut app.state.dialog {
                *search = text;
            }
        }
        C::Add(signal) => {
            if let Err(sentence) = lanes(app).add(signal) {
                app.state.inform(sentence);
                return;
            }
            app.store_preferences();
        }
        C::Remove(signal) => change(app, |lanes| lanes.remove(&signal)),
        C::Move { signal, place_of } => change(app, |lanes| lanes.move_to(&signal, &place_of)),
        C::SetSmoothing(signal, smoothing) => change(app, |lanes| lanes.set_smoothing(&signal, smoothing)),
        C::SetScale(signal, scale) => change(app, |lanes| lanes.set_scale(&signal, scale)),
    }
}

fn change(app: &mut App, change: impl FnOnce(&mut LaneList)) {
    change(lanes(app));
    app.store_preferences();
}

/// The lanes of the screen that is shown.
fn lanes(app: &mut App) -> &mut LaneList {
    let lanes = &mut app.state.preferences.lanes;
    if app.state.screen == Screen::Live { &mut lanes.live } else { &mut lanes.review }
}
