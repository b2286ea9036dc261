//! The owner's login. The password is checked against its Argon2 hash. A login is a cookie that scripts cannot read and
//! other sites cannot send, and a CSRF token that every change must have. Programs use an API token instead.

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::address::ClientAddress;
use super::app::App;
use super::browser::json;
use super::problem::{Problem, ProblemDetails};
use super::secrets;
use store::TokenScope;

/// With the prefix `__Host-`, browsers accept the cookie only from this host, over TLS or on the loopback address.
pub const COOKIE: &str = "__Host-affectograph";
pub const CSRF_HEADER: &str = "x-affectograph-csrf";

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    pub password: String,
}

#[derive(Serialize, ToSchema)]
pub struct LoginState {
    /// The CSRF token. Every change must have it in the header `X-Affectograph-Csrf`.
    pub csrf: String,
    pub software: String,
}

/// Logs the owner in.
#[utoipa::path(post, path = "/v1/login", tag = "owner", request_body = Password,
    responses((status = 200, body = LoginState), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn login(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    same_site(&headers)?;
    let given: Password = json(body).await?;
    let Some(phc) = app.hub.password_hash(address).await? else {
        let detail = "This server has no owner yet. Run `affectograph serve init` on the server.";
        return Err(Problem::forbidden("no-owner", detail));
    };
    let _permit = app.login_permits.acquire().await.map_err(|_| Problem::busy())?;
    let hash = phc.clone();
    let is_right = tokio::task::spawn_blocking(move || secrets::is_password(&given.password, &hash));
    if !is_right.await.map_err(|_| Problem::busy())? {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "wrong-password",
            "The password is wrong. Enter the owner's password.",
        ));
    }
    let (cookie, csrf) = app.hub.login(address, phc).await?;
    let cookie = format!("{COOKIE}={cookie}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=43200");
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::busy())?;
    let answer = LoginState { csrf, software: session::program() };
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

/// The state of the login. 401 if the owner is not logged in.
#[utoipa::path(get, path = "/v1/login", tag = "owner", security(("login" = []), ("token" = [])),
    responses((status = 200, body = LoginState), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn me(owner: Owner) -> Json<LoginState> {
    Json(LoginState { csrf: owner.csrf.unwrap_or_default(), software: session::program() })
}

/// Proves that a request comes from the owner. For a change it also proves that the request comes from the dashboard.
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
            return match app.hub.scope_of_token(token).await? {
                Some(TokenScope::Read) if parts.method != Method::GET => {
                    let detail = "This API token can only read. `affectograph serve token --may-erase` makes one that can \
                                  change and erase.";
                    Err(Problem::forbidden("read-only-token", detail))
                }
                Some(_) => Ok(Owner { csrf: None }),
                None => {
                    let detail = "The API token is unknown. `affectograph serve token` makes a new one.";
                    Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown-token", detail))
                }
            };
        }
        let Some(cookie) = cookie(headers) else { return Err(Problem::no_authorization()) };
        let Some(csrf) = app.hub.check_cookie(cookie).await? else {
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "logged-out", "The login has ended. Log in again."));
        };
        if parts.method != Method::GET {
            same_site(headers)?;
            if headers.get(CSRF_HEADER).is_none_or(|given| given.as_bytes() != csrf.as_bytes()) {
                let detail = format!("A change needs the header `{CSRF_HEADER}` with the CSRF token from the login.");
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

/// Refuses a change from another site. Browsers state the site in `Sec-Fetch-Site` or `Origin`.
fn same_site(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").map(|v| v.as_bytes());
    let is_same_site = match (site, headers.get(header::ORIGIN), headers.get(header::HOST)) {
        (Some(site), ..) => site == b"same-origin",
        (None, Some(origin), Some(host)) => {
            origin.to_str().ok().and_then(|o| o.split_once("://")).is_some_and(|(_, o)| o.as_bytes() == host.as_bytes())
        }
        (None, Some(_), None) => false,
        // The request does not come from a browser, so it has no cookie that another site could misuse.
        (None, None, _) => true,
    };
    if is_same_site {
        Ok(())
    } else {
        Err(Problem::forbidden(
            "csrf",
            "The request comes from a page of another site. Use the dashboard of this server.",
        ))
    }
}
