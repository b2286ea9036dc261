//! Two kinds of events compared, with the analysis of the program: averages, and the cluster-based permutation test.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::average_api::{AverageQuery, Band, SignalBand, band_of, choice, folders_to_analyse};
use super::blocking::{CancelOnDrop, with_permit};
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use analysis::{Average, Comparison, Design, SignalId};
use study_query::{Cancel, ConditionFindings, Findings, Question, StudyQueryError, TestSettings, ask};

/// The kind of the refusal of a study without a comparison.
const NOTHING_TO_COMPARE: &str = "nothing-to-compare";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompareQuery {
    /// The stream of the second kind of events.
    other_stream: String,
    /// The second kind.
    other_kind: String,
    /// The recorded selector of the second kind's element.
    other_target: Option<String>,
    /// The value of the second kind's events, for example the name of a mark.
    other_value: Option<String>,
    /// The condition of the sessions of the second kind.
    other_condition: Option<String>,
}

/// Two kinds of events of a study.
#[derive(Serialize, ToSchema)]
pub struct CompareResult {
    times_s: Vec<f64>,
    a: Side,
    b: Side,
    /// The first kind minus the second, for each signal.
    comparisons: Vec<Compared>,
    /// Number of random permutations, and the seed. Both belong into a report.
    permutations: u64,
    seed: u64,
    sessions: usize,
    notes: Vec<String>,
    /// One sentence for each session that could not be read.
    left_out: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Side {
    name: String,
    valence: Option<Band>,
    arousal: Option<Band>,
    /// The signals that were asked for: valence and arousal, or the one of the request.
    signals: Vec<SignalBand>,
    participants: u64,
    epochs: u64,
    matched: u64,
}

#[derive(Serialize, ToSchema)]
pub struct Compared {
    /// `valence` or `arousal`, or the signal of the request.
    measure: String,
    design: String,
    /// Mean difference from the event to the end of the window, with its 95 % interval.
    difference: f64,
    low: f64,
    high: f64,
    cohens_d: Option<f64>,
    n_a: u64,
    n_b: u64,
    is_exact: bool,
    clusters: Vec<ClusterRow>,
    notes: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ClusterRow {
    from_s: f64,
    until_s: f64,
    p: f64,
    /// The upper limit of p with 95 % confidence.
    p_high: f64,
    is_significant: bool,
}

/// Compares two kinds of events of a study.
#[utoipa::path(get, path = "/v1/library/studies/{study}/comparison", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path), AverageQuery, CompareQuery),
    responses((status = 200, body = CompareResult), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn compare(
    State(app): State<App>,
    _: Owner,
    Path(study): Path<String>,
    first: Result<Query<AverageQuery>, axum::extract::rejection::QueryRejection>,
    second: Result<Query<CompareQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<CompareResult>, Problem> {
    let (Ok(Query(first)), Ok(Query(second))) = (first, second) else {
        let detail = "The query must have `stream` and `kind` of the first events, and `other_stream` and `other_kind` of the \
                      second.";
        return Err(Problem::malformed(detail));
    };
    let plan = first.plan()?;
    let CompareQuery { other_stream, other_kind, other_target, other_value, other_condition } = second;
    let other = choice(&other_stream, other_kind, other_target, other_value, other_condition)?;
    let question = Question { plan, conditions: vec![first.choice()?, other] };
    let folders = folders_to_analyse(&app, &study, NOTHING_TO_COMPARE).await?;
    let cancel = Cancel::default();
    let _given_up = CancelOnDrop(cancel.clone());
    let found = with_permit(&app.long_read_permits, move || -> Result<_, StudyQueryError> {
        let answer = ask(&folders, &question, |_| {}, &cancel)?;
        let findings = Findings::of(&answer, TestSettings::default())?;
        Ok((findings, answer.sessions.len(), answer.left_out.into_iter().map(|l| l.why).collect()))
    });
    let found = found.await?.map_err(|e| Problem::conflict(NOTHING_TO_COMPARE, format!("{e}.")));
    let (findings, sessions, left_out) = found?;
    // The question has two kinds of events.
    let [a, b] = &findings.conditions[..] else { return Err(Problem::busy()) };
    Ok(Json(CompareResult {
        times_s: a.averages.first().map_or_else(Vec::new, |average| average.times_s.clone()),
        a: Side::of(a),
        b: Side::of(b),
        comparisons: findings.comparisons.iter().map(compared).collect(),
        permutations: findings.settings.permutations,
        seed: findings.settings.seed,
        sessions,
        notes: findings.notes,
        left_out,
    }))
}

impl Side {
    fn of(condition: &ConditionFindings) -> Side {
        let first = condition.averages.first();
        let number = |read: fn(&Average) -> u64| first.map_or(0, read);
        Side {
            name: condition.name.clone(),
            valence: band_of(&condition.averages, &SignalId::valence()),
            arousal: band_of(&condition.averages, &SignalId::arousal()),
            signals: condition.averages.iter().map(SignalBand::of).collect(),
            participants: number(|a| a.participants),
            epochs: number(|a| a.epochs),
            matched: number(|a| a.matched),
        }
    }
}

fn compared(c: &Comparison) -> Compared {
    let design = match c.design {
        Design::Paired => "within participants",
        Design::Groups => "between groups of participants",
        Design::EpochsOfOneParticipant => "between the epochs of one participant",
        Design::AgainstZero | Design::EpochsAgainstZero => "against zero",
    };
    Compared {
        measure: c.measure.to_string(),
        design: design.to_owned(),
        difference: c.effect.difference,
        low: c.effect.low,
        high: c.effect.high,
        cohens_d: c.effect.cohens_d,
        n_a: c.n_a,
        n_b: c.n_b,
        is_exact: c.is_exact,
        clusters: c
            .clusters
            .iter()
            .map(|cluster| ClusterRow {
                from_s: cluster.from_s,
                until_s: cluster.until_s,
                p: cluster.p,
                p_high: cluster.p_high,
                is_significant: cluster.is_significant(),
            })
            .collect(),
        notes: c.notes.clone(),
    }
}
