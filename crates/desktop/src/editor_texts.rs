//! The form of a study: what the participant reads on the screens and in the questionnaires of the program.

use eframe::egui;
use egui::{ComboBox, Ui};

use session::{ConsentBy, OnCrash, QuestionnaireText, SeatChoice, Study};

use super::editor_parts::{card, text};
use super::widgets;

pub fn show(ui: &mut Ui, study: &mut Study) {
    card(ui, "Participant's screen", |ui| screen(ui, study));
    if !study.questionnaires.is_empty() || !study.questionnaire_texts.is_empty() {
        card(ui, "Words of the program in questionnaires", |ui| words(ui, study));
    }
}

/// The part of the consent that is about the participant's screen.
pub fn consent_on_screen(ui: &mut Ui, study: &mut Study) {
    let consent = &mut study.consent;
    let mut is_participant = consent.by == ConsentBy::Participant;
    if ui.checkbox(&mut is_participant, "The participant agrees on their own screen").changed() {
        consent.by = if is_participant { ConsentBy::Participant } else { ConsentBy::Operator };
    }
    if is_participant {
        ui.columns(2, |columns| {
            text(&mut columns[0], "Participant's button", &mut consent.button, "I agree");
            text(&mut columns[1], "Label of a field for initials (empty: no field)", &mut consent.initials, "");
        });
    }
}

fn screen(ui: &mut Ui, study: &mut Study) {
    let participant = &mut study.participant;
    ui.horizontal(|ui| {
        let label = widgets::caption(ui, "Who sits at the screen");
        let combo = ComboBox::from_id_salt("seat").selected_text(seat_label(participant.screen)).width(220.0);
        let combo = combo.show_ui(ui, |ui| {
            for choice in [SeatChoice::Ask, SeatChoice::Participant, SeatChoice::Pilot] {
                ui.selectable_value(&mut participant.screen, choice, seat_label(choice));
            }
        });
        combo.response.labelled_by(label.id);
    });
    ui.columns(2, |columns| {
        text(&mut columns[0], "Before the recording", &mut participant.waiting, "Please wait.");
        text(&mut columns[1], "After the recording", &mut participant.closing, "Thank you.");
    });
    ui.checkbox(&mut participant.withdraw, "A button with which the participant can stop");
    if participant.withdraw {
        ui.columns(2, |columns| {
            text(&mut columns[0], "The button", &mut participant.withdraw_button, "Stop");
            text(&mut columns[1], "Its question", &mut participant.withdraw_question, "Do you want to stop?");
            text(&mut columns[0], "Answer that stops", &mut participant.withdraw_stop, "Stop");
            text(&mut columns[1], "Answer that goes on", &mut participant.withdraw_continue, "Continue");
        });
    }
    if let Some(page) = &mut study.page {
        let mut waits = page.on_crash == OnCrash::Wait;
        let label = "A page that crashed waits for the operator (otherwise it is loaded again at once)";
        if ui.checkbox(&mut waits, label).changed() {
            page.on_crash = if waits { OnCrash::Wait } else { OnCrash::Restart };
        }
    }
}

fn seat_label(choice: SeatChoice) -> &'static str {
    match choice {
        SeatChoice::Ask => "asked for each session",
        SeatChoice::Participant => "always a participant",
        SeatChoice::Pilot => "always the operator (pilot)",
    }
}

/// The words that the questionnaires of this study show, and those that the file has already.
fn words(ui: &mut Ui, study: &mut Study) {
    let (kinds, texts) = (&study.questionnaires, &mut study.questionnaire_texts);
    let is_shown = |one: &QuestionnaireText| texts.own(*one).is_some() || kinds.iter().any(|q| one.is_of(q.kind));
    let shown: Vec<QuestionnaireText> = QuestionnaireText::ALL.into_iter().filter(is_shown).collect();
    widgets::caption(ui, "Empty: the English word. With another language than `en`, none may be empty.");
    ui.columns(2, |columns| {
        for (k, one) in shown.into_iter().enumerate() {
            let mut value = texts.own(one).unwrap_or_default().to_owned();
            let before = value.clone();
            text(&mut columns[k % 2], word_label(one), &mut value, one.english());
            if value != before {
                texts.set(one, value);
            }
        }
    });
}

fn word_label(text: QuestionnaireText) -> &'static str {
    match text {
        QuestionnaireText::Language => "Language, as in HTML (en, de, zh-Hant)",
        QuestionnaireText::ContinueButton => "Button that ends a questionnaire",
        QuestionnaireText::OneMissing => "If one answer is missing",
        QuestionnaireText::SeveralMissing => "If several answers are missing",
        QuestionnaireText::ValenceRow => "Row of figures: valence",
        QuestionnaireText::ArousalRow => "Row of figures: arousal",
        QuestionnaireText::DominanceRow => "Row of figures: dominance",
        QuestionnaireText::GridTop => "Affect grid: above",
        QuestionnaireText::GridBottom => "Affect grid: below",
        QuestionnaireText::GridLeft => "Affect grid: left",
        QuestionnaireText::GridRight => "Affect grid: right",
        QuestionnaireText::GridSquare => "Affect grid: a square, for screen readers",
    }
}
