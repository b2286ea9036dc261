//! Converts a session's streams to XDF: channels of one type, and a time for each sample.
//!
//! The nominal rate is irregular (0), and the camera's rate is in the description. With a nominal rate, readers put samples
//! on a regular grid and lose their true times. A stream of Lab Streaming Layer has its sender's stamps and the measured offsets
//! of the sender's clock. All others are on the session's clock.

use super::chunks::{put_length, xml};
use super::sender_clock::SenderClock;
use crate::ExportedSession;
use crate::cells::{flag, seconds};
use crate::markup::append;
use session::{EventData, EventRow, FrameMeta, Gap, LslTimes, SampleSeries, StreamInfo, StreamKind, program};

pub(super) struct XdfStream<'a> {
    name: &'a str,
    /// Readers recognise streams of events by `Markers`.
    kind: &'a str,
    format: &'static str,
    channels: Vec<Channel<'a>>,
    software: &'a str,
    description: &'a str,
    nominal_rate_hz: Option<f64>,
    content: Content<'a>,
    taken: usize,
    /// `None`: the stream is on the session's clock, and its offset is zero.
    sender: Option<SenderClock<'a>>,
    /// The clock offsets that were written: the stream's time and the offset.
    offsets: Vec<(f64, f64)>,
}

struct Channel<'a> {
    label: &'a str,
    unit: &'a str,
    description: &'a str,
}

