//! Attack: another user uses a stolen session cookie. Also tests how sessions end.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use khor_e2e::{
    SecondUser, UserEngine, free_port,
    second_user::{NOBODY, OTHER, OWNER},
    skip::root_or_skip,
};
use serde_json::{Value, json};

use crate::{
    attempt::{Outcome, Row, Target, assert_granted, assert_rejected, try_all},
    requests::{ask, change, get, judge, send},
};

const TOKEN: &str = "a-token-of-the-attackers-tests-0123456789";
const ANOTHER_TOKEN: &str = "another-token-of-the-attackers-tests-0123";
/// The largest number of sessions that an engine keeps.
const MAX_SESSIONS: usize = 32;
/// Longest allowed age of a session.
const MAX_AGE_S: u64 = 30 * 24 * 3600;

/// A row whose attempt logs in with the token. If it succeeds, the outcome is the cookie with its
/// attributes.
pub(crate) fn login() -> Row {
    Row::new("log in", "a session", |target| {
        let token = json!({ "token": target.text("token") });
        let answer = send(target.text("engine"), "POST", "/api/login", &[], &token);
        let cookie = answer.as_ref().ok().and_then(|answer| answer.header("set-cookie"));
        judge(answer).and_then(|_| cookie.ok_or_else(|| "no cookie".into()))
    })
}

/// Makes a row for each of the target's cookies. The row's attempt is a request with this cookie.
pub(crate) fn replays(target: &Target) -> Vec<Row> {
    let cookies = target.0["cookies"].as_array().expect("a list of cookies in the target").iter();
    let cookies = cookies.map(|cookie| cookie.as_str().expect("a cookie in text").to_owned()).enumerate();
    let row = |(i, cookie): (usize, String)| {
        Row::new(format!("GET with cookie {i}"), "its content", move |target| {
            let answer = ask(target.text("engine"), "GET", "/api/metrics", &[("cookie", &cookie)], None);
            judge(answer)
        })
    };
    cookies.map(row).collect()
}

