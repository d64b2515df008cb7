//! Reads the kernel's information about a loaded program (`BPF_OBJ_GET_INFO_BY_FD`), for tests.

use std::os::fd::{AsRawFd, BorrowedFd};

use khor_proto::kernel_text;
use nix::libc;

/// Length of `struct bpf_prog_info` in Linux 6.1, in 64-bit words. Other kernels accept this length
/// too.
const WORDS: usize = 28;
/// Index of the word of `bpf_prog_info` that contains two lengths: the length of the machine code
/// and the length of the translated BPF instructions.
const LENGTHS: usize = 2;
const TRANSLATED: usize = 4;
const RECURSION_MISSES: usize = 26;

/// Offset of a helper function from `__bpf_call_base`. Call instructions contain this offset.
/// `None` if the kernel hides its addresses.
pub(super) fn helper_offset(helper: &str) -> Option<i32> {
    let symbols = kernel_text::read("/proc/kallsyms").ok()?;
    let address = |name: &str| {
        let line = symbols.lines().find(|line| line.split_whitespace().nth(2) == Some(name))?;
        u64::from_str_radix(line.split_whitespace().next()?, 16).ok().filter(|address| *address != 0)
    };
    Some(address(helper)?.wrapping_sub(address("__bpf_call_base")?) as i32)
}

/// Returns the value of [`helper_offset`] for each helper function that the program calls.
pub(super) fn helper_calls(program: BorrowedFd<'_>) -> Vec<i32> {
    const CALL: u8 = 0x85;
    let mut info = [0; WORDS];
    query(program, &mut info);
    let mut instructions = vec![0_u64; (info[LENGTHS] >> 32) as usize / size_of::<u64>()];
    info = [0; WORDS];
    info[LENGTHS] = (size_of_val(&instructions[..]) as u64) << 32;
    info[TRANSLATED] = instructions.as_mut_ptr() as u64;
    query(program, &mut info);
    let calls = instructions.iter().filter(|word| {
        let [code, registers, ..] = word.to_le_bytes();
        code == CALL && registers >> 4 == 0
    });
    calls.map(|word| (word >> 32) as i32).collect()
}

/// Number of events that the kernel did not pass to the program.
pub(super) fn recursion_misses(program: BorrowedFd<'_>) -> u64 {
    let mut info = [0; WORDS];
    query(program, &mut info);
    info[RECURSION_MISSES]
}

fn query(program: BorrowedFd<'_>, info: &mut [u64; WORDS]) {
    const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;
    let length = (size_of_val(info) as u64) << 32;
    let attributes = [program.as_raw_fd() as u64 | length, info.as_mut_ptr() as u64];
    // SAFETY: `attributes` contains the descriptor, and the length and address of `info`, which
    // outlives the call. If `info` contains the address of a buffer, it also contains the buffer's
    // length.
    let done = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, attributes.as_ptr(), size_of_val(&attributes))
    };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}
