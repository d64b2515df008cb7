#!/bin/sh
# The first process of the whole Debian of `cargo xtask vm e2e`: puts what was built where packages put it, and makes
# way for systemd.
export PATH=/bin:/applets

/bin/busybox mkdir -p /applets /proc /dev /debian
/bin/busybox --install -s /applets
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/console 2>&1

for module in /modules/*; do
    insmod "$module" || echo "$module can't be loaded"
done
mount -t ext4 -o noatime /dev/vda /debian || echo "no disk"
cp -a /payload/. /debian/
# As the package's scripts do; users and directories are made by systemd as it starts.
SYSTEMD_OFFLINE=1 chroot /debian systemctl --quiet enable \
    khor-collector.socket khor-collector.service khor-e2e.service
umount /proc
mount --move /dev /debian/dev
exec switch_root /debian /sbin/init
