#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Local instances on KVM, wherever this runs: tests/integration/kvm.sh BUILD (make test-kvm). QEMU
# emulates a machine with AMD's virtualization extensions; in it the distribution's kernel offers a
# real /dev/kvm, this machine's own files are the root file system (read-only, writes stay in
# memory), and tests/support/kvm_inside.sh launches, pauses and moves guests of the guest.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
scratch=$build/tmp/kvm
kernel=$build/kvm-kernel
# What mounts the root file system, and KVM, in the order in which they must be loaded.
modules=(virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio virtio_pci virtio_console
    9pnet 9pnet_virtio netfs fscache 9p overlay irqbypass kvm ccp kvm-amd)

skip() { # REASON
    printf 'skip kvm: %s\n' "$1"
    exit 0
}

[ "${KVM_NESTED:-}" = yes ] || skip 'it takes half an hour and 4 GB of memory: make test-kvm'
[ "$(uname -m)" = x86_64 ] || skip 'this needs x86_64'
for program in qemu-system-x86_64 busybox; do
    [ -e "/usr/bin/$program" ] || skip "$program is not installed"
done
tools/kernel.sh linux-image-amd64 "$kernel" "${modules[@]}" || skip 'there is no kernel to be had'

# ---- the machine's initial files ----

rm -rf "$scratch"
mkdir -p "$scratch"/files/{bin,modules,proc,sys,dev,lower,upper,root}
cp /usr/bin/busybox "$scratch/files/bin/"
cp "$kernel"/modules/*.ko "$kernel/modules.list" "$scratch/files/modules/"
install -m 755 tests/support/kvm_init.sh "$scratch/files/init"
printf 'exec %q %q\n' "$PWD/tests/support/kvm_inside.sh" "$build" >"$scratch/files/command"
(cd "$scratch/files" && find . | busybox cpio -o -H newc) >"$scratch/initrd" 2>/dev/null || exit 1

# ---- the machine ----

# All of it is emulated: no limit in here may be one that only a real machine can keep.
timeout -k 5 "${KVM_LIMIT:-3600}" qemu-system-x86_64 -accel tcg,thread=multi,tb-size=512 \
    -cpu EPYC,+svm,+npt -smp 2 -m 3584 -nodefaults -no-user-config -no-reboot -display none \
    -kernel "$kernel/vmlinuz" -initrd "$scratch/initrd" \
    -append 'console=ttyS0 quiet panic=-1 nokaslr mitigations=off tsc=reliable audit=0' \
    -fsdev "local,id=root,path=/,readonly=on,security_model=none,multidevs=remap" \
    -device virtio-9p-pci,fsdev=root,mount_tag=root \
    -chardev "file,id=said,path=$scratch/said" -device virtio-serial-pci \
    -device virtconsole,chardev=said -serial "file:$scratch/log" 2>"$scratch/qemu.log" </dev/null &
machine=$!
trap 'kill -9 $machine 2>/dev/null' EXIT
touch "$scratch/said"
tail -q -n +1 -f --pid=$machine "$scratch/said" |
    sed -u 's/\r//; /^kvm: ended /d'
wait "$machine"
trap - EXIT

status=$(sed -n 's/^kvm: ended \([0-9]*\).*/\1/p' "$scratch/said")
[ -n "$status" ] || {
    tail -n 20 "$scratch/qemu.log" "$scratch/log" | sed 's/^/# /'
    printf 'not ok - the machine ran to its end\n'
}
[ "${status:-1}" -eq 0 ]
