//! Matches OSC address patterns: `?`, `*`, `[a-z]`, `[!a-z]` and `{one,other}`. No wildcard matches
//! a slash.
//!
//! The matcher tracks all possible positions in the name at once, instead of trying them by
//! recursion. So its time grows only with the length of the pattern and the number of addresses.
//! rosc's own matcher is incorrect: its `[…]` matches several characters, and it tries only the
//! first alternative of a `{…}`.

use super::command::{MUTE, PANIC, set_addresses};

/// Maximum length of a name between two slashes, in bytes. A `u128` has one bit for each position
/// in the name, including the position after its last byte.
const MAX_NAME_BYTES: usize = 127;

/// Returns whether an address is a pattern.
pub(super) fn is_pattern(address: &str) -> bool {
    address.contains(['?', '*', '[', ']', '{', '}'])
}

/// Returns the addresses of settings and actions that a pattern matches, or none if the pattern is
/// malformed.
pub(super) fn expand(pattern: &str) -> Vec<String> {
    let Some(pattern) = pattern.strip_prefix('/') else { return Vec::new() };
    let parts: Option<Vec<Part<'_>>> = pattern.split('/').map(Part::of).collect();
    let Some(parts) = parts else { return Vec::new() };
    let actions = [MUTE, PANIC].map(str::to_owned).into_iter();
    actions.chain(set_addresses()).filter(|address| matches(&parts, address)).collect()
}

/// Returns whether each part of the pattern matches the part at the same place of the address.
fn matches(parts: &[Part<'_>], address: &str) -> bool {
    let names = || address.split('/').skip(1);
    names().count() == parts.len() && names().zip(parts).all(|(name, part)| part.matches(name))
}

/// The part of a pattern between two slashes.
struct Part<'a>(Vec<Piece<'a>>);

/// A piece of a pattern: one character or one wildcard.
enum Piece<'a> {
    Byte(u8),
    Any,
    Star,
    Class { members: &'a [u8], negated: bool },
    Choice(Vec<&'a [u8]>),
}

impl<'a> Part<'a> {
    /// Parses the part of a pattern between two slashes. Returns `None` if a bracket is not closed.
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
    /// Returns the positions in the name at which a match of this piece can end, as bits. `places`
    /// are the positions at which the match can begin, also as bits.
    fn advance(&self, places: u128, name: &[u8]) -> u128 {
        match self {
            Self::Byte(byte) => step(places, name, |other| other == *byte),
            Self::Any => step(places, name, |_| true),
            Self::Star => {
                // `*` matches any number of bytes, so a match can end at every position from the
                // first possible start onwards.
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

/// Moves each position past the next byte of the name. Drops positions where that byte does not
/// match.
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

/// Returns whether a character class contains `byte`. `a-z` is a range. A hyphen at the start or
/// end stands for itself.
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

/// Splits off the bytes of `rest` before the byte `end`, and removes `end`. Returns `None` if `end`
/// is missing.
fn until<'a>(rest: &mut &'a [u8], end: u8) -> Option<&'a [u8]> {
    let at = rest.iter().position(|byte| *byte == end)?;
    let (inner, after) = rest.split_at(at);
    *rest = &after[1..];
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use khor_config::Config;

    fn part_matches(pattern: &str, name: &str) -> bool {
        Part::of(pattern).is_some_and(|part| part.matches(name))
    }

    #[test]
    fn patterns_follow_the_osc_specification() {
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
            assert!(yes.iter().all(|name| part_matches(pattern, name)), "{pattern}");
            assert!(!no.iter().any(|name| part_matches(pattern, name)), "{pattern}");
        }
        for broken in ["[a", "{a", "a]", "a}", "[]", "[!"] {
            assert!(!part_matches(broken, "a"), "{broken}");
        }
    }

    #[test]
    fn a_pattern_expands_to_existing_addresses() {
        assert_eq!(expand("/khor/{mute,panic}"), ["/khor/mute", "/khor/panic"]);
        assert_eq!(expand("/khor/*"), ["/khor/mute", "/khor/panic"]);
        assert_eq!(expand("/khor/set/music/bp?"), ["/khor/set/music/bpm"]);
        assert_eq!(expand("/*/set/[l-n]*/{bpm,density}").len(), 2);
        assert!(expand("/khor/set/music/*").len() > 4);
        let all = expand("/khor/set/*/*");
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
            assert_eq!(expand(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn patterns_match_every_setting_name() {
        for field in Config::fields() {
            assert!(field.path.split('.').all(|name| part_matches("*", name)), "{}", field.path);
        }
    }

    #[test]
    fn hostile_patterns_match_fast() {
        let name = "a".repeat(MAX_NAME_BYTES);
        assert!(!part_matches(&format!("{}b", "a*".repeat(5000)), &name));
        assert!(!part_matches(&"{a,aa,aaa}".repeat(5000), &name));
        assert!(part_matches(&"*".repeat(60_000), &name));
    }
}
