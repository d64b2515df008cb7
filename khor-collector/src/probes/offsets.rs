//! What differs between kernels, read from the running kernel's type information (BTF).
//!
//! Versions are not looked at: distributions backport, BTF does not lie.

use btf_rs::{Btf, BtfType, Struct, Type};
use khor_layout::global;

type Found = Result<u32, String>;

/// Values for the programs' read-only globals, each found or with the reason why not.
pub(super) struct Offsets {
    globals: Vec<(&'static str, Found)>,
    values: Vec<(&'static str, u32)>,
    /// Whether `block_rq_issue` has the request queue as its first argument (before 5.11).
    pub(super) queue_first: bool,
}

impl Offsets {
    /// Reads the BTF file at `path`, or says why it cannot.
    pub(super) fn of_running_kernel(path: &str) -> Result<Self, String> {
        // Since 6.16 the file can be mapped, which spares parsing it; before, it must be read.
        let btf = Btf::from_file_with_backend(path, btf_rs::Backend::Mmap)
            .or_else(|_| Btf::from_file(path))
            .map_err(|error| error.to_string())?;
        Ok(Self::find(&btf))
    }

    fn find(btf: &Btf) -> Self {
        let gso_segs = || Ok(offset(btf, "sk_buff", "cb")? + offset(btf, "tcp_skb_cb", "tcp_gso_segs")?);
        let globals = vec![
            (global::SKB_LEN_OFFSET, offset(btf, "sk_buff", "len")),
            (global::SKB_GSO_SEGS_OFFSET, gso_segs()),
            (global::REQUEST_CMD_FLAGS_OFFSET, offset(btf, "request", "cmd_flags")),
            (global::IRQACTION_NEXT_OFFSET, offset(btf, "irqaction", "next")),
            (global::RETRANSMIT_HAS_RESULT, arguments(btf, "tcp_retransmit_skb").map(|n| u32::from(n > 2))),
        ];
        let values = globals.iter().map(|(name, found)| (*name, *found.as_ref().unwrap_or(&0))).collect();
        let queue_first = arguments(btf, "block_rq_issue").is_ok_and(|n| n > 1);
        Self { globals, values, queue_first }
    }

    /// Every global with its value, 0 where unknown.
    pub(super) fn globals(&self) -> impl Iterator<Item = (&'static str, &u32)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// Fails with the reason if `global` is unknown.
    pub(super) fn require(&self, global: &str) -> Result<(), String> {
        let found = self.globals.iter().find(|(name, _)| *name == global);
        found.map_or_else(|| Err(format!("nobody looks for {global}")), |(_, found)| found.clone().map(drop))
    }
}

/// Offset of `field` in bytes, also inside anonymous structs and unions.
fn offset(btf: &Btf, structure: &str, field: &str) -> Found {
    let types =
        btf.resolve_types_by_name(structure).map_err(|error| format!("struct {structure}: {error}"))?;
    let found = types.iter().find_map(|kind| match kind {
        Type::Struct(definition) => offset_bits(btf, definition, field),
        _ => None,
    });
    match found {
        Some(bits) if bits % 8 == 0 => Ok(bits / 8),
        Some(_) => Err(format!("{structure}.{field} is a bit field on this kernel")),
        None => Err(format!("this kernel has no {structure}.{field}")),
    }
}

fn offset_bits(btf: &Btf, definition: &Struct, field: &str) -> Option<u32> {
    definition.members.iter().find_map(|member| {
        let name = btf.resolve_name(member).ok()?;
        if name == field {
            return Some(member.bit_offset());
        }
        match btf.resolve_chained_type(member).ok()? {
            Type::Struct(inner) | Type::Union(inner) if name.is_empty() => {
                Some(member.bit_offset() + offset_bits(btf, &inner, field)?)
            }
            _ => None,
        }
    })
}

/// Number of arguments of a tracepoint, not counting the `void *` that all of them start with.
fn arguments(btf: &Btf, tracepoint: &str) -> Found {
    let missing = || format!("this kernel has no tracepoint {tracepoint}");
    let types = btf.resolve_types_by_name(&format!("btf_trace_{tracepoint}")).map_err(|_| missing())?;
    let Some(Type::Typedef(typedef)) = types.first() else { return Err(missing()) };
    let pointer = btf.resolve_chained_type(typedef).map_err(|_| missing())?;
    let prototype = pointer.as_btf_type().and_then(|pointer| resolve(btf, pointer));
    match prototype {
        Some(Type::FuncProto(prototype)) => Ok(prototype.parameters.len().saturating_sub(1) as u32),
        _ => Err(missing()),
    }
}

fn resolve(btf: &Btf, kind: &dyn BtfType) -> Option<Type> {
    btf.resolve_chained_type(kind).ok()
}
