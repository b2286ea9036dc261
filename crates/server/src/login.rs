//! The owner's login: a password against its Argon2 hash, then a cookie that scripts cannot read and other sites cannot
//! send, and a word that every change must bring along. Programs bring an API token instead.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::browser::json;
use super::problem::{Problem, ProblemDetails};
use super::secrets;

/// `__Host-`: browsers take it from this very host alone, over TLS or on the loopback alone.
pub const COOKIE: &str = "__Host-affectograph";
pub const CSRF_HEADER: &str = "x-affectograph-csrf";

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    pub password: String,
}

#[derive(Serialize, ToSchema)]
pub struct LoggedIn {
    /// Every change must bring it along in the header `X-Affectograph-Csrf`.
    pub csrf: String,
    pub software: String,
}

/// Logs the owner in.
#[utoipa::path(post, path = "/v1/login", tag = "owner", request_body = Password,
    responses((status = 200, body = LoggedIn), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn login(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    same_site(&headers)?;
    let given: Password = json(body).await?;
    let Some(phc) = app.hub.password_hash().await? else {
        let detail = "Nobody owns this server yet: run `affectograph serve init` on it.";
        return Err(Problem::forbidden("no-owner", detail));
    };
    let _permit = app.login_permits.acquire().await.map_err(|_| Problem::busy())?;
    let is_right = tokio::task::spawn_blocking(move || secrets::is_password(&given.password, &phc));
    if !is_right.await.map_err(|_| Problem::busy())? {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong-password", "This is not the password."));
    }
    let (cookie, csrf) = app.hub.login().await?;
    let cookie = format!("{COOKIE}={cookie}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=43200");
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::busy())?;
    let answer = LoggedIn { csrf, software: session::program() };
    Ok(([(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// Logs the owner out.
#[utoipa::path(post, path = "/v1/logout", tag = "owner", security(("login" = [])),
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn logout(State(app): State<App>, _owner: Owner, headers: HeaderMap) -> Response {
    if let Some(cookie) = cookie(&headers) {
        app.hub.logout(cookie);
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0");
    match HeaderValue::from_str(&gone) {
        Ok(gone) => (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response(),
        Err(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Whether the owner is logged in.
#[utoipa::path(get, path = "/v1/login", tag = "owner", security(("login" = []), ("token" = [])),
    responses((status = 200, body = LoggedIn), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn me(owner: Owner) -> Json<LoggedIn> {
    Json(LoggedIn { csrf: owner.csrf.unwrap_or_default(), software: session::program() })
}

/// Proof that a request comes from the owner, and a change from the owner's own page.
#[derive(Debug)]
pub struct Owner {
    csrf: Option<String>,
}

impl FromRequestParts<App> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Owner, Problem> {
        let headers = &parts.headers;
        if headers.contains_key(header::AUTHORIZATION) {
            let token = super::browser::bearer(headers)?;
            if app.hub.is_api_token(token).await? {
                return Ok(Owner { csrf: None });
            }
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown-token", "This API token is not known."));
        }
        let Some(cookie) = cookie(headers) else { return Err(Problem::no_authorization()) };
        let Some(csrf) = app.hub.check_cookie(cookie).await? else {
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "logged-out", "The login has ended: log in again."));
        };
        if parts.method != Method::GET {
            same_site(headers)?;
            if headers.get(CSRF_HEADER).is_none_or(|given| given.as_bytes() != csrf.as_bytes()) {
                let detail = format!("A change needs the header `{CSRF_HEADER}` with the word that the login gave.");
                return Err(Problem::forbidden("csrf", detail));
            }
        }
        Ok(Owner { csrf: Some(csrf) })
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Where the browser says whence a change comes, it must come from here.
fn same_site(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").map(|v| v.as_bytes());
    let is_ours = match (site, headers.get(header::ORIGIN), headers.get(header::HOST)) {
        (Some(site), ..) => site == b"same-origin",
        (None, Some(origin), Some(host)) => {
            origin.to_str().ok().and_then(|o| o.split_once("://")).is_some_and(|(_, o)| o.as_bytes() == host.as_bytes())
        }
        (None, Some(_), None) => false,
        // No browser: it has no cookies of anybody.
        (None, None, _) => true,
    };
    if is_ours { Ok(()) } else { Err(Problem::forbidden("csrf", "The request comes from another site's page.")) }
}
