//! The owner's studies: the list with its progress, making and changing a study, and its write keys.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::browser::json;
use super::client_files::{self, HostedLibrary};
use super::login::Owner;
use super::origins::origin;
use super::problem::{Problem, ProblemDetails};
use super::secrets;
use super::study_form::StudyForm;
use session::capitalised;
use store::{EnrolmentCount, Library, StudyFile, StudyWriteError, WriteKey};

const MAX_ORIGINS: usize = 50;

#[derive(Serialize, ToSchema)]
pub struct Studies {
    studies: Vec<StudyRow>,
    /// The library that this server hosts.
    library: HostedLibrary,
}

#[derive(Serialize, ToSchema)]
pub struct StudyRow {
    name: String,
    title: String,
    /// The address of the study's page, for links. `null` if it is not a web address.
    address: Option<String>,
    /// Why the study's file cannot be read. `null` for a valid file.
    problem: Option<String>,
    /// `false` for a study that comes with the program.
    is_own: bool,
    /// The study states what a page may use of the camera.
    is_camera_decided: bool,
    keys: Vec<KeyRow>,
    sessions: usize,
    /// Participants of browsers' sessions.
    participants: u64,
    /// The largest number of participants. `null`: no limit.
    max_participants: Option<u64>,
    /// The study's conditions, and earlier ones that have participants.
    conditions: Vec<ConditionRow>,
}

#[derive(Serialize, ToSchema)]
pub struct ConditionRow {
    name: String,
    participants: u64,
}

#[derive(Serialize, ToSchema)]
pub struct KeyRow {
    key: String,
    origins: Vec<String>,
    is_revoked: bool,
}

impl KeyRow {
    fn of(key: WriteKey) -> KeyRow {
        KeyRow { key: key.key, origins: key.origins, is_revoked: key.is_revoked }
    }
}

/// All studies with their keys and their progress.
#[utoipa::path(get, path = "/v1/library/studies", tag = "owner", security(("login" = []), ("token" = [])),
    responses((status = 200, body = Studies), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn studies(State(app): State<App>, _: Owner) -> Result<Json<Studies>, Problem> {
    let (keys, counts) = app.hub.ledger(|ledger| Ok((ledger.keys()?, ledger.enrolment_counts()?))).await?;
    let library = app.library.clone();
    let read = move || Ok((library.studies()?, library.session_names()?, library.own_studies()));
    let (studies, sessions, own) = super::blocking::blocking(read).await?;
    let rows = studies.into_iter().map(|entry| {
        let study = entry.study.as_ref().ok().map(|file| &file.study);
        let of_study = counts.iter().filter(|count| count.study == entry.name);
        StudyRow {
            title: study.map_or_else(|| entry.name.clone(), |s| s.title.clone()),
            address: study
                .and_then(|s| s.page.as_ref())
                .map(|page| page.address.clone())
                .filter(|a| a.starts_with("https://") || a.starts_with("http://")),
            problem: entry.study.as_ref().err().map(ToString::to_string),
            is_own: entry.path.starts_with(&own),
            is_camera_decided: study.is_some_and(|s| s.remote.camera.is_some()),
            keys: keys.iter().filter(|k| k.study == entry.name).cloned().map(KeyRow::of).collect(),
            sessions: sessions.iter().filter(|s| s.study.as_ref() == Some(&entry.name)).count(),
            participants: of_study.clone().map(|count| count.participants).sum(),
            max_participants: study.and_then(|s| s.remote.max_participants),
            conditions: conditions(study.map_or(&[], |s| &s.conditions[..]), of_study),
            name: entry.name,
        }
    });
    Ok(Json(Studies { studies: rows.collect(), library: client_files::hosted() }))
}

fn conditions<'a>(
    now: &[session::StudyCondition],
    counts: impl Iterator<Item = &'a EnrolmentCount> + Clone,
) -> Vec<ConditionRow> {
    let of = |name: &str| counts.clone().find(|c| c.condition.as_deref() == Some(name)).map_or(0, |c| c.participants);
    let current = now.iter().map(|c| ConditionRow { participants: of(&c.name), name: c.name.clone() });
    let earlier = counts.clone().filter_map(|count| {
        let name = count.condition.clone().filter(|name| now.iter().all(|c| c.name != *name))?;
        Some(ConditionRow { name, participants: count.participants })
    });
    current.chain(earlier).collect()
}

/// A study for the editor.
#[derive(Serialize, ToSchema)]
pub struct StudyDetails {
    name: String,
    is_own: bool,
    form: StudyForm,
    /// The study's file as it is.
    toml: String,
}

impl StudyDetails {
    fn of(file: StudyFile, library: &Library) -> StudyDetails {
        StudyDetails {
            name: file.study.name.clone(),
            is_own: library.is_own_study(&file.path),
            form: StudyForm::of(&file.study),
            toml: file.text,
        }
    }
}

