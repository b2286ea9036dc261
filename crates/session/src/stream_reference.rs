//! The page `docs/streams.md`: every stream, field, reason of a gap and kind of technical event, as the program describes them.
//! `cargo xtask streams` writes the page. A unit test compares the page with this code.

use super::streams::*;
use super::{GapReason, HealthKind, StreamInfo, StreamKind, capitalised, lsl_clock_stream};

/// Any rate: the page states that rates depend on the recording.
const ANY_RATE_HZ: f64 = 30.0;

const HEAD: &str = "# Streams and fields

This page is written by `cargo xtask streams` from the code that describes streams. Each session file contains the descriptions of its own streams.
[Export and import](formats.md) states what each format makes of them.

A *sample stream* has rows of numbers at times of the session clock. A field has a name, a unit and a meaning. The unit `1` is a plain number. A
missing row is a gap with a reason, listed below.

An *event stream* has events. An event has a time, a kind and data.
";

const NAMES: &str = "## Names that depend on the session

| name | content |
| --- | --- |
| `lsl_<name>` | a stream of Lab Streaming Layer; fields, units and rate are those of its sender ([Lab Streaming Layer](lsl.md)) |
| `serial_<name>` | triggers that came at a serial port, and bytes that were sent ([Triggers](triggers.md)) |
| `import_<name>` | events of another program, imported after the recording ([Export and import](formats.md)) |
| `affect_later`, `face_later`, `landmarks_later`, `action_later`, `eyes_later` | the fields of the stream without `_later`, for frames that were scored after the recording |
| `affect_<network>`, `face_<network>`, … | the same fields, for all frames, scored again with another network |
| `pulse_2`, `pulse_3` … | the fields of `pulse`, computed again |
";

/// The page as Markdown.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Sample streams\n");
    for stream in sample_streams() {
        sample_table(&mut page, &stream);
    }
    page.push_str("\n## Event streams\n\n| stream | content |\n| --- | --- |\n");
    for stream in event_streams() {
        row(&mut page, &[code(stream.name.as_str()), cell(&stream.description)]);
    }
    page.push('\n');
    page.push_str(NAMES);
    page.push_str("\n## Reasons of gaps\n\nThe column *loss* states whether captured data was lost permanently.\n\n");
    page.push_str("| reason | meaning | loss |\n| --- | --- | --- |\n");
    for reason in GapReason::ALL {
        let loss = if reason.is_loss() { "yes" } else { "no" };
        row(&mut page, &[code(reason.as_str()), cell(&reason.to_string()), loss.to_owned()]);
    }
    page.push_str("\n## Kinds of technical events\n\nThe stream `health` has events of these kinds. A browser may send other kinds.\n\n");
    page.push_str("| kind | meaning |\n| --- | --- |\n");
    for kind in HealthKind::ALL {
        row(&mut page, &[code(kind.as_str()), cell(kind.meaning())]);
    }
    page
}

fn sample_streams() -> [StreamInfo; 8] {
    let network = "a network";
    [
        affect_stream(ANY_RATE_HZ, network),
        face_stream(ANY_RATE_HZ, network),
        landmarks_stream(ANY_RATE_HZ, network),
        action_stream(ANY_RATE_HZ, network),
        eyes_stream(ANY_RATE_HZ, network),
        skin_stream(ANY_RATE_HZ, network),
        pulse_stream(network),
        rating_stream(),
    ]
}

fn event_streams() -> [StreamInfo; 15] {
    [
        page_stream(),
        blink_stream("a network"),
        marker_stream(),
        phase_stream(),
        questionnaire_stream(),
        annotation_stream(),
        deleted_stream(),
        health_stream(),
        video_stream("a camera"),
        video_frame_stream(),
        page_clock_stream(),
        lsl_clock_stream(),
        replay_stream(),
        server_stream(),
        compaction_stream(),
    ]
}

fn sample_table(page: &mut String, stream: &StreamInfo) {
    debug_assert_eq!(stream.kind, StreamKind::Samples);
    page.push_str(&format!("\n### `{}`\n\n{}.\n\n", stream.name, capitalised(&stream.description)));
    page.push_str("| field | unit | meaning |\n| --- | --- | --- |\n");
    for field in listed_fields(stream) {
        row(page, &[code(&field.0), code(&field.1), cell(&field.2)]);
    }
}

/// Name, unit and meaning. The 136 coordinates of the landmarks are two rows.
fn listed_fields(stream: &StreamInfo) -> Vec<(String, String, String)> {
    if stream.name.as_str() == LANDMARKS {
        let points = stream.fields.len() / 2;
        let axis = |name: &str, way: &str| {
            let names = format!("{name}0 … {name}{}", points - 1);
            (
                names,
                "px".to_owned(),
                format!("{way} from the upper left corner of the picture, points in iBUG 300-W order"),
            )
        };
        return vec![axis("x", "to the right"), axis("y", "downwards")];
    }
    stream.fields.iter().map(|f| (f.name.clone(), f.unit.clone(), f.description.clone())).collect()
}

fn row(page: &mut String, cells: &[String]) {
    page.push_str(&format!("| {} |\n", cells.join(" | ")));
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A `|` would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_manual_is_what_the_code_describes() {
        let page = include_str!("../../../docs/streams.md");
        assert!(
            page == markdown(),
            "docs/streams.md differs from the descriptions of the streams: run `cargo xtask streams`"
        );
    }

    #[test]
    fn every_built_in_stream_is_on_the_page() {
        let source = include_str!("streams.rs");
        let declared: Vec<&str> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub const ")?.split_once(": &str = \"")?.1.strip_suffix("\";"))
            .filter(|name| *name != IMPORTED)
            .collect();
        assert!(declared.len() >= 20, "{declared:?}");
        let page = markdown();
        for name in declared {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
