//! Devices of a machine besides its disk: network cards and disks for the tests of what is counted where.

/// Pairs of network cards. The cards of a pair are on a hub of their own: the test moves one of them into a network
/// namespace, which is then the world outside. No traffic leaves qemu.
const PAIRS_OF_CARDS: usize = 3;
/// Disks behind virtio, in addition to the machine's own. They keep nothing and are as fast as can be.
const DISKS: usize = 2;
const DISK: &str = "driver=null-co,read-zeroes=on,size=64M,if=none";
/// One namespace of an NVMe subsystem with two controllers: two paths to the same disk.
const NVME: &str = "-device nvme-subsys,id=subsystem -device nvme,serial=khor,subsys=subsystem \
     -device nvme,serial=khor,subsys=subsystem";

/// Options of qemu that add the devices. Linux names them in this order: `eth0` and `eth1` are a pair, `vdb` is the
/// first disk after the machine's own.
pub(super) fn options() -> Vec<String> {
    let mut options = String::new();
    for card in 0..2 * PAIRS_OF_CARDS {
        let hub = card / 2;
        options += &format!("-netdev hubport,id=card{card},hubid={hub} ");
        // Without the ROM that boots from a network, which is in another package.
        options += &format!("-device virtio-net-pci,netdev=card{card},mac=52:54:00:00:00:0{card},romfile= ");
    }
    for disk in 0..DISKS {
        options += &format!("-drive {DISK},id=disk{disk} -device virtio-blk-pci,drive=disk{disk} ");
    }
    options += &format!("-drive {DISK},id=shared {NVME} -device nvme-ns,drive=shared,nsid=1,shared=on");
    options.split_whitespace().map(str::to_owned).collect()
}
