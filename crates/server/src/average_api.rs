//! The mean of valence and arousal, or of another signal, around events, for the dashboard.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::blocking::{CancelOnDrop, with_permit};
use super::library_api::closed_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use analysis::{AnalysisError, Average, Correction, EpochPlan, EventChoice, SignalId, average as average_of};
use session::StreamName;
use study_query::{Cancel, Pilots, Question, StudyQueryError, ask};

/// The kind of the refusal of a study without an average.
const NOTHING_TO_AVERAGE: &str = "nothing-to-average";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AverageQuery {
    /// `page`
    stream: String,
    /// `click`
    kind: String,
    /// The recorded selector of the element.
    target: Option<String>,
    /// The event's value, for example the name of a mark.
    value: Option<String>,
    /// Only events of sessions with this condition of the study.
    condition: Option<String>,
    /// Start of an epoch in seconds from its event. Default: -1
    from_s: Option<f64>,
    /// End of an epoch in seconds from its event. Default: 4
    until_s: Option<f64>,
    /// `STREAM.FIELD`, for example `lsl_eda.EDA`. Default: valence and arousal of the stream `affect`
    signal: Option<String>,
}

impl AverageQuery {
    /// If the window begins before the event, the time before the event is the baseline.
    pub fn plan(&self) -> Result<EpochPlan, Problem> {
        let defaults = EpochPlan::default();
        let window_s = (self.from_s.unwrap_or(defaults.window_s.0), self.until_s.unwrap_or(defaults.window_s.1));
        let has_before = window_s.0 < 0.0;
        let signals = match &self.signal {
            Some(signal) => vec![signal.parse::<SignalId>().map_err(|why| Problem::malformed(format!("{why}.")))?],
            None => defaults.signals,
        };
        Ok(EpochPlan {
            window_s,
            baseline_s: has_before.then_some((window_s.0, window_s.1.min(0.0))),
            zero: if has_before { defaults.zero } else { Correction::Raw },
            signals,
            ..defaults
        })
    }

    pub fn choice(self) -> Result<EventChoice, Problem> {
        choice(&self.stream, self.kind, self.target, self.value, self.condition)
    }
}

/// The events that a query names.
pub fn choice(
    stream: &str,
    kind: String,
    target: Option<String>,
    value: Option<String>,
    condition: Option<String>,
) -> Result<EventChoice, Problem> {
    let stream: StreamName = stream.parse().map_err(|why| Problem::malformed(format!("{why}.")))?;
    Ok(EventChoice { kind: Some(kind), target, value, condition, ..EventChoice::stream(stream) })
}

/// The folders of the study's closed sessions, without pilots. `refusal` is the kind of the problem of a study that has none.
pub async fn folders_to_analyse(app: &App, study: &str, refusal: &str) -> Result<Vec<PathBuf>, Problem> {
    let folders = closed_of(app, study, Pilots::LeftOut).await?;
    if folders.is_empty() {
        let detail = "This study has no closed session yet. Try again when a session has ended.";
        return Err(Problem::conflict(refusal, detail));
    }
    Ok(folders)
}

/// The mean around a kind of event, over all closed sessions of a study.
#[derive(Serialize, ToSchema)]
pub struct AverageResult {
    times_s: Vec<f64>,
    /// Absent if another signal was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    valence: Option<Band>,
    /// Absent if another signal was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    arousal: Option<Band>,
    /// The signals that were asked for: valence and arousal, or the one of the request.
    signals: Vec<SignalBand>,
    participants: u64,
    epochs: u64,
    matched: u64,
    /// Number of dropped epochs by reason.
    dropped: BTreeMap<String, u64>,
    sessions: usize,
    /// One sentence for each session that could not be read.
    left_out: Vec<String>,
}

/// A mean with its 95 % confidence interval. The interval exists if there is more than one unit.
#[derive(Serialize, ToSchema)]
pub struct Band {
    mean: Vec<f64>,
    low: Option<Vec<f64>>,
    high: Option<Vec<f64>>,
}

impl Band {
    fn of(a: &Average) -> Band {
        Band {
            mean: a.mean.clone(),
            low: a.interval.as_ref().map(|i| i.low.clone()),
            high: a.interval.as_ref().map(|i| i.high.clone()),
        }
    }
}

/// The mean of one signal.
#[derive(Serialize, ToSchema)]
pub struct SignalBand {
    /// `STREAM.FIELD`
    signal: String,
    /// Of the stored values.
    unit: String,
    #[serde(flatten)]
    band: Band,
}

impl SignalBand {
    pub fn of(a: &Average) -> SignalBand {
        SignalBand { signal: a.measure.signal.to_string(), unit: a.measure.unit.clone(), band: Band::of(a) }
    }
}

/// The band of valence or arousal of the stream `affect`, if it is among the averages.
pub fn band_of(averages: &[Average], signal: &SignalId) -> Option<Band> {
    averages.iter().find(|a| a.measure.signal == *signal).map(Band::of)
}

/// The mean of valence and arousal, or of another signal, around events of one kind.
#[utoipa::path(get, path = "/v1/library/studies/{study}/average", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path), AverageQuery),
    responses((status = 200, body = AverageResult), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn average(
    State(app): State<App>,
    _: Owner,
    Path(study): Path<String>,
    query: Result<Query<AverageQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<AverageResult>, Problem> {
    let Query(query) =
        query.map_err(|_| Problem::malformed("The query must have `stream` and `kind` of the events."))?;
    let plan = query.plan()?;
    let question = Question { plan, conditions: vec![query.choice()?] };
    let folders = folders_to_analyse(&app, &study, NOTHING_TO_AVERAGE).await?;
    let cancel = Cancel::default();
    let _given_up = CancelOnDrop(cancel.clone());
    let result = with_permit(&app.read_permits, move || compute(&folders, &question, &cancel)).await?;
    result.map(Json).map_err(|e| Problem::conflict(NOTHING_TO_AVERAGE, format!("{e}.")))
}

fn compute(folders: &[PathBuf], question: &Question, cancel: &Cancel) -> Result<AverageResult, StudyQueryError> {
    let answer = ask(folders, question, |_| {}, cancel)?;
    answer.check()?;
    let sessions = answer.condition(0);
    let averages = question.plan.signals.iter().map(|signal| average_of(&sessions, &question.plan, signal));
    let averages: Vec<Average> = averages.collect::<Result<_, _>>()?;
    // All signals of a plan have the same epochs.
    let Some(first) = averages.first() else { return Err(AnalysisError::NoSession.into()) };
    Ok(AverageResult {
        times_s: first.times_s.clone(),
        valence: band_of(&averages, &SignalId::valence()),
        arousal: band_of(&averages, &SignalId::arousal()),
        signals: averages.iter().map(SignalBand::of).collect(),
        participants: first.participants,
        epochs: first.epochs,
        matched: first.matched,
        dropped: first.dropped.iter().map(|(reason, n)| (reason.to_string(), *n)).collect(),
        sessions: answer.sessions.len(),
        left_out: answer.left_out.into_iter().map(|l| l.why).collect(),
    })
}
