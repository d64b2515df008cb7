//! Decodes the messages of an OSC datagram, and reports malformed elements.
//!
//! A bundle can contain bundles. rosc decodes them recursively, so one datagram with many levels
//! could overflow the thread's stack. This module unpacks bundles in a loop, and rosc only decodes
//! single messages.

use rosc::{OscMessage, OscPacket, decoder};

/// Maximum nesting depth of bundles and of arrays. khor rejects deeper nesting.
const MAX_DEPTH: usize = 4;
/// Maximum length of an address, in bytes. khor's own addresses are much shorter.
const MAX_ADDRESS_BYTES: usize = 256;
/// The first bytes of a bundle. A time tag follows them.
const BUNDLE: &[u8; 8] = b"#bundle\0";
const TIME_TAG_BYTES: usize = 8;

/// Why an element of a datagram cannot be decoded as a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("not an OSC packet: it must begin with / or #bundle")]
    Foreign,
    #[error("not an OSC packet: it ends within a message")]
    Cut,
    #[error("an address is longer than {MAX_ADDRESS_BYTES} bytes; khor has no such address")]
    LongAddress,
    #[error("an address is not UTF-8; send ASCII or UTF-8")]
    AddressText,
    #[error("{0}: the values have no type tags; send a type tag string, such as ,f")]
    Untyped(String),
    #[error("{0}: arrays are nested more than {MAX_DEPTH} levels deep or not closed; send one value")]
    Arrays(String),
    #[error("{0}: the values do not match the type tags; send one value for each tag, texts in UTF-8")]
    Values(String),
    #[error("a bundle ends within an element; khor used the elements before this one")]
    CutBundle,
    #[error("bundles are nested more than {MAX_DEPTH} levels deep; send the messages in one bundle")]
    Depth,
}

/// Calls `take` with each message of a datagram, in order, and with an error for each malformed
/// element. After such an error, continues with the next element if its position is known.
pub(super) fn read(datagram: &[u8], mut take: impl FnMut(Result<OscMessage, Malformed>)) {
    // The remaining bytes of each bundle that is not completely read yet. The innermost bundle is
    // last.
    let mut open: Vec<&[u8]> = Vec::with_capacity(MAX_DEPTH);
    let mut element = Some(datagram);
    loop {
        if let Some(bytes) = element.take() {
            match bundle(bytes) {
                None => take(message(bytes)),
                Some(Err(problem)) => take(Err(problem)),
                Some(Ok(_)) if open.len() == MAX_DEPTH => take(Err(Malformed::Depth)),
                Some(Ok(elements)) => open.push(elements),
            }
        }
        let Some(rest) = open.last_mut() else { return };
        if rest.is_empty() {
            open.pop();
            continue;
        }
        if let Some((first, others)) = split(rest) {
            (element, *rest) = (Some(first), others);
        } else {
            take(Err(Malformed::CutBundle));
            open.pop();
        }
    }
}

/// Returns the bytes of a bundle's elements, or `None` if the packet is not a bundle.
fn bundle(bytes: &[u8]) -> Option<Result<&[u8], Malformed>> {
    let elements = bytes.strip_prefix(BUNDLE)?;
    Some(elements.get(TIME_TAG_BYTES..).ok_or(Malformed::CutBundle))
}

/// Splits off the first element of a bundle. Returns `None` if the bundle ends within the element.
fn split(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = rest.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*size) as usize)
}

/// Decodes one OSC message.
fn message(bytes: &[u8]) -> Result<OscMessage, Malformed> {
    if !bytes.starts_with(b"/") {
        return Err(Malformed::Foreign);
    }
    let (address, rest) = text(bytes)?;
    if address.len() > MAX_ADDRESS_BYTES {
        return Err(Malformed::LongAddress);
    }
    let address = std::str::from_utf8(address).map_err(|_| Malformed::AddressText)?.to_owned();
    // Accept a message without type tags if it has no values, because older senders omit the tags.
    if rest.iter().all(|byte| *byte == 0) {
        return Ok(OscMessage { addr: address, args: Vec::new() });
    }
    if !rest.starts_with(b",") {
        return Err(Malformed::Untyped(address));
    }
    let (tags, _) = text(rest)?;
    if !arrays_are_flat(tags) {
        return Err(Malformed::Arrays(address));
    }
    let begin = bytes.len() - rest.len();
    let mut standard = bytes.to_vec();
    for tag in &mut standard[begin..begin + tags.len()] {
        // Replace the type tag `S` (symbol) by `s` (string), because rosc does not support symbols.
        // Both are encoded in the same way.
        if *tag == b'S' {
            *tag = b's';
        }
    }
    match decoder::decode_udp(&standard) {
        Ok((_, OscPacket::Message(message))) => Ok(message),
        Ok((_, OscPacket::Bundle(_))) => Err(Malformed::Foreign),
        Err(_) => Err(Malformed::Values(address)),
    }
}

/// Splits off a padded string. Returns the string and the bytes after its padding.
fn text(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or(Malformed::Cut)?;
    let rest = bytes.get((end / 4 + 1) * 4..).ok_or(Malformed::Cut)?;
    Ok((&bytes[..end], rest))
}

