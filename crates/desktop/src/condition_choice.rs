//! The condition of a new session.

use eframe::egui;
use egui::{ComboBox, RichText, Ui};

use super::port::{SessionPlan, StudyRow};
use super::state::PlanDraft;
use super::widgets;

/// The participant's condition. The operator can choose another one, which is stored as such.
pub fn show(ui: &mut Ui, draft: &mut PlanDraft, study: &StudyRow, plan: &SessionPlan) {
    let Some(proposed) = study.conditions.proposed(&plan.participant) else { return };
    ui.add_space(6.0);
    let label = widgets::caption(ui, "Condition");
    let shown = draft.condition.as_deref().unwrap_or(proposed).to_owned();
    let combo = ComboBox::from_id_salt("condition").selected_text(&shown).width(ui.available_width()).truncate();
    let combo = combo.show_ui(ui, |ui| {
        for condition in &study.conditions.conditions {
            let name = condition.name.as_str();
            let text = if name == proposed { format!("{name} (assigned)") } else { name.to_owned() };
            if ui.selectable_label(name == shown, text).on_hover_text(&condition.description).clicked() {
                draft.condition = (name != proposed).then(|| name.to_owned());
            }
        }
    });
    combo.response.labelled_by(label.id);
    let is_known = study.conditions.kept(&plan.participant).is_some();
    let message = match (&draft.condition, is_known) {
        (Some(_), true) => format!("Chosen by hand. Until now this participant has {proposed}."),
        (Some(_), false) => format!("Chosen by hand. The random order proposes {proposed}. Both are stored."),
        (None, true) => "This participant has this condition already.".to_owned(),
        (None, false) => "Proposed by the study's random order.".to_owned(),
    };
    ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
}
