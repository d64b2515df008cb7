//! The local time zone as the C library determines it: from `TZ`, else from `/etc/localtime`.
//!
//! An invalid `TZ` means UTC, as in the C library. khor also reports an invalid `TZ`, because quiet
//! hours use the local time.

use std::{ffi::OsStr, fs, path::Path, sync::OnceLock};

use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

use crate::Shortfall;

/// The folders with zone files on different systems.
const FOLDERS: [&str; 4] =
    ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// The zone file of the machine.
const MACHINE: &str = "/etc/localtime";
/// The rule for clock changes that the C library uses if `TZ` names a summer time without a rule.
/// It is the rule of the United States.
const DEFAULT_RULE: &str = ",M3.2.0,M11.1.0";
const FIX: &str = "set TZ to a name such as Europe/Berlin and install tzdata, or unset TZ; then restart khor";

/// The time zone of this process. If the requested zone is invalid, `zone` is UTC and `problem` has
/// the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// The time zone.
    pub zone: TimeZone,
    /// Why the requested zone is invalid; `None` for a valid zone.
    pub problem: Option<Shortfall>,
}

impl Local {
    /// The current zone. Reads `TZ` only once. Without `TZ`, reads the machine's zone each time,
    /// because it may change while khor runs.
    pub fn now() -> Self {
        static BY_VARIABLE: OnceLock<Option<Local>> = OnceLock::new();
        let by_variable = BY_VARIABLE.get_or_init(|| std::env::var_os("TZ").map(|tz| Self::of_variable(&tz)));
        by_variable.clone().unwrap_or_else(Self::of_machine)
    }

    /// The display name of the zone: `Europe/Berlin`, or the current offset from UTC.
    pub fn name(&self) -> String {
        let offset = || format!("UTC{}", self.zone.to_offset(Timestamp::now()));
        self.zone.iana_name().map_or_else(offset, str::to_owned)
    }

    fn of_variable(tz: &OsStr) -> Self {
        let known = tz.to_str().and_then(parse_tz);
        known.map_or_else(|| Self::utc(format!("TZ={} is not a known time zone", tz.display())), Self::zone)
    }

    fn of_machine() -> Self {
        match TimeZone::try_system() {
            Ok(zone) => Self::zone(zone),
            // The machine has no zone file, which means UTC.
            Err(_) if !Path::new(MACHINE).exists() => Self::zone(TimeZone::UTC),
            Err(error) => Self::utc(format!("{MACHINE} is not a valid time zone file: {error}")),
        }
    }

    fn zone(zone: TimeZone) -> Self {
        Self { zone, problem: None }
    }

    fn utc(why: String) -> Self {
        let problem = Shortfall { error: format!("{why}, so all times are in UTC"), fix: FIX.to_owned() };
        Self { zone: TimeZone::UTC, problem: Some(problem) }
    }
}

/// The local time now.
pub fn now() -> ZonedDateTime {
    Timestamp::now().to_zoned_datetime(Local::now().zone)
}

/// Parses a value of `TZ`: first as the name of a zone file, then as a POSIX rule. `None` if it is
/// neither.
fn parse_tz(tz: &str) -> Option<TimeZone> {
    let tz = tz.strip_prefix(':').unwrap_or(tz);
    if tz.is_empty() {
        return Some(TimeZone::UTC);
    }
    if tz.starts_with('/') {
        return of_file(Path::new(tz));
    }
    // A name such as `posix/Europe/Berlin` means the same zone as `Europe/Berlin`.
    let name = tz.strip_prefix("posix/").unwrap_or(tz);
    let of_database = || TimeZone::get(name).ok().filter(|zone| !zone.is_unknown());
    of_database().or_else(|| of_folders(tz)).or_else(|| of_rule(tz))
}

fn of_folders(name: &str) -> Option<TimeZone> {
    let own = std::env::var("TZDIR").ok();
    let folders = own.as_deref().into_iter().chain(FOLDERS);
    folders.map(|folder| Path::new(folder).join(name)).find_map(|path| of_file(&path))
}

/// Reads a zone file. The name of the zone is the path below a `zoneinfo` folder, or the whole
/// path.
fn of_file(path: &Path) -> Option<TimeZone> {
    let text = path.to_str()?;
    let name = text.rsplit_once("zoneinfo/").map_or(text, |(_, name)| name);
    TimeZone::tzif(name, &fs::read(path).ok()?).ok()
}

