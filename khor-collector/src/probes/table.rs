//! Builds the table in which the in-kernel programs look up the scopes of an event.

use khor_layout::{MAX_SCOPES, PLACES, PROBES, Place, ScopeTable, start};

/// A scope, described by the numbers that the table needs: ids of cgroups and numbers of processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Number of the scope, below [`MAX_SCOPES`]. No two scopes have the same number.
    pub(crate) number: usize,
    /// Whether the scope includes the whole machine, because it has no inclusions.
    pub(crate) include_all: bool,
    /// Whether the scope includes or excludes at least one process, running or ended.
    pub(crate) names_processes: bool,
    /// Ids of cgroups.
    pub(crate) include_cgroups: Vec<u64>,
    pub(crate) exclude_cgroups: Vec<u64>,
    /// Numbers of processes.
    pub(crate) include_processes: Vec<u32>,
    pub(crate) exclude_processes: Vec<u32>,
}

/// The error if all scopes together select more cgroups or processes than the table can hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("all scopes together would name more than 128 cgroups or more than 128 processes: close some scopes")]
pub(crate) struct TableFull;

/// Builds the table for `scopes`.
pub(super) fn build(scopes: &[Chosen]) -> Result<ScopeTable, TableFull> {
    let (mut cgroups, mut processes) = (Vec::new(), Vec::new());
    let mut table = ScopeTable {
        salt: 0,
        include_all: 0,
        name_processes: 0,
        cgroups: [Place::default(); PLACES],
        processes: [Place::default(); PLACES],
    };
    for scope in scopes {
        debug_assert!(scope.number < MAX_SCOPES);
        let bit = 1 << scope.number;
        table.include_all |= if scope.include_all { bit } else { 0 };
        table.name_processes |= if scope.names_processes { bit } else { 0 };
        let (mut include, mut exclude) = (Place::default(), Place::default());
        (include.include, exclude.exclude) = (bit, bit);
        name(&mut cgroups, scope.include_cgroups.iter().copied(), include);
        name(&mut cgroups, scope.exclude_cgroups.iter().copied(), exclude);
        name(&mut processes, scope.include_processes.iter().map(|id| u64::from(*id)), include);
        name(&mut processes, scope.exclude_processes.iter().map(|id| u64::from(*id)), exclude);
    }
    if cgroups.len().max(processes.len()) > khor_layout::MAX_SELECTORS {
        return Err(TableFull);
    }
    let salts = (1..10_000_u64).map(|attempt| attempt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let fitting = salts.filter_map(|salt| Some((salt, lay_out(&cgroups, salt)?, lay_out(&processes, salt)?)));
    let (salt, cgroups, processes) = { fitting }.next().ok_or(TableFull)?;
    Ok(ScopeTable { salt, cgroups, processes, ..table })
}

/// Marks each id as included or excluded by the scopes whose bits are set in `named`. Creates a
/// table entry (place) for an id that has none.
fn name(places: &mut Vec<Place>, ids: impl Iterator<Item = u64>, named: Place) {
    for id in ids {
        let index = places.iter().position(|place| place.id == id).unwrap_or_else(|| {
            places.push(Place { id, ..Place::default() });
            places.len() - 1
        });
        places[index].include |= named.include;
        places[index].exclude |= named.exclude;
    }
}

/// Builds the hash table from `places`. With this `salt`, an entry may have no free place among the
/// [`PROBES`] places that the programs search for it. The result is then `None`.
fn lay_out(places: &[Place], salt: u64) -> Option<[Place; PLACES]> {
    let mut laid_out = [Place::default(); PLACES];
    for place in places {
        let mut within_reach = (0..PROBES).map(|probe| (start(place.id, salt) + probe) % PLACES);
        let free = within_reach.find(|index| laid_out[*index].id == 0)?;
        laid_out[free] = *place;
    }
    Some(laid_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks up the place of `id` as the programs do.
    fn find(places: &[Place; PLACES], salt: u64, id: u64) -> Place {
        let start = start(id, salt);
        let reach = (0..PROBES).map(|probe| places[(start + probe) & (PLACES - 1)]);
        { reach }.find(|place| place.id == id).unwrap_or_default()
    }

    #[test]
    fn full_table_finds_every_id() {
        let scopes: Vec<_> = (0..MAX_SCOPES)
            .map(|number| Chosen {
                number,
                include_cgroups: (0..16).map(|i| 1000 + (number as u64 * 2 + i) % 128).collect(),
                exclude_processes: vec![4_000_000 + number as u32],
                ..Chosen::default()
            })
            .collect();
        let table = build(&scopes).unwrap();
        for id in 1000..1128 {
            let included = find(&table.cgroups, table.salt, id).include;
            for scope in &scopes {
                assert_eq!(included >> scope.number & 1 == 1, scope.include_cgroups.contains(&id), "{id}");
            }
        }
        assert_eq!(find(&table.processes, table.salt, 4_000_063).exclude, 1 << 63);
        assert_eq!(find(&table.processes, table.salt, 5), Place::default());
    }

    #[test]
    fn too_many_names_are_refused() {
        let scope = |number: usize| Chosen {
            number,
            include_cgroups: (0..16).map(|i| 1 + number as u64 * 16 + i).collect(),
            ..Chosen::default()
        };
        assert!(build(&(0..8).map(scope).collect::<Vec<_>>()).is_ok());
        assert_eq!(build(&(0..9).map(scope).collect::<Vec<_>>()).unwrap_err(), TableFull);
    }
}
