//! Which stream of the network a source means.

use super::{LslError, StreamIdentity};
use session::SourceSettings;

/// The only stream that fits. `None`: none does. If several fit, none is chosen, because the wrong one may be recorded.
pub fn find_stream<'a>(
    streams: impl IntoIterator<Item = &'a StreamIdentity>,
    source: &SourceSettings,
) -> Result<Option<&'a StreamIdentity>, LslError> {
    let fits = |s: &&StreamIdentity| source.matches(&s.name, &s.content_type, &s.source_id);
    let found: Vec<&StreamIdentity> = streams.into_iter().filter(fits).collect();
    match found[..] {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        _ => {
            let describe = |s: &&StreamIdentity| {
                format!("name={},type={},source_id={} of {}", s.name, s.content_type, s.source_id, s.host)
            };
            let found = found.iter().map(describe).collect::<Vec<_>>().join("; ");
            Err(LslError::Ambiguous { query: source.to_string(), found })
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Format;

    pub fn stream(name: &str, source_id: &str, uid: &str) -> StreamIdentity {
        StreamIdentity {
            name: name.to_owned(),
            content_type: "EEG".to_owned(),
            source_id: source_id.to_owned(),
            uid: uid.to_owned(),
            host: "lab".to_owned(),
            lsl_session: "default".to_owned(),
            channels: 2,
            format: Format::Float32,
            rate_hz: Some(250.0),
            created_at_s: 0.0,
        }
    }

    #[test]
    fn one_stream_is_chosen_and_of_two_none() {
        let streams = [stream("A", "1", "x"), stream("A", "2", "y"), stream("B", "", "z")];
        let find = |query: &str| find_stream(&streams, &query.parse().unwrap()).map(|s| s.map(|s| s.uid.as_str()));
        assert_eq!(find("B"), Ok(Some("z")));
        assert_eq!(find("name=A,source_id=2"), Ok(Some("y")));
        assert_eq!(find("C"), Ok(None));
        let refused = find("type=EEG").unwrap_err().to_string();
        assert!(refused.contains("several") && refused.contains("source_id=2"), "{refused}");
    }

    #[test]
    fn a_restarted_sender_is_known_by_its_device() {
        let old = stream("A", "1", "x");
        assert!(old.is_successor(&stream("A", "1", "new")) && !old.is_successor(&stream("A", "2", "new")));
        let other = StreamIdentity { host: "elsewhere".to_owned(), ..stream("A", "1", "new") };
        assert!(old.is_successor(&other), "a device may move to another machine");
        let nameless = stream("A", "", "x");
        let elsewhere = StreamIdentity { source_id: String::new(), ..other };
        assert!(nameless.is_successor(&stream("A", "", "new")) && !nameless.is_successor(&elsewhere));
        let wider = StreamIdentity { channels: 3, ..stream("A", "1", "new") };
        assert!(old.is_successor(&wider));
    }

    #[test]
    fn a_sender_that_is_back_in_another_form_is_known_by_it() {
        let old = stream("A", "1", "x");
        let back = |channels, rate_hz| StreamIdentity { channels, rate_hz, ..stream("A", "1", "new") };
        assert_eq!(old.difference_of(&back(2, Some(250.01))), None);
        let wider = old.difference_of(&back(3, Some(250.0)));
        assert_eq!(wider.as_deref(), Some("it has 3 channels of float32 and had 2 channels of float32"));
        assert_eq!(old.difference_of(&back(2, Some(500.0))).as_deref(), Some("it has 500 Hz and had 250 Hz"));
        assert_eq!(old.difference_of(&back(2, None)).as_deref(), Some("it has no fixed rate and had 250 Hz"));
    }
}
