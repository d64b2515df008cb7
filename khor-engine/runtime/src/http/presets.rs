//! Presets: listed, chosen, read, checked, tried, saved and removed; and what a mapping may say.

use khor_config::numbers;
use khor_music::{Curve, Feature, LaneValue, Polarity, Preset, PresetText, Problem};
use khor_signal::{Family, SIGNALS};
use khor_system::shown_path::ShownPath;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use warp::http::StatusCode;

use super::{
    call::Call,
    reply::Failure,
    table::{Done, Json, Operation, delete, get, post, put},
};
use crate::engine::{EditError, Engine};

/// The name of a preview without a name.
const UNNAMED: &str = "unnamed";

pub(super) fn operations() -> Vec<Operation> {
    let name = json!({ "type": "string" });
    vec![
        get("/api/presets", "The presets there are").at_once(list),
        post("/api/preset/select", "Make a preset the current one")
            .needs("name", "Which", name)
            .blocking(select),
        get("/api/presets/{name}", "One preset, with the keys of its file").at_once(one),
        put("/api/presets/{name}", "Save a preset to the user's folder").reads::<PresetText>().blocking(save),
        delete("/api/presets/{name}", "Remove a preset of the user's").blocking(remove),
        post("/api/presets/check", "What is wrong with a preset").reads::<PresetText>().at_once(check),
        post("/api/presets/preview", "Play a preset unsaved, from the next bar line")
            .reads::<PresetText>()
            .at_once(preview),
        get("/api/presets/preview", "The unsaved preset that plays").at_once(previewed),
        delete("/api/presets/preview", "Play the current preset again").at_once(end_preview),
        get("/api/mapping", "What a mapping may say").at_once(mapping),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Listed {
    name: String,
    hint: String,
    builtin: bool,
    editable: bool,
    file: Option<ShownPath>,
}

#[derive(Serialize, JsonSchema)]
struct List {
    presets: Vec<Listed>,
    current: String,
    previewing: Option<String>,
    problems: Vec<String>,
}

fn list(call: Call) -> Json<List> {
    let library = call.engine().library();
    let about = |preset: &Preset| {
        let file = library.file_of(&preset.name).map(ShownPath::from);
        let (name, hint, builtin) = (preset.name.clone(), preset.hint.clone(), file.is_none());
        Listed { name, hint, builtin, editable: !builtin, file }
    };
    Json(List {
        presets: library.presets().map(about).collect(),
        current: call.engine().config().music.preset,
        previewing: call.engine().preview_name(),
        problems: library.problems(),
    })
}

#[derive(Serialize, JsonSchema)]
struct Selected {
    ok: bool,
    preset: String,
}

fn select(call: Call) -> Result<Json<Selected>, Failure> {
    let name = call.text("name").ok_or_else(|| Failure::bad("name: missing, expected a preset's name"))?;
    let update = call.engine().select_preset(name)?;
    Ok(Json(Selected { ok: true, preset: update.config.music.preset }))
}

#[derive(Serialize, JsonSchema)]
struct One {
    ok: bool,
    name: String,
    hint: String,
    builtin: bool,
    file: Option<ShownPath>,
    preset: PresetText,
}

fn one(call: Call) -> Result<Json<One>, Failure> {
    preset_answer(call.engine(), &call.name)
}

fn preset_answer(engine: &Engine, name: &str) -> Result<Json<One>, Failure> {
    let library = engine.library();
    let preset = library.find(name).ok_or_else(|| EditError::Unknown(name.to_owned()))?;
    let file = library.file_of(name).map(ShownPath::from);
    Ok(Json(One {
        ok: true,
        name: preset.name.clone(),
        hint: preset.hint.clone(),
        builtin: file.is_none(),
        file,
        preset: preset.to_text(),
    }))
}

fn save(call: Call) -> Result<Json<One>, Failure> {
    let name = &call.name;
    let invalid = |problems| Failure::from(EditError::Invalid(problems));
    let misnamed = |message| invalid(vec![Problem { path: "name".into(), message }]);
    if !Preset::is_valid_name(name) {
        return Err(misnamed(format!("must be within {}", Preset::NAMES)));
    }
    if Preset::find(name).is_some() {
        return Err(EditError::BuiltIn(name.clone()).into());
    }
    let preset = read(call.json()?, name).map_err(invalid)?;
    if preset.name != *name {
        return Err(misnamed(format!("{} is not allowed, expected {name} as in the address", preset.name)));
    }
    call.engine().save_preset(&preset)?;
    preset_answer(call.engine(), name)
}

/// Parses a preset in JSON; `name` is the default of its name. Whole numbers may be written as
/// floats.
fn read(mut json: Value, name: &str) -> Result<Preset, Vec<Problem>> {
    numbers::fit_all(&mut json);
    if let Value::Object(written) = &mut json {
        written.entry("name").or_insert_with(|| json!(name));
    }
    Preset::from_json(&json)
}

fn remove(call: Call) -> Result<Json<Done>, Failure> {
    call.engine().delete_preset(&call.name)?;
    Ok(Done::JSON)
}

#[derive(Serialize, JsonSchema)]
struct Checked {
    ok: bool,
    problems: Vec<Problem>,
}

fn check(call: Call) -> Result<Json<Checked>, Failure> {
    let problems = read(call.json()?, UNNAMED).err().unwrap_or_default();
    Ok(Json(Checked { ok: problems.is_empty(), problems }))
}

fn preview(call: Call) -> Result<Json<Done>, Failure> {
    let preset = read(call.json()?, UNNAMED).map_err(EditError::Invalid)?;
    call.engine().preview(preset);
    Ok(Done::JSON)
}

/// The unsaved preset that plays.
#[derive(Serialize, JsonSchema)]
struct Previewed {
    ok: bool,
    name: String,
    preset: PresetText,
}

fn previewed(call: Call) -> Result<Json<Previewed>, Failure> {
    let preset = call.engine().preview_preset();
    let preset = preset.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "no unsaved preset plays"))?;
    Ok(Json(Previewed { ok: true, name: preset.name.clone(), preset: preset.to_text() }))
}

