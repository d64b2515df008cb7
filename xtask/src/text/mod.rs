//! Tests of khor's text: the width of comments, banned words, and long sentences. They find only
//! what a program can find.

mod comments;
mod files;
mod sentences;
mod words;
