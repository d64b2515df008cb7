//! The API operations for presets: list, select, read, check, preview, save and remove. Another
//! operation lists the words that are allowed in a mapping.

use khor_api::{
    Done, FeatureInfo, InputInfo, MappingVocabulary, PresetChecked, PresetInfo, PresetList, PresetPreview,
    PresetReport, PresetSelected,
};
use khor_config::numbers;
use khor_music::{Curve, Feature, LaneValue, Polarity, Preset, PresetText, Problem};
use khor_signal::SIGNALS;
use serde_json::{Value, json};
use warp::http::StatusCode;

use super::{
    call::Call,
    reply::Failure,
    table::{DONE, Json, Operation, delete, get, post, put},
};
use crate::engine::{EditError, Engine};

/// The name that an unsaved preset gets if it has none.
const UNNAMED: &str = "unnamed";

pub(super) fn operations() -> Vec<Operation> {
    let name = json!({ "type": "string" });
    vec![
        get("/api/presets", "The presets").at_once(list),
        post("/api/preset/select", "Select a preset")
            .needs("name", "Name of the preset", name)
            .blocking(select),
        get("/api/presets/{name}", "A preset with the keys of its file").at_once(one),
        put("/api/presets/{name}", "Save a preset to the user's folder").reads::<PresetText>().blocking(save),
        delete("/api/presets/{name}", "Remove one of the user's presets").blocking(remove),
        post("/api/presets/check", "Check a preset").reads::<PresetText>().at_once(check),
        post("/api/presets/preview", "Play an unsaved preset from the next bar on")
            .reads::<PresetText>()
            .at_once(preview),
        get("/api/presets/preview", "The unsaved preset that plays").at_once(previewed),
        delete("/api/presets/preview", "End the preview, and play the selected preset again")
            .at_once(end_preview),
        get("/api/mapping", "The words that are allowed in the mapping of a preset").at_once(mapping),
    ]
}

fn list(call: Call) -> Json<PresetList> {
    let library = call.engine().library();
    Json(PresetList {
        presets: library.presets().map(|preset| library.info(preset)).collect(),
        current: call.engine().config().music.preset,
        previewing: call.engine().preview_name(),
        problems: library.problems(),
    })
}

fn select(call: Call) -> Result<Json<PresetSelected>, Failure> {
    let name = call.text("name").ok_or_else(|| Failure::missing("name", "the name of a preset"))?;
    let update = call.engine().select_preset(name)?;
    Ok(Json(PresetSelected { ok: true, preset: update.config.music.preset }))
}

fn one(call: Call) -> Result<Json<PresetReport>, Failure> {
    preset_answer(call.engine(), &call.name)
}

fn preset_answer(engine: &Engine, name: &str) -> Result<Json<PresetReport>, Failure> {
    let library = engine.library();
    let preset = library.find(name).ok_or_else(|| EditError::Unknown(name.to_owned()))?;
    let PresetInfo { name, hint, builtin, file, .. } = library.info(preset);
    Ok(Json(PresetReport { ok: true, name, hint, builtin, file, preset: preset.to_text() }))
}

fn save(call: Call) -> Result<Json<PresetReport>, Failure> {
    let name = &call.name;
    let invalid = |problems| Failure::from(EditError::Invalid(problems));
    let misnamed = |message| invalid(vec![Problem { path: "name".into(), message }]);
    if !Preset::is_valid_name(name) {
        return Err(misnamed(format!("must be {}", Preset::NAMES)));
    }
    if Preset::find(name).is_some() {
        return Err(EditError::BuiltIn(name.clone()).into());
    }
    let preset = read(call.json()?, name).map_err(invalid)?;
    if preset.name != *name {
        return Err(misnamed(format!(
            "{} is not allowed, expected {name}, which is the name in the path",
            preset.name
        )));
    }
    call.engine().save_preset(&preset)?;
    preset_answer(call.engine(), name)
}

/// Parses a preset from JSON. A preset without a name gets the name `name`. Whole numbers may be
/// written as floats.
fn read(mut json: Value, name: &str) -> Result<Preset, Vec<Problem>> {
    numbers::fit_all(&mut json);
    if let Value::Object(written) = &mut json {
        written.entry("name").or_insert_with(|| json!(name));
    }
    Preset::from_json(&json)
}

fn remove(call: Call) -> Result<Json<Done>, Failure> {
    call.engine().delete_preset(&call.name)?;
    Ok(DONE)
}

fn check(call: Call) -> Result<Json<PresetChecked>, Failure> {
    let problems = read(call.json()?, UNNAMED).err().unwrap_or_default();
    Ok(Json(PresetChecked { ok: problems.is_empty(), problems }))
}

fn preview(call: Call) -> Result<Json<Done>, Failure> {
    let preset = read(call.json()?, UNNAMED).map_err(EditError::Invalid)?;
    call.engine().preview(preset);
    Ok(DONE)
}

fn previewed(call: Call) -> Result<Json<PresetPreview>, Failure> {
    let preset = call.engine().preview_preset();
    let preset = preset.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "no unsaved preset plays"))?;
    Ok(Json(PresetPreview { ok: true, name: preset.name.clone(), preset: preset.to_text() }))
}

fn end_preview(call: Call) -> Json<Done> {
    call.engine().end_preview();
    DONE
}

fn mapping(_: Call) -> Json<MappingVocabulary> {
    let signals = SIGNALS.iter().map(|info| InputInfo {
        name: info.name.to_owned(),
        label: info.label.to_owned(),
        family: Some(info.family),
    });
    let work = InputInfo { name: "work".into(), label: "all work together".into(), family: None };
    let feature = |feature: Feature| {
        let (low, high) = feature.bounds();
        FeatureInfo {
            name: feature.name(),
            layer: feature.layer().to_owned(),
            unit: feature.unit().to_owned(),
            low,
            high,
            audible_step: feature.audible_step(),
            meaning: feature.meaning().to_owned(),
        }
    };
    Json(MappingVocabulary {
        inputs: signals.chain([work]).collect(),
        features: Feature::all().map(feature).collect(),
        of: vec![LaneValue::Level, LaneValue::Deviation, LaneValue::Surprise],
        curves: vec![Curve::Linear, Curve::Square, Curve::Root],
        polarities: vec![Polarity::Up, Polarity::Down],
    })
}