/// Rows whose attempts are requests without a token.
pub(crate) fn tokenless() -> Vec<Row> {
    let mut rows: Vec<Row> = ["/api/health", "/api/config", "/metrics"].map(|path| get(path, None)).into();
    rows.push(change("POST", "/api/actions/mute?on=true", ""));
    rows.push(change("PATCH", "/api/config", r#"{"music": {"bpm": 71}}"#));
    rows
}

/// Ends the session of `target.cookie`, or all sessions if `target.everywhere` is true.
pub(crate) fn logout() -> Row {
    Row::new("log out", "the end of the session", |target| {
        let path = if target.0["everywhere"] == true { "/api/logout?everywhere=true" } else { "/api/logout" };
        let headers = [("cookie", target.text("cookie")), ("content-length", "0")];
        judge(ask(target.text("engine"), "POST", path, &headers, None))
    })
}

/// An engine that needs a token, and its user.
struct Guarded {
    owner: SecondUser,
    engine: UserEngine,
}

impl Guarded {
    fn start() -> Self {
        let owner = SecondUser::new(OWNER);
        let token = token_file(&owner);
        owner.write(&token, TOKEN);
        owner.configure(&json!({ "listen": { "port": free_port(), "token_file": token } }));
        let engine = UserEngine::start(&owner, &["--fake", "--no-audio"]);
        Self { owner, engine }
    }

    fn target(&self, more: &Value) -> Value {
        let mut target = json!({ "engine": self.engine.address(), "token": TOKEN });
        for (key, value) in more.as_object().expect("an object with more fields") {
            target[key] = value.clone();
        }
        target
    }

    /// Logs the owner in, and returns the header `Set-Cookie`.
    fn login(&self) -> String {
        match try_all(&self.owner, "login", &self.target(&json!({}))).remove(0).outcome {
            Ok(cookie) => cookie,
            Err(refusal) => panic!("the login was rejected: {refusal}"),
        }
    }

    /// Whether the engine accepts the owner's requests with this cookie.
    fn is_open(&self, cookie: &str) -> bool {
        let target = self.target(&json!({ "cookies": [cookie] }));
        try_all(&self.owner, "sessions", &target)[0].outcome.is_ok()
    }

    fn logout(&self, cookie: &str, everywhere: bool) {
        let target = self.target(&json!({ "cookie": cookie, "everywhere": everywhere }));
        assert_granted(&self.owner, "logout", &target);
    }
}

fn token_file(owner: &SecondUser) -> PathBuf {
    owner.home().join(".config/khor/token")
}

/// The part `name=value` of a header `Set-Cookie`.
fn pair(cookie: &str) -> String {
    cookie.split(';').next().unwrap_or_default().trim().to_owned()
}

#[test]
fn session_is_useless_to_other_users() {
    if !root_or_skip() {
        return;
    }
    let guarded = Guarded::start();
    let cookie = guarded.login();
    let attributes = cookie.to_ascii_lowercase();
    let age =
        attributes.split("max-age=").nth(1).and_then(|rest| rest.split(';').next()?.trim().parse().ok());
    assert!(age.is_some_and(|age: u64| age > 0 && age <= MAX_AGE_S), "{attributes}");
    assert!(attributes.contains("httponly") && attributes.contains("samesite=strict"), "{attributes}");
    let (session, port) = (pair(&cookie), guarded.engine.port());
    let (name, value) = session.split_once('=').expect("a cookie `name=value`");
    assert_eq!(name, format!("khor_session_{port}"));
    assert!(value.len() >= 32 && !value.contains(TOKEN), "the cookie contains the token or is too short");

    let stolen = guarded.target(&json!({ "cookies": [session] }));
    assert_granted(&guarded.owner, "sessions", &stolen);
    for thief in [NOBODY, OTHER, 0] {
        assert_rejected(&SecondUser::new(thief), "sessions", &stolen);
    }
    // Every user needs the token, even the owner and root.
    for user in [NOBODY, OWNER, 0] {
        assert_rejected(&SecondUser::new(user), "tokenless", &stolen);
    }
    let invented = [
        format!("{name}={TOKEN}"),
        format!("khor_token={TOKEN}"),
        format!("khor_session={value}"),
        format!("{name}={}", &value[..value.len() - 1]),
    ];
    let invented = guarded.target(&json!({ "cookies": invented }));
    assert_rejected(&guarded.owner, "sessions", &invented);

    let file = guarded.owner.home().join(".local/state/khor/sessions.json");
    let (text, mode) = (
        fs::read_to_string(&file).expect("reading the sessions file"),
        fs::metadata(&file).expect("the sessions file's mode"),
    );
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    assert!(!text.contains(value) && !text.contains(TOKEN), "the file contains more than hashes: {text}");
    assert!(!guarded.engine.log().contains(value) && !guarded.engine.log().contains(TOKEN));
}

#[test]
fn logout_login_limit_or_token_end_sessions() {
    if !root_or_skip() {
        return;
    }
    let guarded = Guarded::start();
    let sessions: Vec<String> = (0..3).map(|_| pair(&guarded.login())).collect();
    let open = || sessions.iter().map(|session| guarded.is_open(session)).collect::<Vec<_>>();
    assert_eq!(open(), [true; 3]);
    guarded.logout(&sessions[0], false);
    assert_eq!(open(), [false, true, true]);
    guarded.logout(&sessions[1], true);
    assert_eq!(open(), [false; 3]);

    let target = guarded.target(&json!({}));
    let many = (0..MAX_SESSIONS + 8).filter_map(|_| {
        let outcome: Outcome = try_all(&guarded.owner, "login", &target).remove(0).outcome;
        outcome.ok().map(|cookie| pair(&cookie))
    });
    let many: Vec<String> = many.collect();
    let replayed = try_all(&guarded.owner, "sessions", &guarded.target(&json!({ "cookies": many })));
    let live = replayed.iter().filter(|row| row.outcome.is_ok()).count();
    assert!((1..=MAX_SESSIONS).contains(&live), "{live} sessions are valid at the same time");

    // Sessions stay valid after a restart, until the token changes.
    let last = replayed.iter().rposition(|row| row.outcome.is_ok()).expect("a valid session");
    let Guarded { owner, engine } = guarded;
    assert!(engine.stop().success());
    let guarded = Guarded { engine: UserEngine::start(&owner, &["--fake", "--no-audio"]), owner };
    assert!(guarded.is_open(&many[last]), "the restart ended the session");
    let Guarded { owner, engine } = guarded;
    assert!(engine.stop().success());
    owner.write(&token_file(&owner), ANOTHER_TOKEN);
    let guarded = Guarded { engine: UserEngine::start(&owner, &["--fake", "--no-audio"]), owner };
    assert!(!guarded.is_open(&many[last]), "the session outlived the change of the token");
}
