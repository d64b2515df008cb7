//! Tests the music of a site. A change of the site mode causes no clicks. A section under load
//! sounds from its own side of the stereo image.

use khor_ear::{
    adapter::{ComposerInput, Layer, RelayMode, Render, SiteMode, play_site, presets},
    clicks::clicks,
    scenario::{LoadClass, MESSAGE_INTERVAL_NS, SectionLoad, SimulatedSite},
};

const SEED: u64 = 77;
const SECONDS: f64 = 24.0;

fn inputs(site: &SimulatedSite, mode: SiteMode, section: usize) -> Vec<ComposerInput> {
    site.composer_inputs(
        (mode, RelayMode::PerHost),
        SectionLoad { what: LoadClass::Disk, section },
        1,
        SECONDS,
    )
    .unwrap()
}

fn play(preset: &str, inputs: &[ComposerInput]) -> Render {
    play_site(preset, SEED, inputs, MESSAGE_INTERVAL_NS).unwrap()
}

#[test]
fn cast_changes_do_not_click() {
    const MODES: [SiteMode; 3] = [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall];
    let site = SimulatedSite::new(SEED);
    let inputs = MODES.map(|mode| inputs(&site, mode, 1));
    // The mode changes every two seconds. The loads of the hosts are the same in all modes.
    let per_turn = 2_000_000_000 / MESSAGE_INTERVAL_NS as usize;
    let mixed: Vec<ComposerInput> =
        (0..inputs[0].len()).map(|at| inputs[at / per_turn % 3][at].clone()).collect();
    for preset in presets() {
        let heard = play(&preset, &mixed);
        assert_eq!(clicks(&heard.samples), [], "{preset}");
        let longest = heard.notes.iter().map(|note| note.duration_s).fold(0.0, f32::max);
        assert!(longest < 20.0, "{preset}: {longest} s");
    }
}

#[test]
fn a_busy_section_sounds_from_its_side() {
    let site = SimulatedSite::new(SEED);
    for preset in presets() {
        let side = |section| {
            let heard = play(&preset, &inputs(&site, SiteMode::Sections, section));
            assert!(heard.notes.iter().any(|note| note.layer == Layer::Pulse), "{preset} {section}");
            let power =
                |at: usize| heard.samples.iter().skip(at).step_by(2).map(|x| f64::from(x * x)).sum::<f64>();
            10.0 * (power(1) / power(0)).log10()
        };
        let sides = [0, 1, 2].map(side);
        println!("{preset}: right above left {sides:.1?} dB");
        assert!(sides[0] < sides[2] - 0.5 && sides[2] < sides[1] - 0.5, "{preset}: {sides:?}");
    }
}
