//! Devices of a machine besides its disk: network cards and disks for the tests of what is counted
//! where.

/// Pairs of network cards. The cards of a pair are on a hub of their own: the test moves one of
/// them into a network namespace, which is then the world outside. No traffic leaves qemu.
const PAIRS_OF_CARDS: usize = 3;
/// Disks behind virtio, in addition to the machine's own. They keep nothing and are as fast as can
/// be.
const DISKS: usize = 2;
const DISK: &str = "driver=null-co,read-zeroes=on,size=64M,if=none";
/// One namespace of an `NVMe` subsystem with two controllers: two paths to the same disk.
const NVME: &str = "-device nvme-subsys,id=subsystem -device nvme,serial=khor,subsys=subsystem \
                    -device nvme,serial=khor,subsys=subsystem";

/// Options of qemu that add the devices. Linux names them in this order: `eth0` and `eth1` are a
/// pair, `vdb` is the first disk after the machine's own.
pub(super) fn options() -> Vec<String> {
    let card = |card: usize| {
        let hub = card / 2;
        // Without the ROM that boots from a network, which is in another package.
        let device = format!("virtio-net-pci,netdev=card{card},mac=52:54:00:00:00:0{card},romfile=");
        format!("-netdev hubport,id=card{card},hubid={hub} -device {device}")
    };
    let disk = |disk: usize| format!("-drive {DISK},id=disk{disk} -device virtio-blk-pci,drive=disk{disk}");
    let nvme = format!("-drive {DISK},id=shared {NVME} -device nvme-ns,drive=shared,nsid=1,shared=on");
    let options = (0..2 * PAIRS_OF_CARDS).map(card).chain((0..DISKS).map(disk)).chain([nvme]);
    options.flat_map(|option| option.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
}
