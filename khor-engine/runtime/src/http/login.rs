//! The API operations that open and end the sessions of browsers: `POST /api/login` and `POST
//! /api/logout`.

use std::time::Instant;

use khor_api::{Done, Login};
use serde_json::json;
use tracing::warn;
use warp::{
    http::{HeaderValue, header},
    reply::Response,
};

use super::{
    access::{Denied, LIFE_S, LOGIN},
    call::Call,
    reply::Failure,
    table::{Answer, Content, DONE, Json, Operation, post},
    work,
};

/// The answer to a login or logout. It sets or deletes the session's cookie. The cookie is hidden
/// from scripts (`HttpOnly`).
struct Cookie(Option<String>);

impl Answer for Cookie {
    const CONTENT: Content = Json::<Done>::CONTENT;

    fn into_response(self) -> Response {
        let mut response = DONE.into_response();
        if let Some(cookie) = self.0.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let everywhere = json!({ "type": "boolean" });
    vec![
        post(LOGIN, "Open a session of 30 days with the token; the answer sets the session's cookie")
            .reads::<Login>()
            .blocking(login),
        post("/api/logout", "End this session, or every session")
            .takes("everywhere", "`true` ends every session. By default, only this session ends", everywhere)
            .blocking(logout),
    ]
}

/// Returns whether the path is safe in a cookie. Other characters could add an attribute to the
/// cookie.
fn is_cookie_path(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte))
}

fn login(call: Call) -> Result<Cookie, Failure> {
    let Login { token, path } = serde_json::from_value(call.json()?)
        .map_err(|_| Failure::bad("body: expected {\"token\": \"TOKEN\"}, with an optional \"path\""))?;
    let path = path.as_deref().unwrap_or("/");
    if !is_cookie_path(path) {
        let expected = "a path of letters, digits, slashes and the characters - . _ ~ %, such as /khor/";
        return Err(Failure::not_allowed("path", &path, expected));
    }
    let access = &call.context.access;
    let Some(credentials) = &access.credentials else {
        access.check_peer(call.peer)?;
        return Ok(Cookie(None));
    };
    if !credentials.is_token(&token) {
        if access.wrong_token_log.permit(Instant::now()).is_some() {
            warn!("khor rejected a login with a wrong token");
        }
        return Err(Denied::NoToken.into());
    }
    let id = credentials.sessions.open(call.peer).map_err(|problem| work::failed(&problem))?;
    // If the browser loaded the page over HTTPS, from a proxy with TLS, it must never send the
    // cookie unencrypted.
    let secure = if call.header("origin").is_some_and(|origin| origin.starts_with("https://")) {
        "; Secure"
    } else {
        ""
    };
    let name = access.cookie_name();
    Ok(Cookie(Some(format!("{name}={id}; HttpOnly; SameSite=Strict; Path={path}; Max-Age={LIFE_S}{secure}"))))
}

fn logout(call: Call) -> Result<Cookie, Failure> {
    let everywhere = call.flag("everywhere")?.unwrap_or(false);
    let access = &call.context.access;
    if let Some(credentials) = &access.credentials {
        let ended = if everywhere {
            credentials.sessions.end_all()
        } else {
            access.session_ids(&call.headers).try_for_each(|id| credentials.sessions.end(id))
        };
        ended.map_err(|problem| work::failed(&problem))?;
    }
    Ok(Cookie(Some(format!("{}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0", access.cookie_name()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_path_must_be_plain() {
        for path in ["/", "/khor/", "/a/b-c/~x.y/%20/"] {
            assert!(is_cookie_path(path), "{path}");
        }
        for path in ["", "khor/", "/khor; Domain=example", "/khor\r\nset-cookie: a", "/kh\u{f6}r/"] {
            assert!(!is_cookie_path(path), "{path}");
        }
    }
}
