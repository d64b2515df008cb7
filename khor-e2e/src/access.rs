//! Starts NATS servers that authenticate clients by certificate, or by creds files from an
//! operator's accounts (JWT). Each server comes with credentials that it accepts, and with
//! credentials that it rejects.

use std::{
    fs,
    net::Ipv4Addr,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::site::{NatsServer, openssl};

const HOUR_S: i64 = 3600;

/// Starts a server that admits clients whose certificate its authority has signed. The authority
/// has signed `known.pem`, but not `strange.pem`.
pub fn by_certificate() -> NatsServer {
    NatsServer::start_with(r#"ca_file: "ca.pem", verify: true"#, |dir| {
        openssl(
            dir,
            "-keyout other-ca.key -out other-ca.pem -subj /CN=others -addext basicConstraints=critical,CA:TRUE",
        );
        for (name, ca) in [("known", "ca"), ("strange", "other-ca")] {
            openssl(
                dir,
                &format!(
                    "-CA {ca}.pem -CAkey {ca}.key -keyout {name}.key -out {name}.pem -subj /CN={name} \
                     -addext basicConstraints=critical,CA:FALSE"
                ),
            );
        }
        String::new()
    })
}

/// Starts a server whose operator has signed one account. This account has signed three users:
/// `user.creds`, `former.creds`, which expired an hour ago, and `narrow.creds`, which may not
/// publish. The operator has not signed the account of `foreign.creds`.
pub fn by_creds() -> NatsServer {
    NatsServer::start_with("", |dir| {
        let (operator, account, foreign) =
            (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
        let no_limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        });
        let signed_for = |key: &KeyPair, claims: Value| jwt(&operator, &key.public_key(), claims, HOUR_S);
        let operators = signed_for(&operator, json!({ "type": "operator" }));
        let accounts = signed_for(&account, json!({ "type": "account", "limits": no_limits }));
        for (name, issuer, expires_in_s, publishes) in [
            ("user", &account, HOUR_S, "allow"),
            ("former", &account, -HOUR_S, "allow"),
            ("foreign", &foreign, HOUR_S, "allow"),
            ("narrow", &account, HOUR_S, "deny"),
        ] {
            creds(&dir.join(format!("{name}.creds")), issuer, expires_in_s, publishes);
        }
        let key = account.public_key();
        format!("operator: {operators}\nresolver: MEMORY\nresolver_preload: {{ {key}: {accounts} }}")
    })
}

impl NatsServer {
    /// Command-line options for a client that presents `certificate`, if any. The client checks the
    /// server's certificate against the authority `ca`.
    pub fn options_by_certificate(&self, certificate: Option<&str>, ca: &str) -> Vec<String> {
        let mut options = vec!["--nats".to_owned(), self.url(Ipv4Addr::LOCALHOST)];
        options.extend(["--tls-ca".to_owned(), self.path(&format!("{ca}.pem"))]);
        if let Some(name) = certificate {
            options.extend(["--tls-cert".to_owned(), self.path(&format!("{name}.pem"))]);
            options.extend(["--tls-key".to_owned(), self.path(&format!("{name}.key"))]);
        }
        options
    }

    /// Command-line options for a client with the creds file of the user `user`.
    pub fn options_by_creds(&self, user: &str) -> Vec<String> {
        let mut options = self.options_by_certificate(None, "ca");
        options.extend(["--creds".to_owned(), self.path(&format!("{user}.creds"))]);
        options
    }

    fn path(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }
}

/// Writes the creds file of a new user. `publishes` is `allow` or `deny`.
fn creds(path: &Path, issuer: &KeyPair, expires_in_s: i64, publishes: &str) {
    let user = KeyPair::new_user();
    let frames = json!(["khor.v1.home.*.frame", "khor.v1.home.*.cue"]);
    let claims = json!({ "type": "user", "subs": -1, "data": -1, "payload": -1, "pub": { publishes: frames }, "sub": {} });
    let (jwt, seed) =
        (jwt(issuer, &user.public_key(), claims, expires_in_s), user.seed().expect("the user's seed"));
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    fs::write(path, text).expect("writing the creds file");
}

/// A JWT in version 2 of NATS' format: claims about `subject`, signed by `issuer`.
fn jwt(issuer: &KeyPair, subject: &str, mut nats: Value, expires_in_s: i64) -> String {
    let now_s =
        SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs().cast_signed();
    nats["version"] = json!(2);
    let claims = json!({
        "jti": subject, "iat": now_s - 2 * HOUR_S, "exp": now_s + expires_in_s,
        "iss": issuer.public_key(), "name": "khor-tests", "sub": subject, "nats": nats,
    });
    let encoded = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let signed = format!("{}.{}", encoded(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), encoded(&claims));
    let signature = issuer.sign(signed.as_bytes()).expect("signing the JWT");
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}
