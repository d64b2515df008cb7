//! Tests the cost of the support for added lanes in a source without added lanes. A frame must
//! allocate no memory, and a reading must be only slightly larger than its values.

use std::mem::size_of;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, violation_count};
use khor_signal::{
    Catalogue, Counter, Frame, Lane, LaneDefinition, LaneId, PerAdded, PerCounter, PerSignal, Pipeline,
    Reading, Scaling, SignalId,
};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Counts the allocations for one frame, including the copies that the engine makes of the frame
/// and of the reading.
fn allocations(pipeline: &mut Pipeline, frame: &Frame) -> u32 {
    let before = violation_count();
    assert_no_alloc(|| {
        let reading = pipeline.push(frame.clone());
        drop(reading.clone());
        drop(reading);
    });
    violation_count() - before
}

#[test]
fn only_added_lanes_allocate() {
    let mut pipeline = Pipeline::new(Scaling::default());
    let frame = |tick: u64| Frame::new(20_000_000 * tick, [Some(tick); Counter::ALL.len()]);
    let plain: u32 = (0..1000).map(|tick| allocations(&mut pipeline, &frame(tick))).sum();
    assert_eq!(plain, 0);
    let mut catalogue = Catalogue::kernel();
    let like_exec = catalogue.get(SignalId::Exec).unwrap().definition();
    catalogue.add(LaneDefinition { name: "queue".into(), ..like_exec }).unwrap();
    pipeline.set_catalogue(catalogue);
    let mut added = PerAdded::EMPTY;
    added.set(LaneId::of_added(0).unwrap(), Some(1.0));
    let with_lane = Frame { added, ..frame(1000) };
    assert!(allocations(&mut pipeline, &with_lane) > 0, "the allocator must count allocations");
}

#[test]
fn readings_are_little_larger_than_their_values() {
    let values = size_of::<PerSignal<Option<Lane>>>() + 2 * size_of::<PerSignal<Option<f64>>>();
    let rest = size_of::<u64>() + size_of::<PerCounter<Option<f64>>>() + size_of::<u64>();
    println!("a reading has {} bytes, of which {} are its values", size_of::<Reading>(), values + rest);
    assert_eq!(size_of::<Reading>(), values + rest + 3 * size_of::<Vec<u8>>());
}
