//! Rejects requests from pages of other sites, and requests whose `Host` does not name this
//! listener.
//!
//! A request whose `Host` names another server may be a DNS rebinding attack. Browsers mark
//! requests from another site's page with `Origin` or `Sec-Fetch-Site`. khor rejects even GET
//! requests from such a page. The browser hides most answers from the page, but the requests use
//! CPU time, and the browser does not hide a WebSocket or a sound.

use warp::{
    Filter, Rejection,
    http::{HeaderMap, HeaderValue, Method, uri::Authority},
    path::FullPath,
    reject,
};

use super::access::{Access, Names, is_api};

/// The `Host` header does not name this listener. khor answers 421.
#[derive(Debug)]
pub(super) struct ForeignHost;
impl reject::Reject for ForeignHost {}

/// A page of another site sent the request. khor answers 403.
#[derive(Debug)]
pub(super) struct ForeignOrigin;
impl reject::Reject for ForeignOrigin {}

/// Creates a filter that passes requests for this listener, except requests from pages of other
/// sites.
pub(super) fn guard(access: &Access) -> impl Filter<Extract = (), Error = Rejection> + Clone + use<> {
    let names = access.names().clone();
    warp::host::optional()
        .and(warp::method())
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and_then(move |host: Option<Authority>, method: Method, path: FullPath, headers: HeaderMap| {
            let verdict = check(&names, host.as_ref(), &method, path.as_str(), &headers);
            async move { verdict }
        })
        .untuple_one()
}

fn check(
    names: &Names,
    host: Option<&Authority>,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<(), Rejection> {
    let host = host.filter(|host| names.is_own_host(host));
    let host = host.ok_or_else(|| reject::custom(ForeignHost))?;
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_foreign = text("origin").is_some_and(|origin| !names.is_own_origin(origin, host))
        // Also check this header, because browsers send no `Origin` when they load images, media
        // and links.
        || text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    // Allow requests for the page itself, because a link on another site may open it.
    let is_page = !is_api(path) && (method == Method::GET || method == Method::HEAD);
    if is_foreign && !is_page { Err(reject::custom(ForeignOrigin)) } else { Ok(()) }
}

/// Adds the security headers that every answer has. They allow khor's page to load files only
/// from this listener, and forbid other pages to show khor's page in a frame.
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

    const OURS: &str = "127.0.0.1:17321";

    async fn is_passed(method: &str, path: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = warp::test::request().method(method).path(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.matches(&guard(&loopback(17321)).map(warp::reply)).await
    }

    #[tokio::test]
    async fn only_own_addresses_are_hosts() {
        for host in [OURS, "localhost:17321", "LOCALHOST:17321", "localhost.:17321", "[::1]:17321"] {
            assert!(is_passed("GET", "/api/health", &[("host", host)]).await, "{host}");
        }
        for host in [
            "evil.example:17321",
            "evil.example.:17321",
            "127.0.0.1",
            "127.0.0.1:80",
            "192.168.1.7:17321",
            "localhost.evil.example:17321",
            "localhost..:17321",
        ] {
            assert!(!is_passed("GET", "/", &[("host", host)]).await, "{host}");
        }
        assert!(!is_passed("GET", "/", &[]).await, "no host");
    }

    #[tokio::test]
    async fn foreign_sites_are_rejected() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            for path in ["/api/health", "/api/clips/idle.wav", "/api/listen", "/metrics"] {
                let passes = async |more: &[(&str, &str)]| {
                    is_passed(method, path, &[&[("host", OURS)], more].concat()).await
                };
                assert!(
                    passes(&[]).await,
                    "a request without both headers must pass, because curl sends neither"
                );
                assert!(passes(&[("origin", "http://127.0.0.1:17321")]).await, "{method} {path}");
                for own in ["same-origin", "none"] {
                    assert!(passes(&[("sec-fetch-site", own)]).await, "{method} {path} {own}");
                }
                for foreign in ["cross-site", "same-site", "\u{e9}"] {
                    assert!(!passes(&[("sec-fetch-site", foreign)]).await, "{method} {path} {foreign}");
                }
                for foreign in
                    ["http://evil.example", "null", "https://127.0.0.1:17321", "http://127.0.0.1:8000"]
                {
                    assert!(!passes(&[("origin", foreign)]).await, "{method} {path} {foreign}");
                }
            }
        }
    }

    #[tokio::test]
    async fn foreign_links_open_the_page() {
        let from_elsewhere = [("host", OURS), ("sec-fetch-site", "cross-site")];
        assert!(is_passed("GET", "/", &from_elsewhere).await);
        assert!(!is_passed("POST", "/", &from_elsewhere).await);
    }
}
