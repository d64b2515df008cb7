//! Sums over many hosts: histograms that add up without loss.

mod histogram;
mod sections;
mod sum;
mod window;

pub(crate) use self::{
    sections::Sections,
    sum::Aggregate,
    window::{Summed, Window},
};
