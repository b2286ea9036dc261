//! Streams of other instruments over Lab Streaming Layer: found before a recording starts, received while it runs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::SourceError;
use super::hand_over::{HandOvers, MarkerTexts, SetUpSources};
use super::lsl_sink::InputSink;
use super::rig_event::{EventSender, RigEvent, SourceNews};
use lsl::{
    Channel, ClockLink, ClockMeasurement, Format, FoundStream, Inlet, InletThread, LslError, Network, StreamIdentity,
    find_stream,
};
use session::{
    Clock, Field, HEALTH, HealthKind, SourceKind, SourceSettings, StreamInfo, StreamName, lsl_clock_stream, lsl_stream,
    lsl_stream_name,
};
use store::Recorder;

/// All sources together are looked for this long.
pub(super) const FIND_WITHIN: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_secs(1);
/// For each step of connecting.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Connected, and not yet received.
pub(super) struct LslInputs {
    ready: Vec<Ready>,
    missing: Vec<(SourceSettings, LslError)>,
}

/// Connected, with the first measurement of its sender's clock.
pub(super) struct Ready {
    pub(super) inlet: Inlet,
    pub(super) first: ClockMeasurement,
    info: StreamInfo,
    markers: Option<MarkerTexts>,
}

/// Dropping it ends the threads, all at once.
#[derive(Default)]
pub(super) struct RunningInputs(Vec<InletThread>);

impl RunningInputs {
    /// Takes what has arrived and ends the threads.
    pub(super) fn stop(&mut self) {
        self.0.iter_mut().for_each(InletThread::ask_to_stop);
        self.0.drain(..).for_each(InletThread::stop);
    }
}

impl Drop for RunningInputs {
    fn drop(&mut self) {
        self.stop();
    }
}

impl LslInputs {
    /// Finds each source, connects, and measures its sender's clock. A required source that is not there is the error, unless
    /// `may_miss`. Without sources, liblsl is not loaded.
    pub(super) fn find(sources: &[SourceSettings], may_miss: bool) -> Result<LslInputs, SourceError> {
        let mut inputs = LslInputs { ready: Vec::new(), missing: Vec::new() };
        let sources: Vec<SourceSettings> =
            sources.iter().filter(|source| source.kind == SourceKind::Lsl).cloned().collect();
        if sources.is_empty() {
            return Ok(inputs);
        }
        let streams = match Network::get().and_then(|network| look(network, &sources)) {
            Ok(streams) => streams,
            Err(e) => {
                inputs.missing = sources.into_iter().map(|source| (source, e.clone())).collect();
                return inputs.unless_required(may_miss);
            }
        };
        let mut taken = BTreeSet::new();
        for source in &sources {
            let others = &inputs.ready;
            let is_used = |name: &StreamName| others.iter().any(|other| other.info.name == *name);
            match connect(&streams, source, &mut taken, is_used) {
                Ok(ready) => inputs.ready.push(ready),
                Err(e) => inputs.missing.push((source.clone(), e)),
            }
        }
        inputs.unless_required(may_miss)
    }

    fn unless_required(self, may_miss: bool) -> Result<LslInputs, SourceError> {
        match self.missing.iter().find(|(source, _)| source.required && !may_miss) {
            Some((_, e)) => Err(e.clone().into()),
            None => Ok(self),
        }
    }

    /// The streams that the session gets.
    pub(super) fn streams(&self) -> Vec<StreamInfo> {
        let clock = (!self.ready.is_empty()).then(lsl_clock_stream);
        self.ready.iter().map(|ready| ready.info.clone()).chain(clock).collect()
    }

    /// Receives from now on, and what `set_up` kept.
    pub(super) fn start(
        self,
        recorder: &Recorder,
        clock: Clock,
        news: &EventSender,
        set_up: Option<SetUpSources>,
    ) -> Result<RunningInputs, SourceError> {
        let health = recorder.stream(HEALTH)?;
        for (source, why) in self.missing {
            let (at, name, why) = (clock.now(), source.to_string(), why.to_string());
            let data = serde_json::json!({ "source": name, "why": why });
            // The recorder counts a record that it could not take.
            health.event(at, HealthKind::SourceMissing.as_str(), data).ok();
            news.send(RigEvent::Source { at, name, news: SourceNews::Missing(why) });
        }
        let mut running = RunningInputs::default();
        let mut hand_overs = HandOvers::of(set_up);
        for Ready { inlet, first, info, markers } in self.ready {
            let (at, name) = (clock.now(), info.name.to_string());
            news.send(RigEvent::Source { at, name, news: SourceNews::Found(described(inlet.identity())) });
            let hand_over = hand_overs.begin(&inlet.identity().uid);
            let sink = InputSink::of(recorder, &info.name, clock, news.clone())?.with_markers(markers, hand_over);
            let link = ClockLink::measure(clock)?;
            running.0.push(InletThread::start(inlet, first, link, sink.into_sink())?);
        }
        hand_overs.finish();
        Ok(running)
    }
}

