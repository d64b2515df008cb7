//! Writes docs/sounds/README.md, which describes each sample and how to recognise it.

use khor_engine::engine::{CLIP_S, CLIPS, Clip};
use khor_music::Preset;

use super::list::{COMPARED, Sample};

/// Writes the whole page in Markdown.
pub(crate) fn page() -> String {
    let first = &Preset::builtin()[0];
    let scenario =
        |clip: &'static Clip| format!("| [{}]({}) | {} |", clip.title, file(clip, first), clip.listen_for);
    let scenarios: Vec<String> = CLIPS.iter().map(scenario).collect();
    format!(
        "# How machines sound\n\n\
         Each sample lasts {CLIP_S:.0} s: three quiet seconds, then the load. In each sample, khor plays a capture of a real \
         machine ([captures.md](../captures.md)) with the default settings. The samples are Opus files, which browsers, `mpv` and VLC play. On the page \
         of a running engine, the view **Learn** plays the same captures in any preset, including your own.\n\n\
         `cargo xtask samples` renders the samples and writes this page. A test fails if the music has changed since the samples were rendered.\n\n\
         ## What the machine does\n\nThese samples use the preset `{}`.\n\n\
         | sample | what to listen for |\n|---|---|\n{}\n\n\
         ## The presets\n\nEach preset plays the same three loads.\n\n{}\n",
        first.name,
        scenarios.join("\n"),
        comparison()
    )
}

/// Writes a table that compares the presets. Every preset plays the same loads.
fn comparison() -> String {
    let compared: Vec<&Clip> = COMPARED.iter().filter_map(|name| Clip::find(name)).collect();
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let headings = compared.iter().map(|clip| clip.title.to_owned());
    let mut rows = vec![
        row(["preset".to_owned()].into_iter().chain(headings).chain(["character".to_owned()]).collect()),
        format!("|{}", "---|".repeat(compared.len() + 2)),
    ];
    for preset in Preset::builtin() {
        let links = compared.iter().map(|clip| format!("[{}]({})", clip.scenario, file(clip, preset)));
        let name = format!("`{}`", preset.name);
        rows.push(row([name].into_iter().chain(links).chain([preset.hint.clone()]).collect()));
    }
    rows.join("\n")
}

fn file(clip: &'static Clip, preset: &'static Preset) -> String {
    Sample { clip, preset }.file()
}
