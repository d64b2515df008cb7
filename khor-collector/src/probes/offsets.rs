//! Reads the running kernel's type information (BTF) to adapt the programs to this kernel.
//!
//! The kernel's version number would be unreliable, because distributions backport changes. BTF
//! always matches the running kernel.

use btf_rs::{Btf, Struct, Type};
use khor_layout::global;

type Found = Result<u32, String>;

/// The values of the programs' read-only globals. For each unknown value, contains the reason why
/// it is unknown.
pub(super) struct Offsets {
    globals: Vec<(&'static str, Found)>,
    values: Vec<(&'static str, u32)>,
    /// Whether `block_rq_issue` has the request queue as its first argument (before Linux 5.11).
    pub(super) queue_first: bool,
    /// Whether the argument of `mark_victim` is a process number instead of a task (before Linux
    /// 6.8).
    pub(super) victim_is_number: bool,
    /// Whether a class id or priority replaces the cgroup of a socket (before Linux 5.15).
    pub(super) sockets_have_tags: bool,
}

impl Offsets {
    /// Reads the BTF file at `path`. `kernel_reads` says whether programs may read kernel memory.
    pub(super) fn of_running_kernel(path: &str, cpus: usize, kernel_reads: bool) -> Result<Self, String> {
        // Mapping the file saves memory, but works only since Linux 6.16.
        let btf = Btf::from_file_with_backend(path, btf_rs::Backend::Mmap)
            .or_else(|_| Btf::from_file(path))
            .map_err(|error| error.to_string())?;
        Ok(Self::find(&btf, cpus, kernel_reads))
    }

    fn find(btf: &Btf, cpus: usize, kernel_reads: bool) -> Self {
        let mut globals = vec![
            (global::CPUS, Ok(cpus as u32)),
            (global::KERNEL_READS, Ok(u32::from(kernel_reads))),
            (global::RETRANSMIT_HAS_RESULT, arguments(btf, "tcp_retransmit_skb").map(|n| u32::from(n > 2))),
        ];
        let ids = offset(btf, "cgroup", "ancestor_ids");
        globals.push((global::CGROUP_ANCESTORS_ARE_IDS, Ok(u32::from(ids.is_ok()))));
        globals.push((global::CGROUP_ANCESTORS_OFFSET, ids.or_else(|_| offset(btf, "cgroup", "ancestors"))));
        globals.extend(FIELDS.iter().map(|(global, path)| (*global, path_offset(btf, path))));
        globals.push((global::SOCK_CGROUP_OFFSET, sock_cgroup(btf)));
        globals.extend(disk_of_request(btf));
        globals.push((global::REQUEST_STATE_OFFSET, offset(btf, "request", "rq_flags")));
        globals.push((global::REQUEST_FLUSH_SEQUENCE, Ok(flush_sequence(btf))));
        let value = |found: &Found| *found.as_ref().unwrap_or(&global::UNKNOWN);
        let values = globals.iter().map(|(name, found)| (*name, value(found))).collect();
        Self {
            globals,
            values,
            queue_first: arguments(btf, "block_rq_issue").is_ok_and(|n| n > 1),
            sockets_have_tags: offset(btf, "sock_cgroup_data", "val").is_ok(),
            victim_is_number: arguments(btf, "mark_victim").is_ok() && !takes_pointer(btf, "mark_victim"),
        }
    }

    /// All globals with their values. The value is [`global::UNKNOWN`] if it could not be read.
    pub(super) fn globals(&self) -> impl Iterator<Item = (&'static str, &u32)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// Fails with the reason if the value of one of `globals` is unknown.
    pub(super) fn require(&self, globals: &[&str]) -> Result<(), String> {
        globals.iter().try_for_each(|global| {
            let found = self.globals.iter().find(|(name, _)| name == global);
            found.map_or_else(
                || Err(format!("khor has no value for the global {global}")),
                |(_, found)| found.clone().map(drop),
            )
        })
    }
}

/// The path to a nested field. Each step is a pair of a structure and one of its fields.
type Path = &'static [(&'static str, &'static str)];

/// The globals that contain the offset of a field of a kernel structure, each with the path to this
/// field.
const FIELDS: [(&str, Path); 29] = [
    (global::SKB_LEN_OFFSET, &[("sk_buff", "len")]),
    (global::SKB_DEV_OFFSET, &[("sk_buff", "dev")]),
    (global::SKB_SK_OFFSET, &[("sk_buff", "sk")]),
    (global::SKB_HEAD_OFFSET, &[("sk_buff", "head")]),
    (global::SKB_DATA_OFFSET, &[("sk_buff", "data")]),
    (global::SKB_NETWORK_HEADER_OFFSET, &[("sk_buff", "network_header")]),
    (global::SKB_GSO_SEGS_OFFSET, &[("sk_buff", "cb"), ("tcp_skb_cb", "tcp_gso_segs")]),
    (global::DEVICE_PARENT_OFFSET, &[("net_device", "dev"), ("device", "parent")]),
    (global::DEVICE_RX_HANDLER_OFFSET, &[("net_device", "rx_handler")]),
    (global::SOCK_LISTENER_OFFSET, &[("sock", "__sk_common"), ("sock_common", "skc_listener")]),
    (global::SOCK_STATE_OFFSET, &[("sock", "__sk_common"), ("sock_common", "skc_state")]),
    (global::SOCK_FAMILY_OFFSET, &[("sock", "__sk_common"), ("sock_common", "skc_family")]),
    (global::REQUEST_CMD_FLAGS_OFFSET, &[("request", "cmd_flags")]),
    (global::REQUEST_DATA_LEN_OFFSET, &[("request", "__data_len")]),
    (global::REQUEST_BIO_OFFSET, &[("request", "bio")]),
    (global::BIO_BLKG_OFFSET, &[("bio", "bi_blkg")]),
    (global::BLKG_BLKCG_OFFSET, &[("blkcg_gq", "blkcg")]),
    (global::BLKCG_CGROUP_OFFSET, &[("blkcg", "css"), ("cgroup_subsys_state", "cgroup")]),
    (global::IRQACTION_NEXT_OFFSET, &[("irqaction", "next")]),
    (global::TASK_TGID_OFFSET, &[("task_struct", "tgid")]),
    (global::TASK_COMM_OFFSET, &[("task_struct", "comm")]),
    (global::TASK_CGROUPS_OFFSET, &[("task_struct", "cgroups")]),
    (global::CSS_SET_CGROUP_OFFSET, &[("css_set", "dfl_cgrp")]),
    (global::CGROUP_LEVEL_OFFSET, &[("cgroup", "level")]),
    (global::CGROUP_ROOT_OFFSET, &[("cgroup", "root")]),
    (global::CGROUP_ROOT_ID_OFFSET, &[("cgroup_root", "hierarchy_id")]),
    (global::CGROUP_KN_OFFSET, &[("cgroup", "kn")]),
    (global::KERNFS_ID_OFFSET, &[("kernfs_node", "id")]),
    (global::SIGACTION_HANDLER_OFFSET, &[("k_sigaction", "sa"), ("sigaction", "sa_handler")]),
];

/// Offset of the field of a socket that contains its cgroup, in bytes. Before Linux 5.15 this field
/// was `val`.
fn sock_cgroup(btf: &Btf) -> Found {
    let data = offset(btf, "sock", "sk_cgrp_data")?;
    let cgroup =
        offset(btf, "sock_cgroup_data", "cgroup").or_else(|_| offset(btf, "sock_cgroup_data", "val"));
    Ok(data + cgroup?)
}

/// The offsets of the fields through which programs find the name of a request's disk. Linux 5.17
/// removed `request.rq_disk`. Since then, programs find the disk through the request's queue.
fn disk_of_request(btf: &Btf) -> [(&'static str, Found); 3] {
    let direct = offset(btf, "request", "rq_disk");
    let queue_disk = if direct.is_ok() { Ok(global::UNKNOWN) } else { offset(btf, "request_queue", "disk") };
    [
        (global::REQUEST_DISK_OFFSET, direct.or_else(|_| offset(btf, "request", "q"))),
        (global::QUEUE_DISK_OFFSET, queue_disk),
        (global::DISK_NAME_OFFSET, offset(btf, "gendisk", "disk_name")),
    ]
}

/// The value of the flag `RQF_FLUSH_SEQ`. Since Linux 6.12, BTF contains the position of the flag's
/// bit as an enumerator (`__RQF_FLUSH_SEQ`). In the first kernels with this enumerator, its enum
/// has no name. Before Linux 6.12 the flag was a macro, which BTF does not contain.
fn flush_sequence(btf: &Btf) -> u32 {
    const MACRO: u32 = 1 << 4;
    let ids =
        ["rqf_flags", ""].into_iter().flat_map(|name| btf.resolve_ids_by_name(name).unwrap_or_default());
    let position = { ids }.find_map(|id| match btf.resolve_type_by_id(id).ok()? {
        Type::Enum(flags) => flags.members.iter().find_map(|member| {
            let name = btf.resolve_name(member).ok()?;
            (name == "__RQF_FLUSH_SEQ").then(|| member.val())
        }),
        _ => None,
    });
    position.map_or(MACRO, |position| 1 << position)
}

fn path_offset(btf: &Btf, path: Path) -> Found {
    path.iter().map(|(structure, field)| offset(btf, structure, field)).sum()
}

/// Offset of `field` in bytes. Also finds fields of anonymous structs and unions.
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

/// Number of arguments of a tracepoint, without the leading `void *` that every tracepoint has.
fn arguments(btf: &Btf, tracepoint: &str) -> Found {
    let prototype =
        prototype(btf, tracepoint).ok_or_else(|| format!("this kernel has no tracepoint {tracepoint}"));
    prototype.map(|prototype| prototype.parameters.len().saturating_sub(1) as u32)
}

/// Whether the first argument of a tracepoint is a pointer.
fn takes_pointer(btf: &Btf, tracepoint: &str) -> bool {
    let first = prototype(btf, tracepoint).and_then(|prototype| prototype.parameters.get(1).cloned());
    first.is_some_and(|first| matches!(btf.resolve_chained_type(&first), Ok(Type::Ptr(_))))
}

fn prototype(btf: &Btf, tracepoint: &str) -> Option<btf_rs::FuncProto> {
    let types = btf.resolve_types_by_name(&format!("btf_trace_{tracepoint}")).ok()?;
    let Some(Type::Typedef(typedef)) = types.first() else { return None };
    let pointer = btf.resolve_chained_type(typedef).ok()?;
    match btf.resolve_chained_type(pointer.as_btf_type()?).ok()? {
        Type::FuncProto(prototype) => Some(prototype),
        _ => None,
    }
}