/// The streams of the network, as soon as each source is among them, or after [`FIND_WITHIN`].
fn look(network: Network, sources: &[SourceSettings]) -> Result<Vec<FoundStream>, LslError> {
    let deadline = Instant::now() + FIND_WITHIN;
    loop {
        let (streams, refused) = network.streams(LOOK)?;
        refused.iter().for_each(|e| tracing::warn!("{e}"));
        let is_there = |source: &SourceSettings| {
            streams.iter().any(|s| source.matches(&s.identity.name, &s.identity.content_type, &s.identity.source_id))
        };
        if sources.iter().all(is_there) || Instant::now() >= deadline {
            return Ok(streams);
        }
    }
}

/// `taken` are the identifiers of the streams of other sources. `is_used`: whether a session's stream has this name already.
pub(super) fn connect(
    streams: &[FoundStream],
    source: &SourceSettings,
    taken: &mut BTreeSet<String>,
    is_used: impl Fn(&StreamName) -> bool,
) -> Result<Ready, LslError> {
    let Some(found) = find_stream(streams.iter().map(|s| &s.identity), source)? else {
        let query = source.to_string();
        return Err(LslError::NotFound { query, seconds: FIND_WITHIN.as_secs(), hint: hint(streams) });
    };
    let Some(found) =
        streams.iter().find(|s| s.identity.uid == found.uid).filter(|s| taken.insert(s.identity.uid.clone()))
    else {
        return Err(LslError::Taken { query: source.to_string(), stream: found.name.clone() });
    };
    let mut inlet = Inlet::connect(found, ANSWER_WITHIN)?;
    let first = inlet.measure_clock(ANSWER_WITHIN)?;
    let name = lsl_stream_name(&inlet.identity().name, is_used);
    let info = stream_info(name, &inlet);
    Ok(Ready { inlet, first, info, markers: MarkerTexts::of(source) })
}

fn hint(streams: &[FoundStream]) -> String {
    if streams.is_empty() {
        return "No stream is on the network. Start the sender's program and check the network and its firewall"
            .to_owned();
    }
    let names: Vec<&str> = streams.iter().map(|s| s.identity.name.as_str()).collect();
    format!("On the network: {}", names.join(", "))
}

/// `EDA (GSR), 1 channel of float32 at 250 Hz, of lab-pc`
pub(super) fn described(stream: &StreamIdentity) -> String {
    let channels = if stream.channels == 1 { "1 channel".to_owned() } else { format!("{} channels", stream.channels) };
    let rate = stream.rate_hz.map_or_else(|| "without a fixed rate".to_owned(), |hz| format!("at {hz} Hz"));
    format!(
        "{} ({}), {channels} of {} {rate}, of {}",
        stream.name,
        if stream.content_type.is_empty() { "no type" } else { &stream.content_type },
        stream.format.as_str(),
        stream.host
    )
}

fn stream_info(name: StreamName, inlet: &Inlet) -> StreamInfo {
    let identity = inlet.identity();
    let fields = fields(&inlet.description().channels, identity.format);
    let description = format!("Lab Streaming Layer: {}; source_id `{}`", described(identity), identity.source_id);
    let software =
        format!("{}, {}", session::program(), Network::get().map_or_else(|_| String::new(), Network::library_info));
    lsl_stream(name, description, fields, identity.rate_hz, software)
}

/// No two have the same name, because tables find fields by their names.
fn fields(channels: &[Channel], format: Format) -> Vec<Field> {
    let (floats, sent) = (format.floats_per_value(), format.as_str());
    let mut names: BTreeSet<String> = channels.iter().map(|channel| channel.label.clone()).collect();
    let mut fields = Vec::new();
    for Channel { label, unit, content_type } in channels {
        let unit = if unit.is_empty() { "n/a" } else { unit };
        let content = if content_type.is_empty() { "no type stated" } else { content_type };
        if floats > 0 {
            fields.push(Field::new(label, unit, format!("{content}; sent as {sent}")));
        }
        if floats > 1 {
            let mut rest = format!("{label}_rest");
            while !names.insert(rest.clone()) {
                rest.push('_');
            }
            let about = format!("what the 32-bit value of `{label}` leaves of the {sent}: the value sent is their sum");
            fields.push(Field::new(rest, unit, about));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_fields_have_the_same_name() {
        let labels = ["a", "a_rest", "a_rest_", "b"];
        let channels =
            labels.map(|label| Channel { label: label.to_owned(), unit: String::new(), content_type: String::new() });
        let fields = fields(&channels, Format::Double64);
        let names: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!((names.len(), fields.len()), (8, 8), "{names:?}");
        assert_eq!((fields[0].name.as_str(), fields[1].name.as_str()), ("a", "a_rest__"));
        assert_eq!(fields[7].name, "b_rest");
    }
}
