//! Tests that khor's texts have no wide comments, no banned words and no long sentences. Only human
//! readers find other unclear texts.

mod comments;
mod files;
mod sentences;
mod words;
