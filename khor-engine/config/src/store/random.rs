//! Tests the store with random sequences of file edits, changes, fader moves and failed writes.

use std::{collections::BTreeMap, fs};

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use super::*;

/// The value of the flag that sets `listen.port`. No step changes this setting.
const PORT: u16 = 18_123;
/// The value of the flag that sets `music.density`. A step may change this setting to another
/// value, or send it back with the same value.
const DENSITY: f32 = 0.875;

#[derive(Clone, Debug)]
enum Step {
    /// Another program writes the file.
    Edit(Edit),
    /// A client changes a setting. If there is a number, the change requires the tag that the
    /// configuration had after the step with this number.
    Update(Change, Option<usize>),
    /// A client sends back the whole configuration.
    Echo,
    /// A client moves a fader, which changes a setting without saving it.
    Adjust(Change),
    /// The store writes the unsaved changes of faders to the file.
    Save,
    /// The test replaces the file with a folder, so that reads and writes fail.
    Break,
}

#[derive(Clone, Debug)]
enum Edit {
    /// The other program writes JSON that contains unknown keys, and settings that may be invalid.
    Json {
        theirs: u8,
        mine: u8,
        settings: Vec<Change>,
    },
    Garbage,
    Remove,
}

/// The path of a setting, and a value that may be invalid.
type Change = (&'static str, Value);

fn change() -> impl Strategy<Value = Change> {
    let times = || select(vec!["07:00", "22:00", "12:30", "25:00"]);
    prop_oneof![
        (10_u32..320).prop_map(|bpm| ("music.bpm", json!(bpm))),
        select(vec![0.0, 0.1, 0.5, 0.875, 2.0]).prop_map(|density| ("music.density", json!(density))),
        select(vec![json!(0.3), json!("loud"), Value::Null]).prop_map(|gain| ("audio.master_gain", gain)),
        vec(select(vec!["a:1", "b:2", "nowhere"]), 0..10).prop_map(|list| ("osc.targets", json!(list))),
        times().prop_map(|time| ("quiet.from", json!(time))),
        times().prop_map(|time| ("quiet.to", json!(time))),
        (-1_i32..3).prop_map(|rate| ("signals.ceilings.rx", json!(rate))),
        Just(("music.unknown", json!(1))),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (any::<u8>(), any::<u8>(), vec(change(), 0..5))
            .prop_map(|(theirs, mine, settings)| Edit::Json { theirs, mine, settings }),
        1 => Just(Edit::Garbage),
        1 => Just(Edit::Remove),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => edit().prop_map(Step::Edit),
        6 => (change(), option::of(0_usize..20)).prop_map(|(change, tag)| Step::Update(change, tag)),
        1 => Just(Step::Echo),
        4 => change().prop_map(Step::Adjust),
        2 => Just(Step::Save),
        1 => Just(Step::Break),
    ]
}

/// A store, and a model of the content that the store's file should have.
struct Run {
    dir: tempfile::TempDir,
    store: ConfigStore,
    /// The unknown keys that the file had when the store last read it as JSON.
    unknown: Option<(u8, u8)>,
    /// The unknown keys of an edit that the store has not read yet.
    edited: Option<(u8, u8)>,
    /// Number of edits. Each edit makes the file longer, so that the file's stamp changes.
    edits: usize,
    /// The changes that are not in the file yet, by path. An edit of the file must not remove them.
    unsaved: BTreeMap<&'static str, Value>,
    tags: Vec<String>,
}

impl Run {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut flags = ConfigPatch::default();
        (flags.features.fake, flags.listen.port) = (Some(true), Some(PORT));
        flags.music.density = Some(DENSITY);
        let store = ConfigStore::open(dir.path().join("config.json")).with_flags(flags).unwrap();
        Self { dir, store, unknown: None, edited: None, edits: 0, unsaved: BTreeMap::new(), tags: Vec::new() }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Edit(edit) => self.edit(edit),
            Step::Update((path, value), tag) => self.update(path, value, tag),
            Step::Echo => {
                let whole = serde_json::to_value(self.store.config()).unwrap();
                let whole = self.store.read_change(&whole).unwrap();
                self.store.update(&whole).unwrap();
                // If an edit of the file was pending, `update` has read the edit and kept its
                // unknown keys.
                self.unknown = self.edited.take().or(self.unknown);
                self.unsaved.clear();
            }
            Step::Adjust((path, value)) => {
                let before = (self.store.config().clone(), self.store.stored.clone());
                match self.change(path, &value).and_then(|change| self.store.adjust(&change)) {
                    Ok(_) => self.changed(path, value, &before.1),
                    Err(_) => assert_eq!(self.store.config(), &before.0, "nothing was changed"),
                }
            }
            Step::Save => {
                self.refresh();
                if self.store.save().is_ok() {
                    self.unsaved.clear();
                }
            }
            Step::Break => {
                self.clear();
                fs::create_dir(self.store.path()).unwrap();
            }
        }
        self.assert_invariants();
    }

    fn change(&self, path: &str, value: &Value) -> Result<ConfigPatch, ConfigError> {
        let change = path.rsplit('.').fold(value.clone(), |inner, key| json!({ key: inner }));
        self.store.read_change(&change)
    }

    /// Records that the store accepted a change of one setting.
    fn changed(&mut self, path: &'static str, value: Value, stored_before: &Config) {
        self.assert_reads_back(path, &value);
        if self.store.stored != *stored_before {
            self.unsaved.insert(path, value);
        }
    }

    fn update(&mut self, path: &'static str, value: Value, tag: Option<usize>) {
        self.refresh();
        let (before, stored) = (self.store.config().clone(), self.store.stored.clone());
        let tag = tag.and_then(|tag| self.tags.get(tag));
        let is_current = tag.is_none_or(|tag| *tag == before.tag());
        let tags = tag.map(|tag| [tag.as_str()]);
        let checked = self.store.require_tag(tags.as_ref().map(|tags| &tags[..]));
        assert_eq!(checked.is_ok(), is_current);
        let update = checked.and_then(|()| self.store.update(&self.change(path, &value)?));
        match update {
            Ok(update) => {
                assert_eq!(&update.config, self.store.config());
                self.changed(path, value, &stored);
                assert_eq!(update.not_saved.is_some(), self.store.path().is_dir());
                if update.not_saved.is_none() {
                    self.unsaved.clear();
                    self.assert_saved();
                }
            }
            Err(_) => assert_eq!(self.store.config(), &before, "nothing was changed"),
        }
    }

    /// Makes the store read a pending edit of the file, and updates the model. Every change of a
    /// setting begins with this step.
    fn refresh(&mut self) {
        self.store.refresh();
        self.unknown = self.edited.take().or(self.unknown);
        // The quiet hours in the edit may conflict with unsaved quiet hours. In this case, the edit
        // wins.
        if self.unsaved.keys().any(|path| path.starts_with("quiet")) {
            self.unsaved.clear();
        }
        self.unsaved.iter().for_each(|(path, value)| self.assert_reads_back(path, value));
    }

    fn clear(&mut self) {
        fs::remove_file(self.store.path()).or_else(|_| fs::remove_dir(self.store.path())).ok();
        self.edited = None;
    }

    fn edit(&mut self, edit: Edit) {
        self.clear();
        self.edits += 1;
        let text = match edit {
            Edit::Remove => return,
            Edit::Garbage => "{\"music\": {".into(),
            Edit::Json { theirs, mine, settings } => {
                let mut document = json!({ "theirs": theirs, "music": { "mine": mine } });
                for (path, value) in settings.into_iter().filter(|(path, _)| *path != "music.unknown") {
                    let place = path.split('.').fold(&mut document, |place, key| &mut place[key]);
                    *place = value;
                }
                self.edited = Some((theirs, mine));
                document.to_string()
            }
        };
        let new = self.dir.path().join("new");
        fs::write(&new, text + &" ".repeat(self.edits)).unwrap();
        fs::rename(new, self.store.path()).unwrap();
    }

    fn assert_reads_back(&self, path: &str, value: &Value) {
        let whole = serde_json::to_value(self.store.config()).unwrap();
        let read = whole.pointer(&format!("/{}", path.replace('.', "/"))).unwrap();
        let is_same = match (read.as_f64(), value.as_f64()) {
            (Some(read), Some(value)) => read as f32 == value as f32,
            _ => read == value,
        };
        assert!(is_same, "{path}: {read} instead of {value}");
    }

    /// Checks that the file contains the unknown keys and the settings, but not the values of the
    /// flags.
    fn assert_saved(&self) {
        let reopened = ConfigStore::open(self.store.path().to_owned());
        assert_eq!((reopened.config(), reopened.listen_error()), (&self.store.stored, None));
        let text = fs::read_to_string(self.store.path()).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["features"]["fake"], false);
        assert_ne!(document["listen"]["port"], PORT);
        if let Some((theirs, mine)) = self.unknown {
            assert_eq!((&document["theirs"], &document["music"]["mine"]), (&json!(theirs), &json!(mine)));
        }
    }

    fn assert_invariants(&mut self) {
        let config = self.store.config();
        assert_eq!((config.validate(), self.store.stored.validate()), (Ok(()), Ok(())));
        assert_eq!((config.features.fake, config.listen.port), (true, PORT), "the flags must apply");
        let stored = &self.store.stored;
        assert!(!stored.features.fake && stored.listen.port != PORT, "the flags must not be stored");
        self.tags.push(config.tag());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_keeps_the_configuration_valid(steps in vec(step(), 0..30)) {
        let mut run = Run::new();
        for step in steps {
            run.take(step);
        }
    }
}
