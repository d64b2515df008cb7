//! The page beside the samples: what each is, and what to listen for.

use khor_engine::{
    engine::{CLIP_S, CLIPS, Clip},
    music::Preset,
};

use super::list::{COMPARED, Sample};

/// The whole page, in Markdown.
pub(crate) fn page() -> String {
    let presets = Preset::builtin();
    let first = &presets[0];
    let mut page = format!(
        "# How machines sound\n\n\
         Each sample is {CLIP_S:.0} s of a real machine ([captures.md](../captures.md)), played by khor with its default settings: \
         three seconds of quiet, then the load. They are Opus files, which browsers, `mpv` and VLC play. A running engine \
         plays the same in any preset, your own too, under **Learn** on its page.\n\n\
         `cargo xtask samples` makes them and this page; a test fails when the music is no longer theirs.\n\n\
         ## What is going on\n\nIn the preset `{}`.\n\n\
         | sample | what to listen for |\n|---|---|\n",
        first.name
    );
    for clip in &CLIPS {
        page += &format!("| [{}]({}) | {} |\n", clip.title, file(clip, first), clip.listen_for);
    }
    page += "\n## The presets\n\nThe same three loads in each: what is told is the same, how it sounds is not.\n\n| preset |";
    let compared: Vec<&Clip> = COMPARED.iter().filter_map(|name| Clip::find(name)).collect();
    for clip in &compared {
        page += &format!(" {} |", clip.title);
    }
    page += " character |\n|---|";
    page += &"---|".repeat(compared.len() + 1);
    for preset in presets {
        page += &format!("\n| `{}` |", preset.name);
        for clip in &compared {
            page += &format!(" [{}]({}) |", clip.scenario, file(clip, preset));
        }
        page += &format!(" {} |", preset.hint);
    }
    page + "\n"
}

fn file(clip: &'static Clip, preset: &'static Preset) -> String {
    Sample { clip, preset }.file()
}