/// Parses a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`, `CET-1` or `CET-1CEST`.
fn of_rule(tz: &str) -> Option<TimeZone> {
    let with_default_rule = || TimeZone::posix(&format!("{tz}{DEFAULT_RULE}")).ok();
    TimeZone::posix(tz).ok().or_else(|| if tz.contains(',') { None } else { with_default_rule() })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Converts noon UTC on three days to local time: a day in winter, a day in spring between the
    /// clock changes of America and Europe, and a day in summer.
    fn noons(zone: &TimeZone) -> [String; 3] {
        ["2026-01-15T12:00:00Z", "2026-03-20T12:00:00Z", "2026-07-15T12:00:00Z"].map(|noon| {
            let noon: Timestamp = noon.parse().unwrap();
            noon.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string()
        })
    }

    /// Converts the times of [`noons`] to local time with the program `date`, which uses the C
    /// library. Returns `None` if `date` fails.
    fn by_date(tz: &str) -> Option<[String; 3]> {
        let mut noons = Vec::new();
        for noon in ["2026-01-15 12:00:00Z", "2026-03-20 12:00:00Z", "2026-07-15 12:00:00Z"] {
            let output = Command::new("date").args(["-d", noon, "+%H:%M"]).env("TZ", tz).output().ok()?;
            noons.push(String::from_utf8(output.stdout).ok()?.trim().to_owned());
        }
        noons.try_into().ok()
    }

    fn zone(tz: &str) -> TimeZone {
        parse_tz(tz).unwrap_or_else(|| panic!("TZ={tz} is invalid"))
    }

    #[test]
    fn summer_time_without_rule_follows_usa() {
        assert_eq!(noons(&zone("CET-1CEST")), ["13:00", "14:00", "14:00"]);
        assert_eq!(noons(&zone("CET-1CEST,M3.5.0,M10.5.0/3")), ["13:00", "13:00", "14:00"]);
        assert_eq!(noons(&zone("XST-1")), ["13:00", "13:00", "13:00"]);
        assert_eq!(noons(&zone("<+0530>-5:30")), ["17:30", "17:30", "17:30"]);
        assert_eq!(noons(&zone("")), ["12:00"; 3]);
    }

    #[test]
    fn tz_matches_c_library() {
        let rules =
            ["CET-1CEST", ":CET-1CEST", "XST-1", "<+0530>-5:30", "AEST-10AEDT,M10.1.0,M4.1.0/3", "", "UTC0"];
        let files =
            ["Europe/Berlin", ":Europe/Berlin", "posix/Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"];
        let files = files.into_iter().chain(["EST5EDT", ":/usr/share/zoneinfo/Asia/Kolkata"]);
        let has_files = Path::new("/usr/share/zoneinfo/Europe/Berlin").exists();
        for tz in rules.into_iter().chain(files.filter(|_| has_files)) {
            let Some(expected) = by_date(tz) else { return khor_e2e::skip("needs date of coreutils") };
            if tz.starts_with("posix/") && !Path::new("/usr/share/zoneinfo/posix").exists() {
                continue; // without the folder, date does not know the zone
            }
            assert_eq!(noons(&zone(tz)), expected, "TZ={tz}");
        }
    }

    #[test]
    fn posix_zones_work_without_a_posix_folder() {
        if Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
            assert_eq!(noons(&zone("posix/Europe/Berlin")), ["13:00", "13:00", "14:00"]);
        }
    }

    #[test]
    fn invalid_tz_means_utc_and_is_reported() {
        for tz in ["Mars/Olympus", "/nonexistent", "CET-1CEST,", "not a zone", "/etc/passwd", "Europe"] {
            let local = Local::of_variable(OsStr::new(tz));
            let problem = local.problem.unwrap_or_else(|| panic!("TZ={tz} is valid"));
            assert_eq!(local.zone, TimeZone::UTC, "{tz}");
            assert!(problem.error.contains(tz) && problem.error.contains("UTC"), "{problem:?}");
            assert!(problem.fix.contains("TZ"), "{problem:?}");
        }
        assert_eq!(Local::of_variable(OsStr::new("XST-1")).problem, None);
    }
}
