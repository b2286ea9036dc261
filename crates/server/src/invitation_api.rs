//! What a page asks before it shows its consent dialog: the study's own text, and whether a session can begin.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::address::ClientAddress;
use super::app::App;
use super::browser;
use super::hub_client::InvitationRequest;
use super::problem::{Problem, ProblemDetails};
use session::{RemoteCamera, Study};

/// What a browser needs to know about a study before it asks for consent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Displayed title of the study.
    pub title: String,
    pub consent: InvitationConsent,
    /// CSS selectors of elements for which only the occurrence of events may be recorded.
    pub mask: Vec<String>,
    /// CSS selectors of fields whose typed text may be recorded.
    pub content: Vec<String>,
    /// The most that the page may use of the camera: `off`, `scores` or `video`. Absent if the page decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub camera: Option<RemoteCamera>,
    /// Whether the page is recorded for replay. Absent if the page decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<bool>,
    /// Whether a session could begin now. A session that begins later can still be refused.
    pub open: bool,
    /// Why no session can begin, as a sentence. Only if `open` is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_because: Option<String>,
    /// The study has all its participants. They can begin another session, and nobody new can take part.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_full: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationConsent {
    /// A session needs consent.
    pub required: bool,
    /// The study's consent text. Empty if the study has none.
    pub text: String,
}

/// Describes a study to a page that is going to ask for consent. No session begins. The key is a public
/// write key of the study. It must allow the page's origin.
#[utoipa::path(get, path = "/v1/studies/{study}/invitation", tag = "browser", security(("key" = [])),
    params(("study" = String, Path, description = "The study of the write key")),
    responses((status = 200, body = Invitation), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn invitation(
    State(app): State<App>,
    address: ClientAddress,
    Path(study): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<Invitation>, Problem> {
    let key = browser::bearer(&headers)?.to_owned();
    let request = InvitationRequest { key, study: study.clone(), origins: origins(&uri, &headers)?, address };
    let full = app.hub.invite(request).await?;
    let closed_because = full.or_else(|| browser::check_disk(&app).err().map(|problem| problem.detail().to_owned()));
    let study = browser::study_of_key(&app, &study).await?.study;
    let is_full = is_full(&app, &study).await?;
    // A study without a page of its own masks nothing.
    let page = study.page.unwrap_or_default();
    Ok(Json(Invitation {
        title: study.title,
        consent: InvitationConsent { required: study.consent.required, text: study.consent.text },
        mask: page.mask,
        content: page.content,
        camera: study.remote.camera,
        replay: study.remote.replay,
        open: closed_because.is_none(),
        closed_because,
        is_full,
    }))
}

async fn is_full(app: &App, study: &Study) -> Result<bool, Problem> {
    if study.remote.max_participants.is_none() {
        return Ok(false);
    }
    let name = study.name.clone();
    let enrolled = app.hub.ledger(move |ledger| ledger.enrolled(&name)).await?;
    Ok(study.remote.is_full(enrolled))
}

/// The origins that the request can come from. Browsers send no `Origin` with a GET to the page's own origin. They say so in
/// `Sec-Fetch-Site`, which no script of a page can set.
pub fn origins(uri: &Uri, headers: &HeaderMap) -> Result<Vec<String>, Problem> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let is_same_origin = !headers.contains_key(header::ORIGIN) && text("sec-fetch-site") == Some("same-origin");
    let host = uri.authority().map(Authority::as_str).or_else(|| text("host")).filter(|_| is_same_origin);
    match host {
        Some(host) => Ok(vec![format!("https://{host}"), format!("http://{host}")]),
        None => Ok(vec![browser::origin(headers)?.to_owned()]),
    }
}
