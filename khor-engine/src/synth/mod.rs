//! From notes to samples: real-time safe after construction, free of I/O.
