//! Names of the read-only globals that describe the running kernel. The collector sets them from
//! BTF.
//!
//! Most globals contain the offset of a field, such as `sk_buff.len`. An offset is the number of
//! bytes from the start of the outermost structure, here `sk_buff`. It is [`UNKNOWN`] if the kernel
//! has no such field.

/// The value of an offset if the kernel has no such field.
pub const UNKNOWN: u32 = u32::MAX;

/// Number of possible CPUs.
pub const CPUS: &str = "CPUS";
/// 1 if programs may call `bpf_probe_read_kernel`. 0 if they may not, because the kernel is locked
/// down.
pub const KERNEL_READS: &str = "KERNEL_READS";
/// Offset of `sk_buff.len`.
pub const SKB_LEN_OFFSET: &str = "SKB_LEN_OFFSET";
/// Offset of `sk_buff.dev`.
pub const SKB_DEV_OFFSET: &str = "SKB_DEV_OFFSET";
/// Offset of `sk_buff.sk`.
pub const SKB_SK_OFFSET: &str = "SKB_SK_OFFSET";
/// Offset of `sk_buff.head`.
pub const SKB_HEAD_OFFSET: &str = "SKB_HEAD_OFFSET";
/// Offset of `sk_buff.data`.
pub const SKB_DATA_OFFSET: &str = "SKB_DATA_OFFSET";
/// Offset of `sk_buff.network_header`.
pub const SKB_NETWORK_HEADER_OFFSET: &str = "SKB_NETWORK_HEADER_OFFSET";
/// Offset of `tcp_gso_segs` in an `sk_buff`. This field belongs to the `tcp_skb_cb` that is stored
/// in `sk_buff.cb`.
pub const SKB_GSO_SEGS_OFFSET: &str = "SKB_GSO_SEGS_OFFSET";
/// Offset of `net_device.dev.parent`.
pub const DEVICE_PARENT_OFFSET: &str = "DEVICE_PARENT_OFFSET";
/// Offset of `net_device.rx_handler`.
pub const DEVICE_RX_HANDLER_OFFSET: &str = "DEVICE_RX_HANDLER_OFFSET";
/// Offset of `sock.sk_cgrp_data.cgroup`. Before Linux 5.15, this field is called `val`.
pub const SOCK_CGROUP_OFFSET: &str = "SOCK_CGROUP_OFFSET";
/// Offset of `sock.__sk_common.skc_state`.
pub const SOCK_STATE_OFFSET: &str = "SOCK_STATE_OFFSET";
/// Offset of `sock.__sk_common.skc_listener`.
pub const SOCK_LISTENER_OFFSET: &str = "SOCK_LISTENER_OFFSET";
/// Offset of `sock.__sk_common.skc_family`.
pub const SOCK_FAMILY_OFFSET: &str = "SOCK_FAMILY_OFFSET";
/// Offset of `request.cmd_flags`.
pub const REQUEST_CMD_FLAGS_OFFSET: &str = "REQUEST_CMD_FLAGS_OFFSET";
/// Offset of `request.__data_len`.
pub const REQUEST_DATA_LEN_OFFSET: &str = "REQUEST_DATA_LEN_OFFSET";
/// Offset of `request.rq_flags`.
pub const REQUEST_STATE_OFFSET: &str = "REQUEST_STATE_OFFSET";
/// The bit `RQF_FLUSH_SEQ` of `request.rq_flags`. It is set until the request's flush sequence
/// ends.
pub const REQUEST_FLUSH_SEQUENCE: &str = "REQUEST_FLUSH_SEQUENCE";
/// Offset of `request.rq_disk` before Linux 5.17, and of `request.q` since then.
pub const REQUEST_DISK_OFFSET: &str = "REQUEST_DISK_OFFSET";
/// Offset of `request_queue.disk` if [`REQUEST_DISK_OFFSET`] is the offset of `request.q`.
/// Otherwise [`UNKNOWN`].
pub const QUEUE_DISK_OFFSET: &str = "QUEUE_DISK_OFFSET";
/// Offset of `gendisk.disk_name`.
pub const DISK_NAME_OFFSET: &str = "DISK_NAME_OFFSET";
/// Offset of `request.bio`.
pub const REQUEST_BIO_OFFSET: &str = "REQUEST_BIO_OFFSET";
/// Offset of `bio.bi_blkg`.
pub const BIO_BLKG_OFFSET: &str = "BIO_BLKG_OFFSET";
/// Offset of `blkcg_gq.blkcg`.
pub const BLKG_BLKCG_OFFSET: &str = "BLKG_BLKCG_OFFSET";
/// Offset of `blkcg.css.cgroup`.
pub const BLKCG_CGROUP_OFFSET: &str = "BLKCG_CGROUP_OFFSET";
/// Offset of `irqaction.next`.
pub const IRQACTION_NEXT_OFFSET: &str = "IRQACTION_NEXT_OFFSET";
/// Offset of `task_struct.tgid`.
pub const TASK_TGID_OFFSET: &str = "TASK_TGID_OFFSET";
/// Offset of `task_struct.comm`.
pub const TASK_COMM_OFFSET: &str = "TASK_COMM_OFFSET";
/// Offset of `task_struct.cgroups`.
pub const TASK_CGROUPS_OFFSET: &str = "TASK_CGROUPS_OFFSET";
/// Offset of `css_set.dfl_cgrp`.
pub const CSS_SET_CGROUP_OFFSET: &str = "CSS_SET_CGROUP_OFFSET";
/// Offset of `cgroup.level`.
pub const CGROUP_LEVEL_OFFSET: &str = "CGROUP_LEVEL_OFFSET";
/// Offset of `cgroup.root`.
pub const CGROUP_ROOT_OFFSET: &str = "CGROUP_ROOT_OFFSET";
/// Offset of `cgroup_root.hierarchy_id`.
pub const CGROUP_ROOT_ID_OFFSET: &str = "CGROUP_ROOT_ID_OFFSET";
/// Offset of `cgroup.kn`.
pub const CGROUP_KN_OFFSET: &str = "CGROUP_KN_OFFSET";
/// Offset of `cgroup.ancestors` since Linux 6.1, and of `cgroup.ancestor_ids` before.
pub const CGROUP_ANCESTORS_OFFSET: &str = "CGROUP_ANCESTORS_OFFSET";
/// 1 if the array at [`CGROUP_ANCESTORS_OFFSET`] contains ids, 0 if it contains pointers.
pub const CGROUP_ANCESTORS_ARE_IDS: &str = "CGROUP_ANCESTORS_ARE_IDS";
/// Offset of `kernfs_node.id`.
pub const KERNFS_ID_OFFSET: &str = "KERNFS_ID_OFFSET";
/// Offset of `k_sigaction.sa.sa_handler`.
pub const SIGACTION_HANDLER_OFFSET: &str = "SIGACTION_HANDLER_OFFSET";
/// 1 if `tcp_retransmit_skb` has a third argument, the result of the transmission; else 0.
pub const RETRANSMIT_HAS_RESULT: &str = "RETRANSMIT_HAS_RESULT";
