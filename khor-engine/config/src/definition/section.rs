//! The macro `section!`, which defines a section of the configuration.

/// Defines a section of the configuration, and the patch that changes it.
///
/// Each line defines a setting: key, type, default, [`Rule`](crate::Rule) and
/// [`Access`](crate::Access). The word `restart` marks a setting that takes effect only after a
/// restart. A line with only a key and a type defines an inner section. The doc comment of a
/// setting is also its description in the JSON Schema, in `khor config` and in the documents.
///
/// ```text
/// section! {
///     /// The music.
///     Music, MusicPatch {
///         /// Tempo, beats per minute.
///         bpm: f32 = 110.0, Rule::Range(20.0, 300.0), Access::Anyone;
///     }
/// }
/// ```
///
/// From this example, the macro generates the struct `Music` with its defaults, the patch
/// `MusicPatch` (with `bpm: Option<f32>`), the constant `Music::bpm` with the definition of the
/// setting, and an implementation of `Setting`.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $(#[derive($($derived:ident),+)])?
        $name:ident, $patch:ident {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $type:ty
                    $(= $default:expr, $rule:expr, $access:expr $(, $restart:ident)?)?;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $(#[derive($($derived),+)])?
        #[serde(default)]
        #[schemars(transform = $name::add_rules)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        #[doc = concat!("A change of [`", stringify!($name), "`]. `None` leaves a setting unchanged.")]
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $patch {
            $($(#[doc = $doc])* pub $field: <$type as $crate::Setting>::Patch,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: section!(@default $($default)?),)* }
            }
        }

        #[expect(non_upper_case_globals, reason = "each constant has the name of its setting")]
        impl $name {
            $(
                #[doc = concat!("Definition of the setting `", stringify!($field), "`.")]
                pub const $field: $crate::FieldSpec = section!(
                    @spec stringify!($field), concat!($($doc),*) $(, $rule, $access $(, $restart)?)?
                );
            )*
        }

        impl $name {
            fn add_rules(schema: &mut schemars::Schema) {
                $crate::definition::add_rules(schema, &[$(&Self::$field),*]);
            }
        }

        impl $crate::Patch for $patch {
            fn is_empty(&self) -> bool {
                $($crate::Patch::is_empty(&self.$field))&&*
            }

            fn merge(&mut self, newer: &Self) {
                $($crate::Patch::merge(&mut self.$field, &newer.$field);)*
            }

            fn remove_named(&mut self, other: &Self) {
                $($crate::Patch::remove_named(&mut self.$field, &other.$field);)*
            }

            fn remove_equal(&mut self, other: &Self) {
                $($crate::Patch::remove_equal(&mut self.$field, &other.$field);)*
            }
        }

        impl $crate::Setting for $name {
            type Patch = $patch;

            fn apply(&mut self, patch: &$patch) {
                $($crate::Setting::apply(&mut self.$field, &patch.$field);)*
            }

            fn to_patch(&self) -> $patch {
                $patch { $($field: $crate::Setting::to_patch(&self.$field),)* }
            }

            fn check(&self, place: &$crate::definition::Place<'_>) -> Result<(), $crate::ConfigError> {
                $($crate::Setting::check(&self.$field, &place.below(&Self::$field))?;)*
                Ok(())
            }

            fn check_access(
                &self,
                patch: &$patch,
                place: &$crate::definition::Place<'_>,
                caller: $crate::Access,
            ) -> Result<(), $crate::ConfigError> {
                $(
                    let below = place.below(&Self::$field);
                    $crate::Setting::check_access(&self.$field, &patch.$field, &below, caller)?;
                )*
                Ok(())
            }

            fn read(
                value: &serde_json::Value,
                place: &$crate::definition::Place<'_>,
                previous: &Self,
                reader: &mut $crate::definition::Reader<'_>,
            ) -> $patch {
                let Some(fields) = reader.section(value, place, &[$(stringify!($field)),*]) else {
                    return $crate::Setting::to_patch(previous);
                };
                let mut patch = $patch::default();
                $(
                    if let Some(value) = fields.get(stringify!($field)) {
                        let below = place.below(&Self::$field);
                        patch.$field =
                            <$type as $crate::Setting>::read(value, &below, &previous.$field, reader);
                    }
                )*
                patch
            }

            fn write(&self, place: &$crate::definition::Place<'_>, into: &mut serde_json::Value) {
                if !into.is_object() {
                    *into = serde_json::Value::Object(serde_json::Map::new());
                }
                $(
                    // Indexing a JSON object adds the key if it is missing.
                    let held = &mut into[stringify!($field)];
                    $crate::Setting::write(&self.$field, &place.below(&Self::$field), held);
                )*
            }

            fn needs_restart(&self, now: &Self, place: &$crate::definition::Place<'_>) -> bool {
                $(
                    let below = place.below(&Self::$field);
                    if $crate::Setting::needs_restart(&self.$field, &now.$field, &below) {
                        return true;
                    }
                )*
                false
            }

            fn describe(&self, place: &$crate::definition::Place<'_>, fields: &mut Vec<$crate::Field>) {
                $($crate::Setting::describe(&self.$field, &place.below(&Self::$field), fields);)*
            }
        }
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@spec $name:expr, $meaning:expr) => {
        section!(@spec $name, $meaning, $crate::Rule::Any, $crate::Access::Api)
    };
    (@spec $name:expr, $meaning:expr, $rule:expr, $access:expr) => {
        $crate::FieldSpec {
            name: $name, meaning: $meaning, rule: $rule, access: $access, needs_restart: false,
        }
    };
    (@spec $name:expr, $meaning:expr, $rule:expr, $access:expr, restart) => {
        $crate::FieldSpec {
            name: $name, meaning: $meaning, rule: $rule, access: $access, needs_restart: true,
        }
    };
}

pub(crate) use section;
