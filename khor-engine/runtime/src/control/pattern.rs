//! Matches OSC address patterns: `?`, `*`, `[a-z]`, `[!a-z]` and `{one,other}`. None of them
//! matches a `/`.
//!
//! A pattern is matched piece by piece, at all positions of a name at once and without recursion.
//! The time grows with the length of the pattern and the number of addresses. rosc's own matcher
//! lets a class match several characters, and tries only the first of two alternatives.

use serde_json::{Map, Value};

use super::command::{MUTE, PANIC, SET, is_settable};

/// Longest name between two slashes, bytes. A `u128` has one bit for each position in the name.
const MAX_NAME_BYTES: usize = 127;

/// Whether an address is a pattern.
pub(super) fn is_pattern(address: &str) -> bool {
    address.contains(['?', '*', '[', ']', '{', '}'])
}

/// The addresses of settings and actions that a pattern matches. Empty if the pattern is malformed.
/// `settings` contains the settings that OSC may change.
pub(super) fn expand(pattern: &str, settings: &Value) -> Vec<String> {
    let Some(pattern) = pattern.strip_prefix('/') else { return Vec::new() };
    let tree = addresses(settings);
    let mut found: Vec<(String, &Value)> = vec![(String::new(), &tree)];
    for part in pattern.split('/') {
        let Some(part) = Part::of(part) else { return Vec::new() };
        let below = found.iter().flat_map(|(path, node)| {
            let children = node.as_object().into_iter().flatten();
            children.map(move |(name, node)| (path, name, node))
        });
        found = below
            .filter(|(_, name, _)| part.matches(name))
            .map(|(path, name, node)| (format!("{path}/{name}"), node))
            .collect();
    }
    found.into_iter().filter(|(_, node)| is_settable(node)).map(|(path, _)| path).collect()
}

/// The addresses of all settings and actions, as a tree.
fn addresses(settings: &Value) -> Value {
    let mut root = Value::Object(Map::new());
    for (address, node) in [(MUTE, &Value::Bool(true)), (PANIC, &Value::Bool(true)), (SET, settings)] {
        let mut place = &mut root;
        for name in address.split('/').filter(|name| !name.is_empty()) {
            place = &mut place[name];
        }
        *place = node.clone();
    }
    root
}

/// The pattern of one name between slashes.
struct Part<'a>(Vec<Piece<'a>>);

/// A piece of a pattern.
enum Piece<'a> {
    Byte(u8),
    Any,
    Star,
    Class { members: &'a [u8], negated: bool },
    Choice(Vec<&'a [u8]>),
}

impl<'a> Part<'a> {
    /// `None` if a bracket is not closed or not opened.
    fn of(text: &'a str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            pieces.push(match first {
                b'?' => Piece::Any,
                b'*' => Piece::Star,
                b'[' => {
                    let inner = until(&mut rest, b']')?;
                    let negated = inner.first() == Some(&b'!');
                    Piece::Class { members: &inner[usize::from(negated)..], negated }
                }
                b'{' => Piece::Choice(until(&mut rest, b'}')?.split(|byte| *byte == b',').collect()),
                b']' | b'}' => return None,
                byte => Piece::Byte(*byte),
            });
        }
        Some(Self(pieces))
    }

    fn matches(&self, name: &str) -> bool {
        let name = name.as_bytes();
        if name.len() > MAX_NAME_BYTES {
            return false;
        }
        // Bit i is set if the pieces so far match the first i bytes of the name.
        let mut places = 1_u128;
        for piece in &self.0 {
            places = piece.advance(places, name);
            if places == 0 {
                return false;
            }
        }
        places >> name.len() & 1 == 1
    }
}

impl Piece<'_> {
    fn advance(&self, places: u128, name: &[u8]) -> u128 {
        match self {
            Self::Byte(byte) => step(places, name, |other| other == *byte),
            Self::Any => step(places, name, |_| true),
            Self::Star => {
                // Every position from the first one on.
                let all = u128::MAX >> (MAX_NAME_BYTES - name.len());
                all & (u128::MAX << places.trailing_zeros())
            }
            Self::Class { members, negated } => {
                step(places, name, |byte| is_member(members, byte) != *negated)
            }
            Self::Choice(choices) => choices.iter().fold(0, |found, choice| {
                let after = choice.iter().fold(places, |places, byte| step(places, name, |b| b == *byte));
                found | after
            }),
        }
    }
}

