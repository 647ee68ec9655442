#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The OpenStack adapter against the real keystone, nova, glance and placement of Debian 12, with
# nova's fake hypervisor: tests/integration/openstack.sh BUILD (make test-openstack). The packages
# go into a root of their own below the build folder (1.6 GB, some minutes the first time) and run in
# namespaces of their own, so that nothing is installed on this machine and nothing is left running.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
root=${OPENSTACK_ROOT:-$build/openstack-root}
program=$build/tests/conformance/test_openstack_real
packages=(keystone nova-api nova-conductor nova-scheduler nova-compute placement-api glance-api
    rabbitmq-server mariadb-server uwsgi-core uwsgi-plugin-python3 python3-pymysql)

skip() { # REASON
    printf 'skip openstack: %s\n' "$1"
    exit 0
}

[ "${OPENSTACK_REAL:-}" = yes ] || skip 'it takes root, 2 GB and minutes: make test-openstack'
[ "$(id -u)" = 0 ] || skip 'this needs root'
command -v debootstrap >/dev/null || skip 'debootstrap is not installed'
command -v ip >/dev/null || skip 'iproute2 is not installed'
[ -x "$program" ] || skip "$program is not built"

# ---- inside the namespaces ----

run() {
    local status=0 line
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && ip link set lo up || exit 1
    mkdir -p "$root/srv/greenlaunch"
    cp tests/support/openstack_up.sh tests/support/openstack_setup.py "$root/srv/greenlaunch/"
    printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
    if ! chroot "$root" /bin/bash /srv/greenlaunch/openstack_up.sh \
        >"$build/openstack-up.log" 2>&1; then
        tail -n 5 "$build/openstack-up.log"
        printf 'not ok 1 - the services start\n1..1\n'
        exit 1
    fi
    while IFS= read -r line; do
        export "${line?}"
    done <"$root/srv/greenlaunch/env"
    export OPENSTACK_URL=http://127.0.0.1:5000
    "$program" 2>&1 || status=$?
    # Nothing is left of it.
    mariadb=$(chroot "$root" mariadb -N -e \
        "select count(*) from nova.instances where deleted = 0")
    printf 'instances left in nova: %s\n' "$mariadb"
    [ "$mariadb" = 0 ] || status=1
    exit "$status"
}
if [ "${OPENSTACK_INSIDE:-}" = yes ]; then
    run
fi

# ---- the root ----

install_root() {
    local mirror
    # shellcheck disable=SC2016 # apt's own words
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | sort -u | head -n 1)
    [ -n "$mirror" ] || return 1
    rm -rf "$root"
    debootstrap --variant=minbase bookworm "$root" "$mirror" &&
        printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" &&
        chmod +x "$root/usr/sbin/policy-rc.d" &&
        unshare -mpf --kill-child sh -c "mount -t proc proc '$root/proc' && chroot '$root' env \
            DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install \
            ${packages[*]}" &&
        touch "$root/whole"
}
if [ ! -f "$root/whole" ]; then
    install_root >"$build/openstack-root.log" 2>&1 ||
        skip "its packages cannot be installed: $(tail -n 1 "$build/openstack-root.log")"
fi
OPENSTACK_INSIDE=yes exec unshare --mount --net --uts --ipc --pid --fork --kill-child \
    "$0" "$build"
