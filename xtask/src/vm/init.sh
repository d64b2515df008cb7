#!/bin/sh
# The first process in a machine of `cargo xtask vm`. It mounts file systems, runs the tests, and
# prints their exit code.
. /etc/khor-vm
export PATH=/bin:/applets

/bin/busybox mkdir -p /applets /proc /sys /dev /run
/bin/busybox --install -s /applets
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /tmp /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
exec </dev/null >/dev/console 2>&1

for module in /modules/*; do
    insmod "$module" || echo "$module can't be loaded"
done
ip link set lo up
mkdir -p "$PROFILE"
mount -t ext4 -o noatime,noinit_itable /dev/vda "$PROFILE" || echo "no disk"

echo "Linux $(uname -r), clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "lockdown: $(cat /sys/kernel/security/lockdown), command line: $(cat /proc/cmdline)"
cd "$PROFILE"
worst=0
for test in $TESTS; do
    # The tests `devices` run only here, so they are marked as ignored. The ignored tests of other
    # programs are only processes that tests start.
    case "$test" in
    */devices-*) ignored=--ignored ;;
    *) ignored= ;;
    esac
    "$test" --test-threads=1 --nocapture $ignored $SKIP ${ONLY:+"$ONLY"}
    code=$?
    [ $code = 0 ] || worst=$code
done
echo "$MARK $worst"
poweroff -f
