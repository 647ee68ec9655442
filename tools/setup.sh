#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the distribution packages that are missing, saying which, and unpack a kernel for local
# VMs into build/guest/. Idempotent, and quick when nothing is missing. Extra package names may be
# given as arguments: tools/setup.sh clang-14 clang-format-14
set -eu
cd "$(dirname "$0")/.."

# Without these nothing can be built or tested.
needed="gcc make libc6-dev libsodium-dev libjansson-dev libyaml-dev libsqlite3-dev
libexpat1-dev zlib1g-dev libcurl4-openssl-dev libssl-dev libmicrohttpd-dev
libcmocka-dev $*"
# Without these `local` falls back to processes, live signals to plain certificates and HTML reports
# to plain pictures.
wanted="busybox-static ca-certificates libjs-chart.js"
case $(uname -m) in
x86_64) wanted="$wanted qemu-system-x86" kernel_meta=linux-image-cloud-amd64 ;;
*) kernel_meta= ;;
esac

guest=build/guest
# In the order in which they must be loaded; what the kernel has built in is passed over.
modules="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_console
virtio_blk failover net_failover virtio_net crc16 crc32c_generic mbcache jbd2 ext4"

say() {
    printf 'setup: %s\n' "$*" >&2
}

# The names among the arguments that are not installed, one a line.
missing() {
    # dpkg-query fails when it does not know a name; its output is right all the same.
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        sed -n 's/^installed //p') || true
    for name; do
        case "
$installed
" in
        *"
$name
"*) ;;
        *) printf '%s\n' "$name" ;;
        esac
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

# apt_install NAME...: quiet when it works, apt's own words when it does not.
apt_install() {
    log=$(mktemp)
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends "$@" >"$log" 2>&1 ||
        { as_root apt-get update -q >"$log" 2>&1 &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
                --no-install-recommends "$@" >"$log" 2>&1; }; then
        rm -f "$log"
        return 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
    return 1
}

# install_group NAME...: 0 when all of them are there in the end.
install_group() {
    # shellcheck disable=SC2046 # package names hold no spaces
    set -- $(missing "$@")
    [ $# -eq 0 ] && return 0
    if ! command -v apt-get >/dev/null; then
        say "not installed: $*, and this is not a Debian-like system (no apt-get)"
        return 1
    fi
    say "installing missing distribution packages: $*"
    apt_install "$@" && return 0
    say "could not install: $*"
    say "install them yourself: apt-get install --no-install-recommends $*"
    return 1
}

guest_kernel() {
    [ -n "$kernel_meta" ] || return 0
    # shellcheck disable=SC2086 # a list of names
    tools/kernel.sh "$kernel_meta" "$guest" $modules && return 0
    say "warning: no guest kernel ($kernel_meta): local instances will be processes, not VMs"
}

# shellcheck disable=SC2086 # lists of names
install_group $needed || exit 1
# shellcheck disable=SC2086
install_group $wanted || say "warning: going on without them"
guest_kernel
