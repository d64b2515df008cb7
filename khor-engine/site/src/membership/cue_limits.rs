//! Limits the cues of each host of a site, so that a host with too many cues does not displace the
//! cues of other hosts. No I/O.

use std::{collections::BTreeMap, time::Duration};

use khor_fleet::Name;
use tokio::time::Instant;

/// Limit of the accepted cues of one host.
const HOST: Limit = Limit { burst: 10.0, per_second: 2.0 };
/// Limit of the played cues of one host. The longest cue lasts two seconds, and only one cue sounds
/// at a time.
const HOST_SOUNDS: Limit = Limit { burst: 3.0, per_second: 1.0 / 6.0 };
/// Limit of the accepted cues, which all hosts that send no frames to this site share. A relay that
/// aggregates passes on up to 20 cues of such hosts a second. A hostile peer could also invent such
/// hosts.
const OTHERS: Limit = Limit { burst: 40.0, per_second: 20.0 };
/// Shared limit of the played cues of all hosts that send no frames to this site.
const OTHERS_SOUND: Limit = Limit { burst: 6.0, per_second: 1.0 / 3.0 };
/// Maximum number of hosts with limits of their own. A host is removed once its buckets are full
/// again.
const MOST_HOSTS: usize = 10_000;

/// The reason for rejecting a cue that exceeds the limit [`HOST`].
const HOST_REFUSAL: &str = "more cues than a host may send: 10 at once and 2 a second";
/// The reason for rejecting a cue that exceeds the limit [`OTHERS`].
const OTHERS_REFUSAL: &str =
    "more cues than the shared limit of hosts that send no frames to this site: 40 at once and 20 a second";
/// Limit of the changes (lost and found hosts) that a sub-site may report.
pub(super) const CHANGES: Limit = Limit { burst: 16.0, per_second: 4.0 };

/// How an accepted cue is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whether khor may play the cue. khor lists every accepted cue, even if it does not play it.
    pub sounds: bool,
    /// Whether the host has its own share of the list of cues. Each host that sends frames to this
    /// site has a share. All other hosts together have one share.
    pub has_share: bool,
}

/// The size of a token bucket, and the rate at which it fills.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    burst: f32,
    per_second: f32,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    limit: Limit,
    left: f32,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(limit: Limit, now: Instant) -> Self {
        Self { limit, left: limit.burst, at: now }
    }

    /// Takes a token from the bucket. Returns `false` if the bucket has no token.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.left = self.at_now(now);
        self.at = now;
        let has_one = self.left >= 1.0;
        if has_one {
            self.left -= 1.0;
        }
        has_one
    }

    fn at_now(&self, now: Instant) -> f32 {
        let more = self.limit.per_second * now.duration_since(self.at).as_secs_f32();
        (self.left + more).min(self.limit.burst)
    }

    fn is_full(&self, now: Instant) -> bool {
        self.at_now(now) >= self.limit.burst
    }
}

#[derive(Debug)]
struct Limits {
    accepted: Bucket,
    sounding: Bucket,
}

impl Limits {
    fn new(accepted: Limit, sounding: Limit, now: Instant) -> Self {
        Self { accepted: Bucket::new(accepted, now), sounding: Bucket::new(sounding, now) }
    }
}

/// The cue limits of all hosts.
#[derive(Debug)]
pub(super) struct CueLimits {
    hosts: BTreeMap<Name, Limits>,
    others: Limits,
    tidied: Instant,
}

impl CueLimits {
    /// Time between two searches for hosts that can be removed, because their buckets are full
    /// again.
    const TIDY_INTERVAL: Duration = Duration::from_secs(1);

    pub(super) fn new(now: Instant) -> Self {
        Self { hosts: BTreeMap::new(), others: Limits::new(OTHERS, OTHERS_SOUND, now), tidied: now }
    }

    /// Accepts or rejects a cue of this host. `sends_frames` states whether the host sends frames
    /// to this site. If the cue is rejected, returns the limit that was exceeded.
    pub(super) fn admit(
        &mut self,
        host: &Name,
        sends_frames: bool,
        now: Instant,
    ) -> Result<Admission, &'static str> {
        self.tidy(now);
        if !self.hosts.contains_key(host) && self.hosts.len() < MOST_HOSTS {
            self.hosts.insert(host.clone(), Limits::new(HOST, HOST_SOUNDS, now));
        }
        let own = self.hosts.get_mut(host);
        let has_share = sends_frames && own.is_some();
        let own = own.map(|limits| (limits, HOST_REFUSAL));
        let others = (!has_share).then_some((&mut self.others, OTHERS_REFUSAL));
        let mut sounds = true;
        for (limits, refusal) in own.into_iter().chain(others) {
            if !limits.accepted.take(now) {
                return Err(refusal);
            }
            sounds = sounds && limits.sounding.take(now);
        }
        Ok(Admission { sounds, has_share })
    }

    fn tidy(&mut self, now: Instant) {
        if now.duration_since(self.tidied) >= Self::TIDY_INTERVAL {
            self.tidied = now;
            self.hosts.retain(|_, limits| !limits.sounding.is_full(now) || !limits.accepted.is_full(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// Sends `count` cues within `ms` milliseconds. Returns how many are accepted, and how many
    /// khor plays.
    fn sent(
        limits: &mut CueLimits,
        host: impl Fn(u64) -> Name,
        known: bool,
        count: u64,
        ms: u64,
    ) -> [usize; 2] {
        let begun = limits.tidied;
        let admitted: Vec<Admission> = (0..count)
            .filter_map(|i| {
                limits.admit(&host(i), known, begun + Duration::from_micros(1000 * ms * i / count)).ok()
            })
            .collect();
        [admitted.len(), admitted.iter().filter(|admission| admission.sounds).count()]
    }

    #[test]
    fn a_flooding_host_does_not_affect_others() {
        let begun = Instant::now();
        let mut limits = CueLimits::new(begun);
        let flood = sent(&mut limits, |_| name("evil"), true, 20_000, 1000);
        assert!((11..=12).contains(&flood[0]) && flood[1] == 3, "{flood:?}");
        let quiet = limits.admit(&name("web-1"), true, begun + Duration::from_secs(1));
        assert_eq!(quiet, Ok(Admission { sounds: true, has_share: true }));
        // A minute later, the host may send a burst again.
        let later = begun + Duration::from_mins(1);
        assert_eq!((0..100).filter(|_| limits.admit(&name("evil"), true, later).is_ok()).count(), 10);
    }

    #[test]
    fn invented_hosts_share_one_limit() {
        let begun = Instant::now();
        let mut limits = CueLimits::new(begun);
        let invented = sent(&mut limits, |i| name(&format!("h{i}")), false, 30_000, 1000);
        assert!(invented[0] <= 60 && invented[1] <= 7, "{invented:?}");
        assert_eq!(limits.hosts.len(), MOST_HOSTS);
        let later = begun + Duration::from_mins(2);
        let known = limits.admit(&name("web-1"), true, later);
        assert_eq!(known, Ok(Admission { sounds: true, has_share: true }));
        assert_eq!(limits.hosts.len(), 1);
    }

    #[test]
    fn a_refusal_states_the_exceeded_limit() {
        let now = Instant::now();
        let mut limits = CueLimits::new(now);
        let own = (0..11).find_map(|_| limits.admit(&name("evil"), true, now).err());
        assert_eq!(own, Some(HOST_REFUSAL));
        let shared = (0..41).find_map(|i| limits.admit(&name(&format!("h{i}")), false, now).err());
        assert_eq!(shared, Some(OTHERS_REFUSAL));
    }
}
