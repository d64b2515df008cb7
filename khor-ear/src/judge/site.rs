//! Measures whether the music of a site shows which section has a load, and which load this section
//! has.
//!
//! A clip counts as correct if both section and load are classified correctly. The classifier is
//! trained on other sites, which have other hosts, seeds and music. The same simulated loads are
//! judged twice: with one relay for each host, and with one relay that aggregates all hosts.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::Figure;
use crate::{
    adapter::{self, ComposerInput, Layer, RelayMode, Render, SiteMode},
    classify::{Classifier, Labelled},
    features::{BALANCES, COUNT, SoundFeatures, rough_balance},
    parallel,
    plan::Plan,
    scenario::{
        LEAD_IN_S, LENGTH_S, Load, LoadClass, MESSAGE_INTERVAL_NS, SECTIONS, SectionLoad, SimulatedSite,
    },
};

/// Number of features: the features of a single machine's music, and the balance of left and right.
const FEATURES: usize = COUNT + BALANCES;
/// Maximum number of mistakes that a remark lists.
const NAMED: usize = 4;

/// The two relay modes, each with the names of its three rows in the table. The rows show how often
/// section and load are both recognised, how often the section is, and how often the load is.
const RELAY_ROWS: [(RelayMode, [&str; 3]); 2] = [
    (RelayMode::PerHost, ["site", "site_section", "site_load"]),
    (RelayMode::Aggregated, ["together", "together_section", "together_load"]),
];

/// The simulated clips of all sites: one list for each relay mode in [`RELAY_ROWS`]. The clips are
/// the same for every preset.
#[derive(Debug)]
pub struct SiteScenes([Vec<Scene>; RELAY_ROWS.len()]);

/// One clip: the section's load, and the composer's inputs.
#[derive(Debug)]
struct Scene {
    rack: u64,
    trouble: SectionLoad,
    seed: u64,
    inputs: Vec<ComposerInput>,
}

/// The measurements of a clip.
struct MeasuredSiteClip {
    rack: u64,
    trouble: SectionLoad,
    vector: [f64; FEATURES],
    /// Number of notes by layer and instrument.
    notes: BTreeMap<String, usize>,
}

/// The results of judging the sites, apart from the figures in the table.
pub(super) struct SiteResults {
    /// One line for each relay mode in [`RELAY_ROWS`], which lists the mistakes of the classifier.
    pub(super) remarks: Vec<String>,
    /// The classification and the features of every clip, for the JSON output.
    pub(super) details: Value,
}

impl SiteScenes {
    /// Simulates the sites of a plan.
    pub fn new(plan: &Plan) -> Result<Self> {
        let sites: Vec<u64> = (0..plan.sites).collect();
        let sites =
            parallel::map("sites", &sites, |rack| Ok((*rack, SimulatedSite::new(plan.site_seed(*rack)))))?;
        let troubles = || {
            let of_section =
                |section| LoadClass::ALL.into_iter().map(move |what| SectionLoad { what, section });
            (0..SECTIONS.len()).flat_map(of_section).enumerate()
        };
        let clips: Vec<(&(u64, SimulatedSite), usize, SectionLoad)> =
            sites.iter().flat_map(|rack| troubles().map(move |(at, what)| (rack, at, what))).collect();
        let scenes = RELAY_ROWS.map(|(relays, _)| {
            let scene = |((rack, hosts), at, trouble): &(&(u64, SimulatedSite), usize, SectionLoad)| {
                let which = *at as u64 + 1;
                let inputs = hosts.composer_inputs(
                    (SiteMode::Sections, relays),
                    *trouble,
                    which,
                    LEAD_IN_S + LENGTH_S,
                )?;
                Ok(Scene { rack: *rack, trouble: *trouble, seed: plan.site_seed(*rack) + which, inputs })
            };
            parallel::map("scenes of sites", &clips, scene)
        });
        let [apart, together] = scenes;
        Ok(Self([apart?, together?]))
    }
}

/// Plays and classifies the clips of all sites in both relay modes.
pub(super) fn listen(preset: &str, sites: &SiteScenes, figures: &mut Vec<Figure>) -> Result<SiteResults> {
    let (mut remarks, mut details) = (Vec::new(), serde_json::Map::new());
    for (scenes, (_, rows)) in sites.0.iter().zip(RELAY_ROWS) {
        let (remark, clips) = listen_to(preset, scenes, rows, figures)?;
        remarks.push(format!("{}: {remark}", rows[0]));
        details.insert(rows[0].to_owned(), clips);
    }
    Ok(SiteResults { remarks, details: details.into() })
}

