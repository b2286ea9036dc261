//! Every refusal is a JSON problem (RFC 9457). Its `detail` states what failed and what to do.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{Missing, RefusedRecord, Span};
use store::StoreError;

pub const PROBLEM_JSON: &str = "application/problem+json";

/// Boxed to keep the many `Result`s with this error small.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<ProblemDetails>);

/// RFC 9457.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// `urn:affectograph:…`, a code for each kind of refusal.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// What failed and what to do, for a person.
    detail: String,
    /// Present if records were stored. For each stream, all records below this number are on the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    committed: Option<BTreeMap<String, u64>>,
    /// Invalid records. A gap was stored in the place of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<RefusedRecord>>,
    /// Records that are missing before the session can be finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<BTreeMap<String, Vec<Span>>>,
    /// Video chunks that are missing before the session can be finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    video_missing: Option<Vec<u64>>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

impl Problem {
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Problem {
        Problem(Box::new(ProblemDetails {
            kind: format!("urn:affectograph:{kind}"),
            title: status.canonical_reason().unwrap_or("Refused").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            committed: None,
            refused: None,
            missing: None,
            video_missing: None,
            retry_after_s: None,
        }))
    }

    /// Whether a quota is used up.
    pub fn is_quota(&self) -> bool {
        self.0.kind == "urn:affectograph:quota"
    }

    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    pub fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed", detail)
    }

    pub fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    pub fn no_authorization() -> Problem {
        let detail = "The request has no valid authorization. Send `Authorization: Bearer …` with a token or key, or log in as the owner.";
        Problem::new(StatusCode::UNAUTHORIZED, "no-authorization", detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub fn forbidden(kind: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, kind, detail)
    }

    pub fn no_session() -> Problem {
        Problem::not_found("There is no session with this identifier. It may have been erased.")
    }

    pub fn wrong_token() -> Problem {
        Problem::forbidden("wrong-token", "The token does not belong to this session.")
    }

    pub fn wrong_session_origin() -> Problem {
        let detail = "The header `Origin` is missing, or it is not the origin of the page that started this session. Send the \
                      session's data from that origin.";
        Problem::forbidden("wrong-origin", detail)
    }

    pub fn conflict(kind: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, kind, detail)
    }

    pub fn too_large(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    pub fn too_fast(detail: impl Into<String>, retry_after_s: u32) -> Problem {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", detail).after(retry_after_s.max(1))
    }

    pub fn busy() -> Problem {
        let detail = "The server is busy or stopping. Nothing was stored. Send the request again in a few seconds.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).after(3)
    }

    pub fn gone() -> Problem {
        Problem::new(StatusCode::GONE, "gone", "This session is closed. It accepts no more data.")
    }

    pub fn not_open() -> Problem {
        let detail = "This session is not open, or it is being closed. There is nothing to close.";
        Problem::conflict("ended", detail)
    }

    /// For the owner. The session is closed later, when its file can be opened.
    pub fn stays_open(e: &StoreError) -> Problem {
        Problem::no_room(format!(
            "The session stays open, because its file cannot be written: {e}. Close it again later."
        ))
    }

    pub fn too_many_running() -> Problem {
        let detail = "The largest number of sessions that can be recorded at the same time is reached. Nothing was stored. Keep \
                      the data and send it again later.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).after(20)
    }

    pub fn no_room(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "no-room", detail).after(60)
    }

    pub fn after(mut self, seconds: u32) -> Problem {
        self.0.retry_after_s = Some(seconds);
        self
    }

    pub fn with_committed(mut self, committed: BTreeMap<String, u64>) -> Problem {
        self.0.committed = Some(committed);
        self
    }

    pub fn with_refused(mut self, refused: Vec<RefusedRecord>) -> Problem {
        self.0.refused = Some(refused);
        self
    }

    pub fn with_missing(mut self, missing: Missing) -> Problem {
        (self.0.missing, self.0.video_missing) = (Some(missing.streams), Some(missing.video_chunks));
        self
    }
}

/// The browser keeps data that could not be stored. The server's log contains the reason.
impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Problem {
        tracing::error!("a request failed because of a storage error: {e}");
        Problem::no_room("The server cannot access its storage at the moment. Keep the data and send it again later.")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_s = self.0.retry_after_s;
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(s) = retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(s));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
