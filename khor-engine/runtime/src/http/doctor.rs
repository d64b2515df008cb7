//! The operation `GET /api/doctor`: checks this machine for problems.

use std::time::Duration;

use khor_api::Diagnosis;

use super::{
    call::Call,
    table::{Json, Operation, get},
};
use crate::doctor::{DoctorInput, examine};

/// How long a diagnosis is reused for further requests.
const LIFE: Duration = Duration::from_secs(1);

pub(super) fn operation() -> Operation {
    get("/api/doctor", "The problems on this machine that affect khor, each with its fix")
        .shared(LIFE, diagnosis)
}

async fn diagnosis(call: Call) -> Json<Diagnosis> {
    let engine = call.engine();
    let input = DoctorInput {
        socket: engine.socket().to_owned(),
        config_path: engine.config_path(),
        config: engine.config(),
        health: Some(engine.health()),
    };
    Json(examine(&input).await)
}
