//! The mean of valence and arousal around events, for the dashboard.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::library_api::closed_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use analysis::{Correction, EpochPlan, EventChoice, Measure, average as average_of};
use session::StreamName;
use study_query::{Cancel, Pilots, Question, StudyQueryError, ask};

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
    /// Start of an epoch in seconds from its event. Default: -1
    from_s: Option<f64>,
    /// End of an epoch in seconds from its event. Default: 4
    until_s: Option<f64>,
}

impl AverageQuery {
    /// If the window begins before the event, the time before the event is the baseline.
    pub fn plan(&self) -> EpochPlan {
        let defaults = EpochPlan::default();
        let window_s = (self.from_s.unwrap_or(defaults.window_s.0), self.until_s.unwrap_or(defaults.window_s.1));
        let has_before = window_s.0 < 0.0;
        EpochPlan {
            window_s,
            baseline_s: has_before.then_some((window_s.0, window_s.1.min(0.0))),
            zero: if has_before { defaults.zero } else { Correction::Raw },
            ..defaults
        }
    }

    pub fn choice(&self) -> Result<EventChoice, Problem> {
        let stream: StreamName = self.stream.parse().map_err(|why| Problem::malformed(format!("{why}.")))?;
        Ok(EventChoice {
            kind: Some(self.kind.clone()),
            target: self.target.clone(),
            value: self.value.clone(),
            ..EventChoice::stream(stream)
        })
    }
}

/// The mean around a kind of event, over all closed sessions of a study.
#[derive(Serialize, ToSchema)]
pub struct AverageResult {
    times_s: Vec<f64>,
    valence: Band,
    arousal: Band,
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
    pub fn of(a: &analysis::Average) -> Band {
        Band {
            mean: a.mean.clone(),
            low: a.interval.as_ref().map(|i| i.low.clone()),
            high: a.interval.as_ref().map(|i| i.high.clone()),
        }
    }
}

/// The mean of valence and arousal around events of one kind.
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
    let choice = query.choice()?;
    let folders = closed_of(&app, &study, Pilots::LeftOut).await?;
    if folders.is_empty() {
        return Err(Problem::conflict(
            "nothing-to-average",
            "This study has no closed session yet. Try again when a session has ended.",
        ));
    }
    let plan = query.plan();
    let _permit = app.read_permits.acquire().await;
    let result = tokio::task::spawn_blocking(move || compute(&folders, choice, plan)).await;
    let result = result.map_err(|_| Problem::busy())?;
    result.map(Json).map_err(|e| Problem::conflict("nothing-to-average", format!("{e}.")))
}

fn compute(folders: &[PathBuf], choice: EventChoice, plan: EpochPlan) -> Result<AverageResult, StudyQueryError> {
    let question = Question { conditions: vec![choice], plan: plan.clone() };
    let answer = ask(folders, &question, |_| {}, &Cancel::default())?;
    answer.check()?;
    let sessions = answer.condition(0);
    let valence = average_of(&sessions, &plan, Measure::Valence)?;
    let arousal = average_of(&sessions, &plan, Measure::Arousal)?;
    Ok(AverageResult {
        times_s: valence.times_s.clone(),
        valence: Band::of(&valence),
        arousal: Band::of(&arousal),
        participants: valence.participants,
        epochs: valence.epochs,
        matched: valence.matched,
        dropped: valence.dropped.iter().map(|(reason, n)| (reason.to_string(), *n)).collect(),
        sessions: answer.sessions.len(),
        left_out: answer.left_out.into_iter().map(|l| l.why).collect(),
    })
}
