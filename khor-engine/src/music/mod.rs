//! From levels to notes: seeded, stepped, free of I/O; the same offline and live.

mod note;

pub use note::{Layer, Note, Role};