fn end_preview(call: Call) -> Json<Done> {
    call.engine().end_preview();
    Done::JSON
}

#[derive(Serialize, JsonSchema)]
struct Vocabulary {
    inputs: Vec<InputAbout>,
    features: Vec<FeatureAbout>,
    of: [LaneValue; 3],
    curves: [Curve; 3],
    polarities: [Polarity; 2],
}

#[derive(Serialize, JsonSchema)]
struct InputAbout {
    name: &'static str,
    label: &'static str,
    /// None for the work of all.
    family: Option<Family>,
}

#[derive(Serialize, JsonSchema)]
struct FeatureAbout {
    name: String,
    layer: &'static str,
    unit: &'static str,
    low: f32,
    high: f32,
    audible_step: f32,
    meaning: &'static str,
}

fn mapping(_: Call) -> Json<Vocabulary> {
    let signals = SIGNALS.iter().map(|info| InputAbout {
        name: info.name,
        label: info.label,
        family: Some(info.family),
    });
    let work = InputAbout { name: "work", label: "all work together", family: None };
    let feature = |feature: Feature| {
        let (low, high) = feature.bounds();
        FeatureAbout {
            name: feature.name(),
            layer: feature.layer(),
            unit: feature.unit(),
            low,
            high,
            audible_step: feature.audible_step(),
            meaning: feature.meaning(),
        }
    };
    Json(Vocabulary {
        inputs: signals.chain([work]).collect(),
        features: Feature::all().map(feature).collect(),
        of: [LaneValue::Level, LaneValue::Deviation, LaneValue::Surprise],
        curves: [Curve::Linear, Curve::Square, Curve::Root],
        polarities: [Polarity::Up, Polarity::Down],
    })
}
