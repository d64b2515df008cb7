//! Adds network cards and disks to a machine, for the tests named `devices`.

/// Number of pairs of network cards. A hub connects the two cards of a pair. The tests move one
/// card of a pair into a network namespace, which simulates another machine. No traffic leaves
/// qemu.
const PAIRS_OF_CARDS: usize = 3;
/// Number of virtio disks in addition to the machine's own disk. They discard all data, so they are
/// fast.
const DISKS: usize = 2;
const DISK: &str = "driver=null-co,read-zeroes=on,size=64M,if=none";
/// An `NVMe` subsystem that offers one disk through two controllers, for tests of multipath.
const NVME: &str = "-device nvme-subsys,id=subsystem -device nvme,serial=khor,subsys=subsystem \
                    -device nvme,serial=khor,subsys=subsystem";

/// qemu's options that add the devices. Linux names the devices in this order: `eth0` and `eth1`
/// are a pair, and `vdb` is the first disk after the machine's own.
pub(super) fn options() -> Vec<String> {
    let card = |card: usize| {
        let hub = card / 2;
        // `romfile=` switches off booting from the network. The ROM for this would need another
        // package.
        let device = format!("virtio-net-pci,netdev=card{card},mac=52:54:00:00:00:0{card},romfile=");
        format!("-netdev hubport,id=card{card},hubid={hub} -device {device}")
    };
    let disk = |disk: usize| format!("-drive {DISK},id=disk{disk} -device virtio-blk-pci,drive=disk{disk}");
    let nvme = format!("-drive {DISK},id=shared {NVME} -device nvme-ns,drive=shared,nsid=1,shared=on");
    let options = (0..2 * PAIRS_OF_CARDS).map(card).chain((0..DISKS).map(disk)).chain([nvme]);
    options.flat_map(|option| option.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
}