/// Moves each position past the next byte of the name, if that byte matches.
fn step(places: u128, name: &[u8], matches: impl Fn(u8) -> bool) -> u128 {
    let (mut left, mut next) = (places, 0);
    while left != 0 {
        let place = left.trailing_zeros() as usize;
        left &= left - 1;
        if name.get(place).is_some_and(|byte| matches(*byte)) {
            next |= 2 << place;
        }
    }
    next
}

/// Whether a class contains `byte`. `a-z` is a range, and a hyphen at either end is a plain byte.
fn is_member(members: &[u8], byte: u8) -> bool {
    let mut rest = members;
    loop {
        match rest {
            [] => return false,
            [low, b'-', high, after @ ..] => {
                if (*low..=*high).contains(&byte) {
                    return true;
                }
                rest = after;
            }
            [one, after @ ..] => {
                if *one == byte {
                    return true;
                }
                rest = after;
            }
        }
    }
}

/// Splits off the bytes of `rest` before `end`, and drops `end`.
fn until<'a>(rest: &mut &'a [u8], end: u8) -> Option<&'a [u8]> {
    let at = rest.iter().position(|byte| *byte == end)?;
    let (inner, after) = rest.split_at(at);
    *rest = &after[1..];
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use khor_config::{Config, steerable};

    fn matches(pattern: &str, name: &str) -> bool {
        Part::of(pattern).is_some_and(|part| part.matches(name))
    }

    #[test]
    fn patterns_match_as_the_specification_says() {
        for (pattern, yes, no) in [
            ("b?m", &["bpm", "b-m"][..], &["bm", "bppm"][..]),
            ("*", &["", "bpm"], &[]),
            ("b*m", &["bm", "bpm", "bpmm"], &["bpmx", "pm"]),
            ("*m*m*", &["mm", "xmxmx"], &["m", "xmx"]),
            ("**??", &["ab", "abc"], &["a", ""]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x", "aax"]),
            ("[!a-c]x", &["dx"], &["ax", "x"]),
            ("[ab-]", &["a", "-"], &["c"]),
            ("{rx,retx}", &["rx", "retx"], &["tx", "rxretx", ""]),
            ("{r,re}tx", &["rtx", "retx"], &["tx"]),
            ("{,x}y", &["y", "xy"], &["x"]),
        ] {
            assert!(yes.iter().all(|name| matches(pattern, name)), "{pattern}");
            assert!(!no.iter().any(|name| matches(pattern, name)), "{pattern}");
        }
        for broken in ["[a", "{a", "a]", "a}", "[]", "[!"] {
            assert!(!matches(broken, "a"), "{broken}");
        }
    }

    #[test]
    fn a_pattern_expands_to_existing_addresses() {
        let settings = steerable(&serde_json::to_value(Config::default()).unwrap());
        let expanded = |pattern| expand(pattern, &settings);
        assert_eq!(expanded("/khor/{mute,panic}"), ["/khor/mute", "/khor/panic"]);
        assert_eq!(expanded("/khor/*"), ["/khor/mute", "/khor/panic"]);
        assert_eq!(expanded("/khor/set/music/bp?"), ["/khor/set/music/bpm"]);
        assert_eq!(expanded("/*/set/[l-n]*/{bpm,density}").len(), 2);
        assert!(expanded("/khor/set/music/*").len() > 4);
        let all = expanded("/khor/set/*/*");
        assert_eq!(all.len(), 9, "{all:?}");
        assert!(
            all.iter().all(|path| path.starts_with("/khor/set/music/") || path.contains("audio/")),
            "{all:?}"
        );
        for none in [
            "/khor/set/music",
            "/khor/set/osc/hos?",
            "/khor/set/listen/*",
            "/khor/set/*/cgroup",
            "/khor/set/audio/devic{e,es}",
            "/khor/x*",
            "khor/*",
            "/",
            "/*",
            "/khor/set/music/bpm/*",
        ] {
            assert_eq!(expanded(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn patterns_match_every_setting_name() {
        let config = serde_json::to_value(Config::default()).unwrap();
        let mut open = vec![&config];
        while let Some(node) = open.pop() {
            for (name, below) in node.as_object().into_iter().flatten() {
                assert!(matches("*", name), "{name}");
                open.push(below);
            }
        }
    }

    #[test]
    fn hostile_patterns_match_fast() {
        let name = "a".repeat(MAX_NAME_BYTES);
        assert!(!matches(&format!("{}b", "a*".repeat(5000)), &name));
        assert!(!matches(&"{a,aa,aaa}".repeat(5000), &name));
        assert!(matches(&"*".repeat(60_000), &name));
    }
}
