#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# The first process of the machine of tests/integration/kvm.sh: mounts the root file system below a
# layer in memory and runs /command there; what that says goes out through hvc0.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in $($b cat /modules/modules.list); do
    $b insmod "/modules/$module" || echo "no $module"
done
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro root /lower
$b mount -t tmpfs -o size=75% memory /upper
$b mkdir /upper/changed /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/changed,workdir=/upper/work all /root
for folder in proc sys dev; do
    $b mount --move /$folder /root/$folder
done
$b mkdir -p /root/dev/shm /root/dev/pts
$b mount -t tmpfs memory /root/dev/shm
$b mount -t devpts terminals /root/dev/pts
$b cp /command /root/run/greenlaunch-command
# It is the first process: were it to end, the kernel would stop before the last words are out.
exec $b switch_root /root /bin/bash -c '
    /bin/bash /run/greenlaunch-command >/dev/hvc0 2>&1 </dev/null
    echo "kvm: ended $?" >/dev/hvc0
    sleep 1
    echo o >/proc/sysrq-trigger
    while :; do sleep 1; done'