/// Plays and classifies the clips of one relay mode. Returns a remark that lists the mistakes, and
/// the JSON of all clips.
fn listen_to(
    preset: &str,
    scenes: &[Scene],
    rows: [&'static str; 3],
    figures: &mut Vec<Figure>,
) -> Result<(String, Value)> {
    let clips = parallel::map(&format!("{preset}: sites"), scenes, |scene| {
        let heard =
            adapter::play_site(preset, scene.seed, &scene.inputs, MESSAGE_INTERVAL_NS)?.skip_to(LEAD_IN_S);
        let (rough, balance) =
            (SoundFeatures::measure(&heard.samples)?.rough(), rough_balance(&heard.samples));
        let vector = std::array::from_fn(|i| if i < COUNT { rough[i] } else { balance[i - COUNT] });
        Ok(MeasuredSiteClip { rack: scene.rack, trouble: scene.trouble, vector, notes: notes(&heard) })
    })?;
    let taken: Vec<SectionLoad> = clips.iter().map(|clip| answer(&clips, clip)).collect();
    let right = |is: &dyn Fn(SectionLoad, SectionLoad) -> bool| {
        let right = clips.iter().zip(&taken).filter(|(clip, taken)| is(clip.trouble, **taken)).count();
        right as f64 / clips.len().max(1) as f64
    };
    let note = format!("{} clips", clips.len());
    figures.push(Figure::new(rows[0], right(&is_right), note));
    figures.push(Figure::new(rows[1], right(&|is, taken| section(is) == section(taken)), ""));
    figures.push(Figure::new(rows[2], right(&|is, taken| is.what == taken.what), ""));
    let wrong = clips.iter().zip(&taken).filter(|(clip, taken)| !is_right(clip.trouble, **taken));
    let mut wrong: Vec<String> =
        wrong.map(|(clip, taken)| format!("{} as {}", name(clip.trouble), name(*taken))).collect();
    let more = wrong.len().saturating_sub(NAMED);
    wrong.truncate(NAMED);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    let wrong = if wrong.is_empty() { "nothing".into() } else { wrong.join(", ") };
    let clips = clips.iter().zip(&taken).map(|(clip, taken)| clip.to_json(*taken));
    Ok((format!("confused {wrong}{rest}"), clips.collect()))
}

impl MeasuredSiteClip {
    fn to_json(&self, taken: SectionLoad) -> Value {
        json!({
            "site": self.rack,
            "is": name(self.trouble),
            "taken_for": name(taken),
            "features": self.vector,
            "notes": self.notes,
        })
    }
}

fn notes(heard: &Render) -> BTreeMap<String, usize> {
    let mut notes = BTreeMap::new();
    for note in heard.begun() {
        let layer = match note.layer {
            Layer::Bed => "bed",
            Layer::Pulse => "pulse",
            Layer::Voices => "voice",
            Layer::Cues => "cue",
        };
        *notes.entry(format!("{layer} {}", note.instrument.name())).or_default() += 1;
    }
    notes
}

/// Classifies the section and the load of a clip. Trains one classifier for each of the two, with
/// the clips of the other sites.
fn answer(clips: &[MeasuredSiteClip], clip: &MeasuredSiteClip) -> SectionLoad {
    let others = || clips.iter().filter(|other| other.rack != clip.rack);
    let where_: Vec<Labelled<Option<usize>, FEATURES>> =
        others().map(|other| Labelled { class: section(other.trouble), vector: other.vector }).collect();
    let what: Vec<Labelled<LoadClass, FEATURES>> =
        others().map(|other| Labelled { class: other.trouble.what, vector: other.vector }).collect();
    let what = Classifier::new(what).classify(&clip.vector);
    match Classifier::new(where_).classify(&clip.vector) {
        Some(section) => SectionLoad { what, section },
        // The section classifier has found that no section has a load, so the result of the load
        // classifier is ignored.
        None => SectionLoad { what: LoadClass::Idle, section: 0 },
    }
}

/// Index of the section that has a load; `None` for an idle site.
fn section(trouble: SectionLoad) -> Option<usize> {
    (trouble.what != LoadClass::Idle).then_some(trouble.section)
}

fn is_right(is: SectionLoad, taken: SectionLoad) -> bool {
    is.what == taken.what && section(is) == section(taken)
}

fn name(trouble: SectionLoad) -> String {
    section(trouble)
        .map_or_else(|| "idle".into(), |section| format!("{} at {}", trouble.what.name(), SECTIONS[section]))
}
