//! How many may be connected: in all, of one user, and a few seats that only root may take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Connections at once, of all users.
pub(super) const MAX_CONNECTIONS: usize = 256;
/// Of these, so many are kept for root: who runs the machine gets in even when it is full.
const KEPT_FOR_ROOT: usize = 8;
/// Connections at once of one user, so that none can lock the others out.
pub(super) const MAX_CONNECTIONS_PER_USER: usize = 64;

/// Who sits where.
#[derive(Debug, Default)]
pub(super) struct Seats {
    taken: Mutex<HashMap<u32, usize>>,
}

/// One admitted connection; the seat is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    /// User on the other end.
    pub(super) uid: u32,
}

impl Seats {
    /// Takes a seat for `uid`, or says why there is none.
    pub(super) fn admit(self: &Arc<Self>, uid: u32) -> Result<Seat, &'static str> {
        let mut taken = self.taken.lock().expect("nothing panics holding it");
        let all: usize = taken.values().sum();
        let of_user = taken.get(&uid).copied().unwrap_or(0);
        if all >= MAX_CONNECTIONS - if uid == 0 { 0 } else { KEPT_FOR_ROOT } {
            return Err("the collector serves as many clients as it can (256): try again later");
        }
        if of_user >= MAX_CONNECTIONS_PER_USER {
            return Err("this user has as many connections as one may have (64): close some");
        }
        taken.insert(uid, of_user + 1);
        Ok(Seat { seats: Arc::clone(self), uid })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().expect("nothing panics holding it");
        match taken.get_mut(&self.uid) {
            Some(seats @ 2..) => *seats -= 1,
            _ => _ = taken.remove(&self.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_limited_per_user_and_in_all_and_come_back() {
        let seats = Arc::<Seats>::default();
        let mut taken = Vec::new();
        for uid in 1..4 {
            taken.extend((0..MAX_CONNECTIONS_PER_USER).map(|_| seats.admit(uid).unwrap()));
            assert!(seats.admit(uid).unwrap_err().contains("64"));
        }
        taken.extend((0..64 - KEPT_FOR_ROOT).map(|_| seats.admit(9).unwrap()));
        assert!(seats.admit(99).unwrap_err().contains("256"));
        let roots: Vec<_> = (0..KEPT_FOR_ROOT).map(|_| seats.admit(0).unwrap()).collect();
        assert!(seats.admit(0).unwrap_err().contains("256"));
        drop(roots);
        taken.pop();
        assert!(seats.admit(99).is_ok());
    }
}
