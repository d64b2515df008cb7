#!/bin/sh
# The first process in the complete Debian system of `cargo xtask vm debian`. It installs khor's
# package and then starts systemd.
export PATH=/bin:/applets

/bin/busybox mkdir -p /applets /proc /dev /debian
/bin/busybox --install -s /applets
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/console 2>&1

for module in /modules/*; do
    insmod "$module" || echo "$module can't be loaded"
done
echo "Linux $(uname -r)"
mount -t ext4 -o noatime /dev/vda /debian || echo "no disk"
cp -a /payload/. /debian/
mount --move /proc /debian/proc
# The path selects Debian's dpkg, because busybox has its own.
PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot /debian /usr/bin/dpkg --install /usr/lib/khor-e2e/khor.deb ||
    echo "cannot install the package"
export SYSTEMD_OFFLINE=1
chroot /debian systemctl --quiet enable khor-e2e.service
# Tests start these services themselves.
chroot /debian systemctl --quiet disable ssh.service
chroot /debian systemctl --quiet disable nats-server.service
umount /debian/proc
mount --move /dev /debian/dev
exec switch_root /debian /sbin/init
