//! Sums over many hosts, as histograms that can be added without loss.

mod histogram;
mod sections;
mod sum;
mod window;

pub(crate) use self::{
    sections::Sections,
    sum::Aggregate,
    window::{Summed, Window},
};