/// One study.
#[utoipa::path(get, path = "/v1/library/studies/{study}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path)),
    responses((status = 200, body = StudyDetails), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn study(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Json<StudyDetails>, Problem> {
    let library = app.library.clone();
    let found = in_studies(move || {
        let file = library.study_entry(&name)?.study?;
        Ok(StudyDetails::of(file, &library))
    });
    found.await.map(Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStudy {
    /// 1 to 32 letters and digits. It cannot be changed later.
    name: String,
    form: StudyForm,
}

/// Makes a study.
#[utoipa::path(post, path = "/v1/library/studies", tag = "owner", security(("login" = []), ("token" = [])),
    request_body = NewStudy,
    responses((status = 201, body = StudyDetails), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn create(State(app): State<App>, _: Owner, body: Body) -> Result<(StatusCode, Json<StudyDetails>), Problem> {
    let NewStudy { name, form } = json(body).await?;
    let text = form.new_text(&name).map_err(Problem::malformed)?;
    let library = app.library.clone();
    let made = in_studies(move || Ok(StudyDetails::of(library.create_study(&text)?, &library))).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedStudy {
    /// The study's file that the change began with. If the file is different now, nothing is changed.
    before: String,
    form: StudyForm,
}

/// Changes a study. Sessions that have begun keep the study as it was.
#[utoipa::path(put, path = "/v1/library/studies/{study}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path)), request_body = ChangedStudy,
    responses((status = 200, body = StudyDetails), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn change(
    State(app): State<App>,
    _: Owner,
    Path(name): Path<String>,
    body: Body,
) -> Result<Json<StudyDetails>, Problem> {
    let ChangedStudy { before, form } = json(body).await?;
    let text = form.edited(&before).map_err(Problem::malformed)?;
    let library = app.library.clone();
    let changed = in_studies(move || Ok(StudyDetails::of(library.change_study(&name, &before, &text)?, &library)));
    changed.await.map(Json)
}

async fn in_studies<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StudyWriteError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| Problem::busy())?;
    done.map_err(|e| match e {
        StudyWriteError::Store(e) => e.into(),
        StudyWriteError::Unknown(_) => Problem::not_found(sentence(&e)),
        StudyWriteError::Exists(_) | StudyWriteError::Changed | StudyWriteError::Making => {
            Problem::conflict("study", sentence(&e))
        }
        StudyWriteError::Shipped(_) | StudyWriteError::Renamed(_) => Problem::forbidden("study", sentence(&e)),
        // What is wrong with the text or with a file that it is made of.
        _ => Problem::malformed(sentence(&e)),
    })
}

/// With a capital letter and a full stop.
fn sentence(e: &StudyWriteError) -> String {
    let capital = capitalised(&e.to_string());
    if capital.ends_with('.') { capital } else { format!("{capital}.") }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Origins {
    /// Origins of pages that may use the key, such as `https://example.org`.
    origins: Vec<String>,
}

/// Makes a write key of a study.
#[utoipa::path(post, path = "/v1/library/studies/{study}/keys", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path)), request_body = Origins,
    responses((status = 201, body = KeyRow), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn add_key(
    State(app): State<App>,
    _: Owner,
    Path(study): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<KeyRow>), Problem> {
    let origins = checked(json::<Origins>(body).await?.origins)?;
    let library = app.library.clone();
    let study = in_studies(move || {
        library.study_entry(&study)?;
        Ok(study)
    });
    let key = secrets::random_token("agk_").map_err(|_| Problem::busy())?;
    let key = WriteKey { key, study: study.await?, origins, is_revoked: false };
    let (made, now) = (key.clone(), app.clock.utc());
    app.hub.change_keys(move |ledger| ledger.add_key(&made, now)).await?;
    Ok((StatusCode::CREATED, Json(KeyRow::of(key))))
}

/// Replaces the origins of a write key.
#[utoipa::path(put, path = "/v1/library/keys/{key}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("key" = String, Path)), request_body = Origins,
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn change_key(
    State(app): State<App>,
    _: Owner,
    Path(key): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let origins = checked(json::<Origins>(body).await?.origins)?;
    let is_known = app.hub.change_keys(move |ledger| ledger.set_key_origins(&key, &origins)).await?;
    known_key(is_known)
}

/// Revokes a write key. No page can begin a session with it any more. Sessions that have begun go on.
#[utoipa::path(delete, path = "/v1/library/keys/{key}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("key" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn revoke_key(State(app): State<App>, _: Owner, Path(key): Path<String>) -> Result<StatusCode, Problem> {
    let is_known = app.hub.change_keys(move |ledger| ledger.revoke_key(&key)).await?;
    known_key(is_known)
}

fn known_key(is_known: bool) -> Result<StatusCode, Problem> {
    if is_known { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("There is no such write key.")) }
}

/// The origins as browsers send them, each once.
fn checked(origins: Vec<String>) -> Result<Vec<String>, Problem> {
    let mut checked: Vec<String> = Vec::new();
    for text in origins {
        let origin = origin(&text).map_err(Problem::malformed)?;
        if !checked.contains(&origin) {
            checked.push(origin);
        }
    }
    if checked.is_empty() || checked.len() > MAX_ORIGINS {
        return Err(Problem::malformed(format!(
            "A write key needs 1 to {MAX_ORIGINS} origins of pages that may use it."
        )));
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_each_origin_once() {
        let all = |origins: &[&str]| checked(origins.iter().map(|o| (*o).to_owned()).collect());
        let good = all(&["https://A.example/", "https://a.example:443", "http://127.0.0.1:8000"]);
        assert_eq!(good.unwrap(), ["https://a.example", "http://127.0.0.1:8000"]);
        assert!(all(&[]).is_err() && all(&["a.example"]).is_err());
    }
}
