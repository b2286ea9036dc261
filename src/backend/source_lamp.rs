//! What set-up and recording show of one source.

use desktop::port::CheckState;
use recording::{SourceLevel, SourceNews, SourceState};

#[derive(Clone, Debug, PartialEq)]
pub struct SourceLamp {
    /// The name by which the news of a recording refer to it.
    name: String,
    state: CheckState,
    sentence: String,
    /// What it is, from the news that it was found.
    described: String,
}

impl SourceLamp {
    /// In a set-up. A source that the study does not require does not hold up the recording.
    pub fn of_state(state: SourceState) -> SourceLamp {
        let lamp = match (state.level, state.source.required) {
            (SourceLevel::Waiting, true) => CheckState::Waiting,
            (SourceLevel::Sound, _) => CheckState::Ok,
            (SourceLevel::Failed, true) => CheckState::Failed,
            (SourceLevel::Waiting | SourceLevel::Doubtful | SourceLevel::Failed, _) => CheckState::Warning,
        };
        let SourceState { source, sentence, .. } = state;
        SourceLamp { name: source.to_string(), state: lamp, sentence, described: String::new() }
    }

    /// Takes the news of a source into the lamps of a recording.
    pub fn note(lamps: &mut Vec<SourceLamp>, name: &str, news: &SourceNews) {
        let place = lamps.iter().position(|lamp| lamp.name == name).unwrap_or_else(|| {
            let (name, described) = (name.to_owned(), name.to_owned());
            lamps.push(SourceLamp { name, state: CheckState::Ok, sentence: String::new(), described });
            lamps.len() - 1
        });
        let lamp = &mut lamps[place];
        lamp.state = match news {
            SourceNews::Found(described) => {
                lamp.described.clone_from(described);
                CheckState::Ok
            }
            SourceNews::Back => CheckState::Ok,
            SourceNews::Missing(_) | SourceNews::Clock(_) | SourceNews::Awaited(_) => CheckState::Warning,
            SourceNews::Lost(_) | SourceNews::Silent | SourceNews::Unplugged(_) | SourceNews::NotSent(_) => {
                CheckState::Failed
            }
        };
        lamp.sentence = match news {
            SourceNews::Found(_) | SourceNews::Back => format!("{} is recorded.", lamp.described),
            _ => format!("{} {news}.", lamp.described),
        };
    }

    pub fn finding(&self) -> (CheckState, String) {
        (self.state, self.sentence.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::SourceSettings;

    fn state_of(level: SourceLevel, required: bool) -> CheckState {
        let source = SourceSettings { required, ..SourceSettings::default() };
        SourceLamp::of_state(SourceState { source, level, sentence: String::new() }).finding().0
    }

    #[test]
    fn only_a_required_source_holds_up_the_recording() {
        assert_eq!(state_of(SourceLevel::Failed, true), CheckState::Failed);
        assert_eq!(state_of(SourceLevel::Waiting, true), CheckState::Waiting);
        for level in [SourceLevel::Failed, SourceLevel::Waiting, SourceLevel::Doubtful] {
            assert_eq!(state_of(level, false), CheckState::Warning);
        }
        assert_eq!(state_of(SourceLevel::Doubtful, true), CheckState::Warning);
        assert_eq!(state_of(SourceLevel::Sound, true), CheckState::Ok);
    }

    #[test]
    fn a_recording_has_one_lamp_for_each_source_in_the_news() {
        let mut lamps = Vec::new();
        let news = [
            ("lsl_amp", SourceNews::Found("amp (EEG)".into())),
            ("name=EDA", SourceNews::Missing("no stream is there".into())),
            ("lsl_amp", SourceNews::Silent),
        ];
        news.iter().for_each(|(name, news)| SourceLamp::note(&mut lamps, name, news));
        let findings: Vec<_> = lamps.iter().map(SourceLamp::finding).collect();
        let silent = "amp (EEG) sends nothing. Check its device and its program.".to_owned();
        let missing = "name=EDA is not recorded: no stream is there.".to_owned();
        assert_eq!(findings, [(CheckState::Failed, silent), (CheckState::Warning, missing)]);
        SourceLamp::note(&mut lamps, "lsl_amp", &SourceNews::Back);
        assert_eq!(lamps[0].finding(), (CheckState::Ok, "amp (EEG) is recorded.".to_owned()));
    }
}
