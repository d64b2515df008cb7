//! Runs work in parallel, one thread for each core.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::Result;
use parking_lot::Mutex;

/// Calls `work` for all items in parallel. Returns the results in the order of the items, or the
/// first error. Before each item, reports `what` and the item's number to the watchdog, which
/// prints them if the item hangs.
pub fn map<T: Sync, R: Send>(
    what: &str,
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<R>)>> = Mutex::new(Vec::with_capacity(items.len()));
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(items.len().max(1));
    let work = || {
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = items.get(index)
        {
            khor_patience::progress(format!("{what}, {} of {}", index + 1, items.len()));
            let result = work(item);
            done.lock().push((index, result));
        }
    };
    thread::scope(|scope| {
        for number in 0..threads {
            // The watchdog needs a name for each thread. It remembers each named thread's last
            // step, and prints these steps after a hang.
            let named = thread::Builder::new().name(format!("judge {number}"));
            named.spawn_scoped(scope, work).expect("the system can start another thread");
        }
    });
    let mut done = done.into_inner();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_order_and_errors_return() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(
            map("numbers", &items, |item| Ok(2 * item)).unwrap(),
            (0..100).map(|i| 2 * i).collect::<Vec<_>>()
        );
        let failed =
            map("numbers", &items, |item| if *item == 7 { anyhow::bail!("seven") } else { Ok(*item) });
        assert_eq!(failed.unwrap_err().to_string(), "seven");
    }
}