/// Returns whether all arrays are closed and nested at most [`MAX_DEPTH`] deep. A deeper array
/// would overflow the stack in rosc, even when it is dropped.
fn arrays_are_flat(tags: &[u8]) -> bool {
    let mut depth = 0_usize;
    for tag in tags {
        match tag {
            b'[' if depth == MAX_DEPTH => return false,
            b'[' => depth += 1,
            b']' if depth == 0 => return false,
            b']' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use rosc::{OscBundle, OscTime, OscType, encoder};

    use super::*;

    fn encoded(address: &str, args: Vec<OscType>) -> Vec<u8> {
        encoder::encode(&OscPacket::Message(OscMessage { addr: address.into(), args })).unwrap()
    }

    /// Encodes a bundle of elements that may be malformed.
    fn bundled(elements: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = [BUNDLE.as_slice(), &[0; TIME_TAG_BYTES]].concat();
        for element in elements {
            bytes.extend((element.len() as u32).to_be_bytes());
            bytes.extend(element);
        }
        bytes
    }

    fn addresses(datagram: &[u8]) -> Vec<Result<String, Malformed>> {
        let mut addresses = Vec::new();
        read(datagram, |element| addresses.push(element.map(|message| message.addr)));
        addresses
    }

    #[test]
    fn only_bad_elements_are_dropped() {
        let good = |address| encoded(address, vec![OscType::Int(1)]);
        let bad = [b"hello\0\0\0".to_vec(), Vec::new(), b"/x\0\0,q\0\0".to_vec(), b"/x\0\0,i\0\0".to_vec()];
        for bad in bad {
            let addresses =
                addresses(&bundled(&[good("/a"), bad.clone(), bundled(&[bad, good("/b")]), good("/c")]));
            let good: Vec<&String> = addresses.iter().flatten().collect();
            assert_eq!(good, ["/a", "/b", "/c"], "{addresses:?}");
            assert_eq!(addresses.iter().filter(|element| element.is_err()).count(), 2, "{addresses:?}");
        }
    }

    #[test]
    fn a_wrong_size_ends_its_bundle() {
        let mut inner = bundled(&[encoded("/a", Vec::new()), encoded("/b", Vec::new())]);
        let second = inner.len() - encoded("/b", Vec::new()).len() - 4;
        inner[second] = 0xff;
        let outer = bundled(&[inner, encoded("/c", Vec::new())]);
        assert_eq!(addresses(&outer), [Ok("/a".into()), Err(Malformed::CutBundle), Ok("/c".into())]);
        assert_eq!(addresses(b"#bundle\0\0\0\0"), [Err(Malformed::CutBundle)]);
    }

    #[test]
    fn deep_nesting_is_rejected() {
        let mut packet = encoded("/a", Vec::new());
        for depth in 1..3000 {
            packet = bundled(&[packet]);
            let expected = if depth <= MAX_DEPTH { Ok("/a".to_owned()) } else { Err(Malformed::Depth) };
            if !(10..=2990).contains(&depth) {
                assert_eq!(addresses(&packet), [expected], "{depth}");
            }
        }
        for (tags, is_read) in
            [(",[i]", true), (",[[[[i]]]]", true), (",[[[[[i]]]]]", false), (",]i[", false)]
        {
            let padding = 4 - tags.len() % 4;
            let packet = [b"/a\0\0", tags.as_bytes(), &vec![0; padding], &[0, 0, 0, 1]].concat();
            assert_eq!(addresses(&packet)[0].is_ok(), is_read, "{tags}");
        }
    }

    #[test]
    fn messages_without_type_tags_have_no_values() {
        for packet in [&b"/khor/panic\0"[..], b"/khor/panic\0\0\0\0\0", b"/khor/panic\0,\0\0\0"] {
            let mut args = None;
            read(packet, |element| args = Some(element.unwrap().args));
            assert_eq!(args, Some(Vec::new()), "{packet:?}");
        }
        assert_eq!(addresses(b"/khor/mute\0\0\0\0\0\x01"), [Err(Malformed::Untyped("/khor/mute".into()))]);
        let mut args = Vec::new();
        read(b"/a\0\0,Ss\0rain\0\0\0\0S\0\0\0", |element| args = element.unwrap().args);
        assert_eq!(args, [OscType::String("rain".into()), OscType::String("S".into())]);
    }

    #[test]
    fn messages_that_rosc_encodes_are_read() {
        let args = vec![OscType::Float(0.5), OscType::String("x".into()), OscType::Bool(true)];
        let message = OscMessage { addr: "/a/b".into(), args };
        let content = vec![OscPacket::Message(message.clone()), OscPacket::Message(message.clone())];
        let bundle = OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content };
        let mut addresses = Vec::new();
        read(&encoder::encode(&OscPacket::Bundle(bundle)).unwrap(), |element| {
            addresses.push(element.unwrap());
        });
        assert_eq!(addresses, [message.clone(), message]);
    }
}
