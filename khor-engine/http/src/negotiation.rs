//! Reads which formats and codings a client accepts, from headers with quality values (RFC 9110,
//! section 12.4.2).

use warp::http::{HeaderMap, HeaderName, header};

/// The quality of `name` in a header such as `Accept-Encoding`, 0..=1. A quality of 0 means that
/// the client does not accept `name`. `None` if the header contains neither `name` nor a wildcard
/// that matches it.
pub fn quality(headers: &HeaderMap, header: HeaderName, name: &str) -> Option<f32> {
    let group = name.split_once('/').map(|(group, _)| format!("{group}/*"));
    let specificity = |written: &str| {
        [Some("*"), Some("*/*"), group.as_deref(), Some(name)]
            .iter()
            .rposition(|candidate| candidate.is_some_and(|it| it.eq_ignore_ascii_case(written)))
    };
    let values = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    let listed = values.flat_map(|value| value.split(',')).filter_map(|item| {
        let mut parameters = item.split(';').map(str::trim);
        let specificity = specificity(parameters.next()?)?;
        let quality = parameters.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
        Some((specificity, quality.map_or(1.0_f32, |quality| quality.parse().unwrap_or(0.0))))
    });
    // The most specific entry applies. Among equally specific entries, the highest quality applies.
    listed.max_by(|one, another| one.0.cmp(&another.0).then(one.1.total_cmp(&another.1))).map(|(_, q)| q)
}

/// Whether a client accepts answers in this content coding, such as `gzip`.
pub fn takes_coding(headers: &HeaderMap, coding: &str) -> bool {
    quality(headers, header::ACCEPT_ENCODING, coding).is_some_and(|quality| quality > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: HeaderName, value: &str, name: &str) -> Option<f32> {
        let headers = HeaderMap::from_iter([(header.clone(), value.parse().unwrap())]);
        quality(&headers, header, name)
    }

    #[test]
    fn an_exact_name_counts_before_a_wildcard() {
        let coding = |value: &str| of(header::ACCEPT_ENCODING, value, "gzip");
        for (value, expected) in [
            ("gzip, deflate, br", Some(1.0)),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", Some(0.8)),
            ("*", Some(1.0)),
            ("GZIP ; q=0.5", Some(0.5)),
            ("identity;q=1, *;q=0", Some(0.0)),
            ("gzip;q=0, *", Some(0.0)),
            ("gzip;q=x", Some(0.0)),
            ("identity", None),
            ("", None),
        ] {
            assert_eq!(coding(value), expected, "{value}");
        }
        assert_eq!(quality(&HeaderMap::new(), header::ACCEPT_ENCODING, "gzip"), None);
    }

    #[test]
    fn repeated_name_takes_highest_quality() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                          application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let kind = |name: &str| of(header::ACCEPT, prometheus, name);
        assert_eq!(kind("application/openmetrics-text"), Some(0.5));
        assert_eq!((kind("text/plain"), kind("image/png")), (Some(0.2), Some(0.1)));
        assert_eq!(of(header::ACCEPT, "text/*;q=0.3, */*", "text/plain"), Some(0.3));
    }
}
