//! What every response passes: a JSON problem for each error, and security headers.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::problem::{PROBLEM_JSON, Problem};

/// The layers of axum and tower refuse requests with a bare status. Such a response gets a JSON problem here.
pub async fn describe_errors(response: Response) -> Response {
    let status = response.status();
    let has_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == PROBLEM_JSON);
    if has_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut described = problem_of(status).into_response();
    if let Some(allow) = allow {
        described.headers_mut().insert(header::ALLOW, allow);
    }
    described
}

fn problem_of(status: StatusCode) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::too_large("The request body is larger than the limit of this path. Send it in smaller parts.")
        }
        StatusCode::REQUEST_TIMEOUT => {
            Problem::new(status, "too-slow", "The request or its answer took too long. Send the request again.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            status,
            "unsupported-encoding",
            "The content encoding of the request body is not supported. Use none, gzip or deflate.",
        ),
        status if status.is_server_error() => {
            Problem::new(status, "failed", "The server failed to process the request. Try again later.")
        }
        status => Problem::new(
            status,
            "refused",
            "The request is not valid. /v1/openapi.json describes what this path expects.",
        ),
    }
}

/// HTTP/2 names the server in `:authority` instead of `Host`.
pub async fn set_host(mut request: Request, next: Next) -> Response {
    let authority = request.uri().authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok());
    if let Some(authority) = authority {
        request.headers_mut().entry(header::HOST).or_insert(authority);
    }
    next.run(request).await
}

pub async fn set_security_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          connect-src 'self'; frame-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
                          form-action 'self'; frame-ancestors 'none'";
    const REPLAY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                                 img-src data: blob:; font-src data:; media-src data:; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'self'";
    let path = request.uri().path();
    let is_public = path.starts_with("/v1/models/") || path.starts_with("/v1/client/");
    let is_replay = path == "/dashboard/replay.html";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    // A recorded page has styles of its own. It is drawn in a frame without scripts, and the page around it may request
    // nothing, so the recorded site is not contacted.
    set(header::CONTENT_SECURITY_POLICY, if is_replay { REPLAY_POLICY } else { POLICY });
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, if is_replay { "SAMEORIGIN" } else { "DENY" });
    set(header::CACHE_CONTROL, "no-store");
    if app.config.tls.is_some() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    let policy = if is_public { "cross-origin" } else { "same-origin" };
    set(HeaderName::from_static("cross-origin-resource-policy"), policy);
    response
}
