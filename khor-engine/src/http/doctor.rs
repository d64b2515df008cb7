//! What is in khor's way on this machine: `GET /api/doctor`.

use std::sync::Arc;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{api::route, reply};
use crate::{
    doctor::{Patient, examine},
    engine::Engine,
};

/// `GET /api/doctor`.
pub(super) fn route_of(engine: Arc<Engine>) -> BoxedFilter<(Response,)> {
    route("doctor")
        .and(warp::get())
        .then(move || {
            let patient = Patient {
                socket: engine.socket().to_owned(),
                config_path: engine.config_path(),
                config: engine.config(),
                is_engine: true,
            };
            async move { reply::json(&examine(&patient).await) }
        })
        .boxed()
}
