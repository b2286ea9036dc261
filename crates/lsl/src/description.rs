//! What a sender says about its stream: XML, of which the channels are read. The XML is kept whole.

use roxmltree::{Document, Node, ParsingOptions};

use super::LslError;
use super::error::MAX_CHANNELS;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Never empty, and no two of a stream are the same.
    pub label: String,
    /// As the sender writes it. Empty: not stated.
    pub unit: String,
    /// Such as `EEG`. Empty: not stated.
    pub content_type: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    pub channels: Vec<Channel>,
    /// As the sender sent it.
    pub xml: String,
}

/// A description has some nodes for each channel. More than this is no description.
const MAX_NODES: u32 = 1_000_000;
const MAX_LABEL_CHARS: usize = 60;

impl Description {
    /// `channels` is the number of channels of the stream. A description may list fewer or more.
    pub fn parse(stream: &str, xml: &str, channels: i32) -> Result<Description, LslError> {
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(LslError::Channels { stream: stream.to_owned(), channels });
        }
        let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(xml, options)
            .map_err(|e| LslError::Xml { stream: stream.to_owned(), why: e.to_string() })?;
        let listed: Vec<Node> = child(document.root_element(), "desc")
            .and_then(|desc| child(desc, "channels"))
            .map(|all| all.children().filter(|n| n.has_tag_name("channel")).collect())
            .unwrap_or_default();
        let mut named: Vec<Channel> = Vec::new();
        for k in 0..channels as usize {
            let said = |name: &str| {
                let text = listed.get(k).and_then(|c| child(*c, name)).and_then(|n| n.text()).unwrap_or_default();
                text.trim().chars().filter(|c| !c.is_control()).take(MAX_LABEL_CHARS).collect::<String>()
            };
            let label = free_label(&said("label"), k, |label| named.iter().any(|c| c.label == label));
            named.push(Channel { label, unit: said("unit"), content_type: said("type") });
        }
        Ok(Description { channels: named, xml: xml.to_owned() })
    }
}

fn child<'a, 'x>(of: Node<'a, 'x>, name: &str) -> Option<Node<'a, 'x>> {
    of.children().find(|n| n.has_tag_name(name))
}

/// A channel without a label is called by its number, from 1. A second one with the same label gets its number behind it.
fn free_label(label: &str, k: usize, is_taken: impl Fn(&str) -> bool) -> String {
    let number = k + 1;
    let plain = if label.is_empty() { format!("channel_{number}") } else { label.to_owned() };
    let numbered = std::iter::successors(Some(format!("{plain}_{number}")), |taken| Some(format!("{taken}_{number}")));
    std::iter::once(plain).chain(numbered).find(|label| !is_taken(label)).expect("the names do not end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const XML: &str = "<?xml version=\"1.0\"?><info><name>A</name><desc><manufacturer>M</manufacturer><channels>\
        <channel><label>Fp1</label><unit>microvolts</unit><type>EEG</type></channel>\
        <channel><label>Fp1</label><type> EOG </type></channel>\
        <channel><unit>&lt;V&gt;</unit></channel></channels></desc></info>";

    #[test]
    fn channels_keep_their_labels_units_and_types() {
        let d = Description::parse("A", XML, 4).unwrap();
        let said: Vec<[&str; 3]> = d.channels.iter().map(|c| [&*c.label, &*c.unit, &*c.content_type]).collect();
        assert_eq!(
            said,
            [["Fp1", "microvolts", "EEG"], ["Fp1_2", "", "EOG"], ["channel_3", "<V>", ""], ["channel_4", "", ""]]
        );
        assert_eq!(d.xml, XML);
        assert_eq!(Description::parse("A", XML, 1).unwrap().channels.len(), 1);
    }

    #[test]
    fn what_is_no_description_is_refused_with_a_sentence() {
        let refused = |xml: &str, n| Description::parse("A", xml, n).unwrap_err().to_string();
        assert!(refused("<info>", 1).contains("`A` is not XML"));
        assert!(refused(XML, 0).contains("0 channels"));
        assert!(refused(XML, i32::MAX).contains("channels"));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
        assert!(refused(bomb, 1).contains("not XML"), "entities are not expanded");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_no_two_labels_are_the_same(
            labels in prop::collection::vec("[a-c_0-9]{0,3}", 0..9), rest in "\\PC{0,80}", channels in 1i32..9
        ) {
            Description::parse("s", &rest, channels).ok();
            let each = labels.iter().map(|l| format!("<channel><label>{l}</label></channel>")).collect::<String>();
            let xml = format!("<info><desc><channels>{each}</channels></desc></info>");
            let d = Description::parse("s", &xml, channels).unwrap();
            let names: std::collections::BTreeSet<&str> = d.channels.iter().map(|c| c.label.as_str()).collect();
            prop_assert_eq!(names.len(), channels as usize);
            prop_assert!(!names.contains(""));
        }
    }
}
