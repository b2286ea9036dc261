//! The list of sessions for the owner: in pages, searched, and as updates of what has changed.

use std::cmp::Ordering;
use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::blocking::with_permit;
use super::hub_client::OpenSession;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use super::session_state::state_name;
use store::{Condition, SessionEntry, SessionName, StoreError, session_entry, session_label};
use study_query::listed_grade;

const MAX_LIMIT: usize = 1_000;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ListQuery {
    /// Only sessions of this study.
    study: Option<String>,
    /// Only sessions whose participant, session, study or date contains this text, for example `sub-07`, `ses-02` or `20261123`.
    search: Option<String>,
    /// Only sessions of this participant.
    participant: Option<String>,
    /// `started` (the default), `participant` or `study`.
    sort: SortBy,
    /// `ascending` or `descending`. The default is `descending` for `started`, otherwise `ascending`.
    order: Option<Order>,
    /// At most this number of sessions, 1 to 1000. Without it, all.
    limit: Option<usize>,
    /// Only the sessions that follow the session with this name. That session may have been erased.
    after: Option<String>,
    /// Only what has changed since the answer with this `version`. `limit` and `after` are ignored then.
    since: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct Sessions {
    /// In the order of `sort`.
    sessions: Vec<SessionRow>,
    /// Number of sessions that match `study`, `participant` and `search`.
    total: usize,
    /// Number of these sessions that are open.
    open: usize,
    /// The value for `after` that gets the next sessions. `null` if there are none.
    next: Option<String>,
    /// The value for `since` that gets what changes after this answer.
    version: u64,
    /// `sessions` are only those that have changed. `false` if `since` was not given, or is too old.
    is_update: bool,
    /// In an update: names of sessions that do not exist any more.
    removed: Vec<String>,
    /// Sessions whose video waits to be scored.
    videos_waiting: usize,
}

/// One session in the list of sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionRow {
    /// Identifies the session in paths.
    name: String,
    participant: Option<String>,
    number: Option<u32>,
    study: Option<String>,
    started_utc: Option<String>,
    length_s: Option<f64>,
    size_bytes: u64,
    /// `recording`, `silent` (no request for some minutes), `finished` (its video is being scored), `closed`, `recovered`,
    /// `crashed`, `damaged`
    state: String,
    /// What is wrong with the session. `null` for a sound session.
    problem: Option<String>,
    grade: Option<String>,
    events: Option<u64>,
    lost: Option<u64>,
    /// For an open session: seconds since the last request.
    silent_s: Option<f64>,
}

/// Sessions in the order of `sort`. Without `sort`, the newest are first.
#[utoipa::path(get, path = "/v1/library/sessions", tag = "owner", security(("login" = []), ("token" = [])),
    params(ListQuery),
    responses((status = 200, body = Sessions), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn sessions(
    State(app): State<App>,
    _: Owner,
    Query(query): Query<ListQuery>,
) -> Result<Json<Sessions>, Problem> {
    if query.limit.is_some_and(|n| n == 0 || n > MAX_LIMIT) {
        return Err(Problem::malformed(format!("`limit` must be a number from 1 to {MAX_LIMIT}.")));
    }
    // The session may have been erased since it was listed, so its place is known from its name.
    let after = query.after.as_deref().map(|label| {
        app.library.session_named(label).ok_or_else(|| {
            Problem::malformed("`after` must be the name of a session, from `next` of the previous page.")
        })
    });
    let after = after.transpose()?;
    // The changes are read before the sessions. What changes in between is in this answer and in the next one.
    let changes = app.hub.changes_since(query.since).await?;
    let open = app.hub.open_sessions().await?;
    let (library, videos_waiting) = (app.library.clone(), app.pool.waiting());
    let list = with_permit(&app.read_permits, move || -> Result<_, StoreError> {
        let mut names = library.session_names()?;
        names.retain(|name| query.matches(name));
        names.sort_by(|a, b| query.compare(a, b));
        let total = names.len();
        let open: HashMap<_, _> = open.iter().map(|o| (o.folder.as_path(), o)).collect();
        let is_open = names.iter().filter(|name| open.contains_key(name.folder.as_path())).count();
        let (mut removed, mut next) = (Vec::new(), None);
        if let Some(changed) = &changes.folders {
            removed.extend(changed.iter().filter(|folder| !folder.exists()).map(|folder| session_label(folder)));
            names.retain(|name| changed.contains(&name.folder));
        } else {
            if let Some(after) = after {
                names.drain(..names.partition_point(|name| query.compare(name, &after).is_le()));
            }
            if let Some(limit) = query.limit.filter(|limit| *limit < names.len()) {
                names.truncate(limit);
                next = names.last().map(|name| session_label(&name.folder));
            }
        }
        let row = |name: SessionName| row(session_entry(&name.folder), open.get(name.folder.as_path()).copied());
        let sessions = names.into_iter().map(row).collect();
        let is_update = changes.folders.is_some();
        Ok(Sessions {
            sessions,
            total,
            open: is_open,
            next,
            version: changes.version,
            is_update,
            removed,
            videos_waiting,
        })
    });
    Ok(Json(list.await??))
}

/// What the list is sorted by. Only the names of the folders are read for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    #[default]
    Started,
    Participant,
    Study,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Ascending,
    Descending,
}

impl ListQuery {
    /// The place of a session in the list. Names state the time in seconds. Of the same second, higher numbers of
    /// participants are newer. Without a choice, the newest are first.
    fn compare(&self, a: &SessionName, b: &SessionName) -> Ordering {
        let label = |name: &SessionName| session_label(&name.folder);
        let newer = || a.started.cmp(&b.started).then_with(|| label(a).cmp(&label(b)));
        let ascending = match self.sort {
            SortBy::Started => newer(),
            SortBy::Participant => a.participant.cmp(&b.participant).then_with(newer),
            SortBy::Study => a.study.cmp(&b.study).then_with(newer),
        };
        let usual = if self.sort == SortBy::Started { Order::Descending } else { Order::Ascending };
        match self.order.unwrap_or(usual) {
            Order::Ascending => ascending,
            Order::Descending => ascending.reverse(),
        }
    }

    fn matches(&self, name: &SessionName) -> bool {
        let is_study = self.study.is_none() || name.study == self.study;
        let is_participant = self.participant.as_ref().is_none_or(|p| p == name.participant.as_str());
        let text = || session_label(&name.folder).to_lowercase();
        is_study
            && is_participant
            && self.search.as_ref().is_none_or(|wanted| text().contains(&wanted.trim().to_lowercase()))
    }
}

fn row(entry: SessionEntry, open: Option<&OpenSession>) -> SessionRow {
    let state = state_name(&entry.condition, open);
    let problem = match &entry.condition {
        Condition::Damaged(why) => Some(why.clone()),
        Condition::Opens(_) => None,
    };
    let summary = entry.summary.as_ref();
    let grade = listed_grade(&entry).map(|grade| grade.to_string());
    let problem = problem.or_else(|| entry.video_loss.as_ref().map(ToString::to_string));
    SessionRow {
        name: session_label(&entry.folder),
        participant: entry.participant.map(|p| p.to_string()),
        number: entry.session.map(|n| n.0),
        study: entry.study,
        started_utc: entry.started.map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        length_s: entry.length.map(|l| l.as_secs_f64()),
        size_bytes: entry.size_bytes,
        state: state.to_owned(),
        problem,
        grade,
        events: summary.map(|s| s.events),
        lost: summary.map(|s| s.lost),
        silent_s: open.map(|o| o.seen_s_ago),
    }
}
