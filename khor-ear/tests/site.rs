//! A site's music: what changes while it plays clicks nowhere, and a section in trouble is heard from its place.

use khor_ear::{
    adapter::{Heard, Layer, Relays, SiteMode, Told, play_site, presets},
    clicks::clicks,
    scenario::{Class, Rack, TELL_NS, Trouble},
};

const SEED: u64 = 77;
const SECONDS: f64 = 24.0;

fn told(rack: &Rack, mode: SiteMode, section: usize) -> Vec<Told> {
    rack.told((mode, Relays::Apart), Trouble { what: Class::Disk, section }, 1, SECONDS).unwrap()
}

fn play(preset: &str, told: &[Told]) -> Heard {
    play_site(preset, SEED, told, TELL_NS).unwrap()
}

#[test]
fn cast_changes_do_not_click() {
    const MODES: [SiteMode; 3] = [SiteMode::Ensemble, SiteMode::Sections, SiteMode::RollCall];
    let rack = Rack::new(SEED);
    let told = MODES.map(|mode| told(&rack, mode, 1));
    // Another mode every two seconds: the same hosts do the same meanwhile.
    let per_turn = 2_000_000_000 / TELL_NS as usize;
    let mixed: Vec<Told> = (0..told[0].len()).map(|at| told[at / per_turn % 3][at].clone()).collect();
    for preset in presets() {
        let heard = play(&preset, &mixed);
        assert_eq!(clicks(&heard.samples), [], "{preset}");
        let longest = heard.notes.iter().map(|note| note.duration_s).fold(0.0, f32::max);
        assert!(longest < 20.0, "{preset}: {longest} s");
    }
}

#[test]
fn a_busy_section_sounds_from_its_side() {
    let rack = Rack::new(SEED);
    for preset in presets() {
        let side = |section| {
            let heard = play(&preset, &told(&rack, SiteMode::Sections, section));
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
