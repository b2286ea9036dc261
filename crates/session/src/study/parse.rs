//! Reads a study from its text.

use super::check;
use super::error::{StudyError, at};
use super::model::Study;

impl Study {
    pub fn parse(text: &str) -> Result<Study, StudyError> {
        let study = Study::unchecked(text)?;
        study.check(text)?;
        Ok(study)
    }

    /// The study that an editor shows, which need not be complete. It may not be recorded.
    pub fn unchecked(text: &str) -> Result<Study, StudyError> {
        toml::from_str(text).map_err(|e| {
            let offset = e.span().map_or(0, |s| s.start);
            at(text, offset, e.message().to_owned())
        })
    }

    /// What TOML's grammar cannot express. `text` is the study's text, for the place of an error.
    pub fn check(&self, text: &str) -> Result<(), StudyError> {
        check::check(self).map_err(|wrong| at(text, wrong.offset(text), wrong.message))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::page::{OnCrash, PagePlacement};
    use super::super::participant::{ConsentBy, Seat};
    use super::super::phases::PhaseKind;
    use super::*;
    use proptest::prelude::*;

    const SMALL: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";

    #[test]
    fn a_small_study_gets_sensible_defaults() {
        let s = Study::parse(SMALL).unwrap();
        assert_eq!((s.camera.width_px, s.camera.rate_hz), (640, 30.0));
        assert_eq!(s.affect_model, "affect");
        assert_eq!(s.placement(), PagePlacement::Auto);
    }

    #[test]
    fn a_typo_is_found_by_line_and_column() {
        let e = Study::parse(&SMALL.replace("address", "adress")).unwrap_err();
        assert_eq!((e.line, e.column), (4, 1), "{e}");
        assert!(e.message.contains("adress"), "{e}");
        let e = Study::parse(&SMALL.replace("\"demo\"", "\"../demo\"")).unwrap_err();
        assert_eq!(e.line, 1, "{e}");
        let e = Study::parse(&format!(
            "{SMALL}[[markers]]\nkey = \"1\"\nlabel = \"a\"\n[[markers]]\nkey = \"1\"\nlabel = \"b\"\n"
        ))
        .unwrap_err();
        assert!(e.to_string().contains("twice"), "{e}");
    }

    #[test]
    fn a_camera_can_be_left_out_if_something_else_is_recorded() {
        let without =
            |more: &str| Study::parse(&format!("name = \"a\"\ntitle = \"A\"\n{more}[camera]\nrecord = false\n"));
        let e = without("").unwrap_err();
        assert!(e.line == 3 && e.message.contains("needs `[[sources]]` or a page"), "{e}");
        let study = without("[[sources]]\nkind = \"lsl\"\nname = \"EDA\"\n").unwrap();
        assert!(!study.camera.record && without("[page]\naddress = \"p\"\n").is_ok());
        assert!(toml::to_string(&study).unwrap().contains("record = false"));
        assert!(!toml::to_string(&Study::parse(SMALL).unwrap()).unwrap().contains("record ="));
    }

    #[test]
    fn phases_are_tasks_unless_they_say_otherwise() {
        let phase = |name: &str, more: &str| format!("[[phases]]\nname = \"{name}\"\nseconds = 60\n{more}\n");
        let (rest, work) = (phase("rest", "kind = \"baseline\""), phase("work", ""));
        let study = Study::parse(&format!("annotation_labels = [\"smile\", \"talk\"]\n{SMALL}{rest}{work}")).unwrap();
        assert_eq!(study.phases[1].kind, PhaseKind::Task);
        assert_eq!(study.baseline_phases().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["rest"]);
        assert_eq!(study.annotation_labels, ["smile", "talk"]);
        let e = Study::parse(&format!("{SMALL}{work}{rest}")).unwrap_err();
        assert!(e.message.contains("before the tasks"), "{e}");
        let e = Study::parse(&format!("annotation_labels = [\"a\", \"a\"]\n{SMALL}")).unwrap_err();
        assert!(e.line == 1 && e.message.contains("twice"), "{e}");
    }

    #[test]
    fn the_participants_screen_is_the_studys_own() {
        let s = Study::parse(SMALL).unwrap();
        assert_eq!((s.participant.screen.fixed(), s.page.as_ref().unwrap().on_crash), (None, OnCrash::Restart));
        assert!(!s.participant.withdraw && s.consent.by == ConsentBy::Operator);
        let text = "on_crash = \"wait\"\n[participant]\nscreen = \"participant\"\nwaiting = \"Bitte warten.\"\n\
            withdraw = true\n[consent]\nby = \"participant\"\ntext = \"Ja?\"\n";
        let s = Study::parse(&format!("{SMALL}{text}")).unwrap();
        assert_eq!(s.participant.screen.fixed(), Some(Seat::Participant));
        assert_eq!(
            (s.participant.waiting.as_str(), s.page.as_ref().unwrap().on_crash),
            ("Bitte warten.", OnCrash::Wait)
        );
        let e = Study::parse(&format!("{SMALL}placement = \"embedded\"\n{text}")).unwrap_err();
        assert!(e.line == 5 && e.message.contains("own measurement"), "{e}");
        let e = Study::parse(&format!("{SMALL}[consent]\nby = \"participant\"\n")).unwrap_err();
        assert!(e.line == 5 && e.message.contains("empty text"), "{e}");
    }

    #[test]
    fn a_study_may_have_no_page() {
        let study = Study::parse("name = \"talk\"\ntitle = \"Talk\"\n").unwrap();
        assert!(study.page.is_none() && !study.needs_window());
        assert_eq!((study.placement(), study.planned(false)), (PagePlacement::Auto, None));
        let phases = "[[phases]]\nname = \"talk\"\nseconds = 30\n";
        let study = Study::parse(&format!("name = \"talk\"\ntitle = \"Talk\"\n{phases}")).unwrap();
        assert_eq!(study.timed_phases().count(), 1);
        assert_eq!(study.planned(false), Some(Duration::from_secs(30)));
        let rest = format!("name = \"talk\"\ntitle = \"Talk\"\n{phases}kind = \"baseline\"\n");
        assert!(Study::parse(&rest).unwrap().needs_window(), "the cross needs a window");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            Study::parse(&text).ok();
            Study::parse(&format!("{SMALL}{text}")).ok();
        }
    }
}
