//! Who may call: requests for this listener, from this listener's own page or from no page at all.
//!
//! A foreign `Host` means DNS rebinding, a foreign `Origin` a page elsewhere that tries to steer this engine, or to
//! listen through a WebSocket, which browsers let any page open.

use warp::{
    Filter, Rejection,
    http::{HeaderMap, HeaderValue, Method, uri::Authority},
    reject,
};

use super::access::Access;

/// The `Host` is not this listener: 421.
#[derive(Debug)]
pub(super) struct ForeignHost;
impl reject::Reject for ForeignHost {}

/// The `Origin` is not this listener's page: 403.
#[derive(Debug)]
pub(super) struct ForeignOrigin;
impl reject::Reject for ForeignOrigin {}

/// Passes requests that are meant for this listener.
pub(super) fn guard(access: &Access) -> impl Filter<Extract = (), Error = Rejection> + Clone + use<> {
    let access = access.clone();
    warp::host::optional()
        .and(warp::method())
        .and(warp::header::optional::<String>("origin"))
        .and(warp::header::optional::<String>("upgrade"))
        .and_then(
            move |host: Option<Authority>,
                  method: Method,
                  origin: Option<String>,
                  upgrade: Option<String>| {
                let harmless = upgrade.is_none() && (method == Method::GET || method == Method::HEAD);
                let verdict = judge(&access, host.as_ref(), harmless, origin.as_deref());
                async move { verdict }
            },
        )
        .untuple_one()
}

/// `harmless`: changes nothing, and browsers keep the answer from a page elsewhere.
fn judge(
    access: &Access,
    host: Option<&Authority>,
    harmless: bool,
    origin: Option<&str>,
) -> Result<(), Rejection> {
    if !host.is_some_and(|host| access.is_ours(host)) {
        return Err(reject::custom(ForeignHost));
    }
    match origin {
        Some(origin) if !harmless && !is_own(access, origin) => Err(reject::custom(ForeignOrigin)),
        _ => Ok(()),
    }
}

/// Whether an origin is this listener's page. Only a proxy in front of it, under a name of its own, speaks TLS.
fn is_own(access: &Access, origin: &str) -> bool {
    let authority = |scheme: &str| origin.strip_prefix(scheme)?.parse::<Authority>().ok();
    authority("http://").is_some_and(|authority| access.is_ours(&authority))
        || authority("https://").is_some_and(|authority| access.is_named(&authority))
}

/// Headers of every answer: the page may load from here and nowhere else, and nobody may frame it.
pub(super) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        (
            "permissions-policy",
            "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), \
             microphone=(), midi=(), payment=(), serial=(), usb=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::access::tests::loopback;

    fn allowed(host: &str, harmless: bool, origin: Option<&str>) -> bool {
        judge(&loopback(17321), host.parse().ok().as_ref(), harmless, origin).is_ok()
    }

    #[test]
    fn only_this_listener_is_answered() {
        for host in
            ["127.0.0.1:17321", "localhost:17321", "[::1]:17321", "LocalHost:17321", "localhost.:17321"]
        {
            assert!(allowed(host, true, None), "{host}");
        }
        for host in ["evil.example:17321", "127.0.0.1:80", "127.0.0.1", "localhost.evil.example:17321", ""] {
            assert!(!allowed(host, true, None), "{host}");
        }
    }

    #[test]
    fn another_site_may_not_change_anything() {
        let ours = Some("http://127.0.0.1:17321");
        assert!(allowed("127.0.0.1:17321", false, ours));
        assert!(allowed("127.0.0.1:17321", false, None), "curl has no origin");
        assert!(allowed("localhost.:17321", false, Some("http://localhost.:17321")));
        for origin in [
            "http://evil.example",
            "http://evil.example.",
            "null",
            "https://127.0.0.1:17321",
            "http://127.0.0.1:8000",
        ] {
            assert!(!allowed("127.0.0.1:17321", false, Some(origin)), "{origin}");
        }
    }

    #[tokio::test]
    async fn another_site_may_read_what_browsers_hide_and_open_no_socket() {
        let guarded = guard(&loopback(17321)).map(warp::reply);
        let asked = || {
            warp::test::request().header("host", "127.0.0.1:17321").header("origin", "http://evil.example")
        };
        assert!(asked().matches(&guarded).await);
        assert!(!asked().header("upgrade", "websocket").matches(&guarded).await);
        assert!(asked().method("HEAD").matches(&guarded).await);
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(!asked().method(method).matches(&guarded).await, "{method}");
        }
    }
}