enum Content<'a> {
    Samples(&'a SampleSeries),
    Events(Vec<&'a EventRow<EventData>>),
    Gaps(&'a [EventRow<Gap>]),
    Frames(Vec<&'a FrameMeta>),
}

fn channel<'a>(label: &'a str, unit: &'a str, description: &'a str) -> Channel<'a> {
    Channel { label, unit, description }
}

impl<'a> XdfStream<'a> {
    /// All streams of the session, then all gaps, then the frames of the video.
    pub(super) fn all(session: &'a ExportedSession) -> Vec<XdfStream<'a>> {
        let timeline = &session.timeline;
        let times = LslTimes::of(timeline);
        let mut all: Vec<_> = timeline.streams().map(|info| XdfStream::of(session, info, &times)).collect();
        all.push(XdfStream {
            name: "gap",
            kind: "Markers",
            format: "string",
            channels: vec![
                channel("stream", "", "the stream with missing data"),
                channel("reason", "", "why"),
                channel("until", "s", "the gap's end, on the session's clock"),
                channel("lost", "1", "number of missing records, if known"),
                channel("note", "", "additional text"),
            ],
            software: &session.header.software,
            description: "missing data, from the sample's time on",
            nominal_rate_hz: None,
            content: Content::Gaps(timeline.gaps()),
            taken: 0,
            sender: None,
            offsets: Vec::new(),
        });
        // A driver's clock may step back. Times in XDF must not decrease.
        let mut frames: Vec<_> = session.frames.iter().collect();
        frames.sort_by_key(|f| f.at);
        all.push(XdfStream {
            name: "frame",
            kind: "VideoFrames",
            format: "int64",
            channels: vec![
                channel("frame", "1", "number of the frame in the session's video"),
                channel("device_sequence", "1", "the driver's sequence number, -1 if it has none"),
            ],
            software: &session.header.camera.name,
            description: "every stored frame at the time of its capture",
            nominal_rate_hz: Some(session.header.camera.rate_hz),
            content: Content::Frames(frames),
            taken: 0,
            sender: None,
            offsets: Vec::new(),
        });
        all
    }

    fn of(session: &'a ExportedSession, info: &'a StreamInfo, times: &LslTimes) -> XdfStream<'a> {
        let timeline = &session.timeline;
        let (kind, format, channels, content) = match (info.kind, timeline.series(info.name.as_str())) {
            (StreamKind::Samples, Some(series)) => {
                let channels = info.fields.iter().map(|f| channel(&f.name, &f.unit, &f.description)).collect();
                ("Affect", "float32", channels, Content::Samples(series))
            }
            _ => {
                let events = timeline.events().iter().filter(|e| e.stream.as_ref() == &info.name).collect();
                let channels =
                    vec![channel("kind", "", "kind of the event"), channel("data_json", "", "all other data, as JSON")];
                ("Markers", "string", channels, Content::Events(events))
            }
        };
        let (stored, seqs): (Vec<_>, Vec<_>) = match &content {
            Content::Samples(series) => series.times().iter().copied().zip(series.seqs().iter().copied()).unzip(),
            Content::Events(events) => events.iter().map(|e| (e.at, e.seq)).unzip(),
            Content::Gaps(_) | Content::Frames(_) => Default::default(),
        };
        let sender = SenderClock::of(timeline, info.name.as_str(), times, &stored, &seqs);
        let kind = sender.as_ref().and_then(|s| s.content_type).unwrap_or(kind);
        XdfStream {
            name: info.name.as_str(),
            kind,
            format,
            channels,
            software: &info.software,
            description: &info.description,
            nominal_rate_hz: info.nominal_rate_hz,
            content,
            taken: 0,
            sender,
            offsets: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        match &self.content {
            Content::Samples(series) => series.len(),
            Content::Events(events) => events.len(),
            Content::Gaps(gaps) => gaps.len(),
            Content::Frames(frames) => frames.len(),
        }
    }

    fn ns(&self, row: usize) -> i64 {
        match &self.content {
            Content::Samples(series) => series.times()[row],
            Content::Events(events) => events[row].at,
            Content::Gaps(gaps) => gaps[row].at,
            Content::Frames(frames) => frames[row].at,
        }
        .as_ns()
    }

    /// The time of a sample on the clock of the stream.
    fn stamp_s(&self, row: usize) -> f64 {
        self.sender.as_ref().map_or_else(|| self.ns(row) as f64 / 1e9, |sender| sender.stamp_s(row))
    }

    /// The clock offsets of a piece of the file, with their times on the clock of the stream.
    pub(super) fn take_offsets(&mut self, from_ns: i64, until_ns: i64) -> Vec<(f64, f64)> {
        let taken = match &mut self.sender {
            Some(sender) => sender.take_until(until_ns),
            None => vec![(from_ns as f64 / 1e9, 0.0)],
        };
        self.offsets.extend(&taken);
        taken
    }

    /// The time of the next sample. `None` after the last.
    pub(super) fn next_ns(&self) -> Option<i64> {
        (self.taken < self.len()).then(|| self.ns(self.taken))
    }

    /// The next samples before `until_ns`, at least one where one is left before it, with their number.
    pub(super) fn take_until(&mut self, until_ns: i64) -> Option<(usize, Vec<u8>)> {
        let from = self.taken;
        let mut bytes = Vec::new();
        while self.next_ns().is_some_and(|ns| ns < until_ns || ns == i64::MAX) {
            bytes.push(8);
            bytes.extend(self.stamp_s(self.taken).to_le_bytes());
            self.put_values(self.taken, &mut bytes);
            self.taken += 1;
        }
        (self.taken > from).then_some((self.taken - from, bytes))
    }

    fn put_values(&self, row: usize, to: &mut Vec<u8>) {
        let mut text = |text: &str| {
            put_length(to, text.len());
            to.extend(text.as_bytes());
        };
        match &self.content {
            Content::Samples(series) => {
                (0..self.channels.len()).for_each(|field| to.extend(series.column(field)[row].to_le_bytes()));
            }
            Content::Events(events) => {
                let what = &events[row].what;
                text(&what.kind);
                text(&serde_json::Value::Object(what.data.clone()).to_string());
            }
            Content::Gaps(gaps) => {
                let gap = &gaps[row];
                text(gap.stream.as_str());
                text(gap.what.reason.as_str());
                text(&seconds(gap.what.until));
                text(&gap.what.lost.to_string());
                text(&gap.what.note);
            }
            Content::Frames(frames) => {
                let sequence = frames[row].device_sequence.and_then(|n| i64::try_from(n).ok()).unwrap_or(-1);
                to.extend(i64::try_from(frames[row].number).unwrap_or(-1).to_le_bytes());
                to.extend(sequence.to_le_bytes());
            }
        }
    }

    pub(super) fn header_xml(&self, session: &ExportedSession) -> String {
        let h = &session.header;
        let mut text = format!(
            "<?xml version=\"1.0\"?><info><name>{}</name><type>{}</type><channel_count>{}</channel_count>\
             <nominal_srate>0</nominal_srate><channel_format>{}</channel_format><source_id>{}</source_id>\
             <version>1.0</version><created_at>0</created_at><session_id>{}</session_id><hostname>{}</hostname><desc>",
            xml(self.name),
            xml(self.kind),
            self.channels.len(),
            self.format,
            xml(&format!("affectograph/{}/{}/{}/{}", h.study.name, h.participant, h.session, self.name)),
            xml(&h.session.to_string()),
            xml(&h.host),
        );
        let mut put = |name: &str, value: &str| {
            append(&mut text, format_args!("<{name}>{}</{name}>", xml(value)));
        };
        put("description", self.description);
        put("software", self.software);
        put("exported_by", &program());
        put("study", &h.study.name);
        put("participant", h.participant.as_str());
        put("zero_utc", &h.zero_utc.to_rfc3339());
        put("condition", h.condition.as_deref().unwrap_or_default());
        put("condition_assigned", h.condition_assigned.as_deref().unwrap_or_default());
        put("pilot", flag(h.pilot));
        if let Some(rate_hz) = self.nominal_rate_hz {
            put("nominal_rate_hz", &rate_hz.to_string());
        }
        text.push_str("<channels>");
        for channel in &self.channels {
            append(
                &mut text,
                format_args!(
                    "<channel><label>{}</label><unit>{}</unit><type>{}</type><description>{}</description></channel>",
                    xml(channel.label),
                    xml(channel.unit),
                    xml(self.kind),
                    xml(channel.description)
                ),
            );
        }
        text.push_str("</channels></desc></info>");
        text
    }

    pub(super) fn footer_xml(&self) -> String {
        let mut text = String::from("<?xml version=\"1.0\"?><info>");
        if self.len() > 0 {
            let (first, last) = (self.stamp_s(0), self.stamp_s(self.len() - 1));
            append(
                &mut text,
                format_args!("<first_timestamp>{first}</first_timestamp><last_timestamp>{last}</last_timestamp>"),
            );
        }
        append(&mut text, format_args!("<sample_count>{}</sample_count><clock_offsets>", self.len()));
        for (at_s, offset_s) in &self.offsets {
            append(&mut text, format_args!("<offset><time>{at_s}</time><value>{offset_s}</value></offset>"));
        }
        text.push_str("</clock_offsets></info>");
        text
    }
}
