#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts keystone, placement, glance and nova (with its fake hypervisor) inside the root that
# tests/integration/openstack.sh made, and prints "ready" when they answer. Everything runs in that
# script's namespaces and goes with them. Databases are made anew each time.
#
# Traps on the way: SQLite is too slow for keystone ("database is locked"); uwsgi's --http-socket
# drops idle connections; nova needs a neutron to ask, of which empty lists are enough; its cells
# know a hypervisor only after it was discovered.
set -eu
export LC_ALL=C HOME=/root
here=/srv/greenlaunch
logs=/var/log/greenlaunch
mkdir -p "$logs" /run/mysqld /var/lib/glance/images /var/lib/nova/tmp /var/lib/nova/instances
chown mysql /run/mysqld
rm -f "$logs"/*

back() { # NAME COMMAND...
    local name=$1
    shift
    "$@" >>"$logs/$name.log" 2>&1 </dev/null &
}

wait_for() { # NAME COMMAND...
    local name=$1
    shift
    for _ in $(seq 240); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.5
    done
    printf 'no answer of %s\n' "$name"
    return 1
}

answers() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# ---- what they need ----
hostname localhost
back mariadb mariadbd --user=mysql --skip-networking --innodb-flush-log-at-trx-commit=0 \
    --max-connections=400
(
    export RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
    rm -rf /var/lib/rabbitmq/mnesia
    chown -R rabbitmq /var/lib/rabbitmq
    back rabbitmq setsid su -s /bin/sh rabbitmq -c /usr/lib/rabbitmq/bin/rabbitmq-server
)
wait_for mariadb mariadb -e 'select 1'
for name in keystone placement glance nova_api nova_cell0 nova; do
    mariadb -e "drop database if exists $name; create database $name character set utf8"
done
mariadb -e "create user if not exists os@localhost identified by 'os';
    grant all on *.* to os@localhost"

database() { # NAME
    printf 'mysql+pymysql://os:os@localhost/%s?unix_socket=/run/mysqld/mysqld.sock' "$1"
}
middleware() { # USER SERVICE-TYPE
    printf '%s\n' '[keystone_authtoken]' 'www_authenticate_uri = http://127.0.0.1:5000' \
        "service_type = $2"
    account "$1"
}
account() { # USER
    printf '%s\n' 'auth_url = http://127.0.0.1:5000' 'auth_type = password' \
        'project_name = service' 'project_domain_name = Default' 'user_domain_name = Default' \
        "username = $1" 'password = service' 'region_name = RegionOne'
}
web() { # NAME PORT PROGRAM
    back "$1" uwsgi --http11-socket "127.0.0.1:$2" --plugins-dir /usr/lib/uwsgi/plugins \
        --plugin python3 --wsgi-file "$3" --master --lazy-apps --enable-threads --processes 2 \
        --buffer-size 65535 --die-on-term --thunder-lock
}

# ---- keystone ----
cat >/etc/keystone/keystone.conf <<EOF
[database]
connection = $(database keystone)
[token]
provider = fernet
[cache]
enabled = false
EOF
rm -rf /etc/keystone/fernet-keys /etc/keystone/credential-keys
keystone-manage db_sync
keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone
keystone-manage credential_setup --keystone-user keystone --keystone-group keystone
keystone-manage bootstrap --bootstrap-password service --bootstrap-region-id RegionOne \
    --bootstrap-admin-url http://127.0.0.1:5000/v3 \
    --bootstrap-internal-url http://127.0.0.1:5000/v3 \
    --bootstrap-public-url http://127.0.0.1:5000/v3
chown -R keystone /etc/keystone/fernet-keys /etc/keystone/credential-keys
web keystone 5000 /usr/bin/keystone-wsgi-public
back neutron python3 "$here/openstack_setup.py" neutron 9696
wait_for keystone answers 5000
python3 "$here/openstack_setup.py" services

# ---- placement and glance ----
{
    printf '[placement_database]\nconnection = %s\n[api]\nauth_strategy = keystone\n' \
        "$(database placement)"
    middleware placement placement
} >/etc/placement/placement.conf
placement-manage db sync
web placement 8778 /usr/bin/placement-api
{
    printf '[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = 9292\nworkers = 1\n'
    printf 'enabled_import_methods = [glance-direct,web-download,glance-download]\n'
    printf '[database]\nconnection = %s\n' "$(database glance)"
    printf '[glance_store]\nstores = file,http\ndefault_store = file\n'
    printf 'filesystem_store_datadir = /var/lib/glance/images\n'
    printf '[paste_deploy]\nflavor = keystone\n'
    middleware glance image
} >/etc/glance/glance-api.conf
glance-manage db_sync
back glance glance-api --config-file /etc/glance/glance-api.conf

# ---- nova ----
{
    printf '%s\n' '[DEFAULT]' 'transport_url = rabbit://guest:guest@127.0.0.1:5672/' \
        'compute_driver = fake.FakeDriver' 'my_ip = 127.0.0.1' 'host = fake-host' \
        'state_path = /var/lib/nova' 'osapi_compute_workers = 1' \
        '[api]' 'auth_strategy = keystone' '[api_database]'
    printf 'connection = %s\n[database]\nconnection = %s\n' "$(database nova_api)" \
        "$(database nova)"
    printf '[conductor]\nworkers = 1\n[scheduler]\nworkers = 1\n'
    printf 'discover_hosts_in_cells_interval = 2\n'
    printf '[oslo_concurrency]\nlock_path = /var/lib/nova/tmp\n'
    printf '[glance]\nregion_name = RegionOne\n[cinder]\nos_region_name = RegionOne\n'
    printf '[placement]\n'
    account placement
    printf '[neutron]\n'
    account neutron
    middleware nova compute
} >/etc/nova/nova.conf
: >/etc/nova/nova-compute.conf
nova-manage api_db sync
nova-manage cell_v2 map_cell0 --database_connection "$(database nova_cell0)"
nova-manage cell_v2 create_cell --name cell1
nova-manage db sync
wait_for rabbitmq answers 5672
web nova-api 8774 /usr/bin/nova-api-wsgi
back nova-conductor nova-conductor
back nova-scheduler nova-scheduler
wait_for placement answers 8778
wait_for nova-api answers 8774
wait_for glance answers 9292
# It gives up when placement or the conductor are not there yet.
(while :; do
    nova-compute >>"$logs/nova-compute.log" 2>&1 </dev/null || true
    sleep 1
done) &
python3 "$here/openstack_setup.py" project
echo ready
