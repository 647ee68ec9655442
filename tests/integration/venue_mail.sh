#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Requests by mail judged by Exim, a mail server of the distribution, with STARTTLS and a password:
# tests/integration/venue_mail.sh BUILD. Its package is unpacked into BUILD, not installed; it runs
# without rights, on loopback, below a folder of ours, delivers into files, and ends with us. Where
# it cannot be had or cannot run, this skips with the reason.
set -u
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
# shellcheck source=tests/support/checks.sh
. tests/support/checks.sh
scratch=$build/tmp/venue-mail.$$
exim=$build/exim
program=$build/tests/conformance/test_venue_judged
export GREENLAUNCH_SMTP_PASSWORD='judge p@ss:word'
pid=

# shellcheck disable=SC2317 # called by the trap
end() {
    # The first process of a name space heeds nothing else; who started it waits for it and ends.
    [ -z "$pid" ] || pkill -KILL -P "$pid"
    wait 2>/dev/null
    [ "$failed" -ne 0 ] || rm -rf "$scratch"
}
trap end EXIT
mkdir -p "$scratch/spool" "$scratch/new"

give_up() { # REASON
    printf 'skip venue mail: %s\n' "$1"
    exit 0
}

# The server; what answers for its user, which no one made here; and a library it wants.
unpack() {
    [ ! -f "$exim/whole" ] || return 0
    command -v apt-get >/dev/null 2>&1 || return 1
    rm -rf "$exim"
    mkdir -p "$exim/packages" && chmod 755 "$exim/packages" &&
        (cd "$exim/packages" && timeout 120 apt-get download -q exim4-daemon-light libnss-wrapper libidn12) &&
        for package in "$exim"/packages/*.deb; do
            dpkg -x "$package" "$exim/root" || return 1
        done && rm -rf "$exim/packages" && touch "$exim/whole"
}

# Sending wants a password, a password wants TLS, and whoever gave one may write to anybody: into a
# file of ours. Nothing is relayed.
configure() { # PORT
    cat >"$scratch/exim.conf" <<END
keep_environment =
primary_hostname = mail.example
spool_directory = $scratch/spool
log_file_path = $scratch/%slog
pid_file_path = $scratch/pid
notifier_socket =
local_interfaces = 127.0.0.1
daemon_smtp_ports = $1
host_lookup =
rfc1413_hosts =
tls_advertise_hosts = *
tls_certificate = $scratch/cert.pem
tls_privatekey = $scratch/key.pem
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
deliver_drop_privilege = true
acl_smtp_mail = sender
acl_smtp_rcpt = sender
acl_smtp_data = accept
begin acl
sender:
  require authenticated = *
  accept
begin routers
all:
  driver = accept
  transport = into_file
begin transports
into_file:
  driver = appendfile
  directory = $scratch/new
  directory_file = message-\$message_exim_id
  user = Debian-exim
  group = Debian-exim
  message_prefix =
  message_suffix =
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{ada}}{eq{\$auth3}{$GREENLAUNCH_SMTP_PASSWORD}}}}
  server_set_id = \$auth2
END
}

# Exim will not run as root alone: it is an ordinary user of a name space of its own, with the rights
# of our files and no more, and what it leaves behind ends with that.
start() {
    local library
    library=$(dirname "$(find "$exim/root" -name libnss_wrapper.so | head -n 1)")
    printf '%s\n' root:x:0:0::/:/bin/false "Debian-exim:x:1000:1000::$scratch/spool:/bin/false" \
        >"$scratch/passwd"
    printf '%s\n' root:x:0: Debian-exim:x:1000: mail:x:8: >"$scratch/group"
    NSS_WRAPPER_PASSWD=$scratch/passwd NSS_WRAPPER_GROUP=$scratch/group LD_LIBRARY_PATH=$library \
        LD_PRELOAD=$library/libnss_wrapper.so \
        unshare --user --map-user=1000 --map-group=1000 --pid --fork --kill-child \
        "$exim/root/usr/sbin/exim4" -C "$scratch/exim.conf" -bdf >"$scratch/server" 2>&1 &
    pid=$!
}

listens() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

messages() {
    find "$scratch/new" -type f -name 'message-*' | wc -l
}

[ -x "$program" ] || give_up 'the tests are not built'
unpack >"$build/exim.log" 2>&1 || give_up "no exim4-daemon-light: $(tail -n 1 "$build/exim.log")"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext 'subjectAltName=IP:127.0.0.1' -keyout "$scratch/key.pem" -out "$scratch/cert.pem" \
    2>/dev/null || give_up 'openssl is not installed'
port=$((22000 + $$ % 20000))
configure "$port"
start
for _ in $(seq 120); do
    listens "$port" && break
    kill -0 "$pid" 2>/dev/null || give_up "Exim does not start: $(tail -n 1 "$scratch/server")"
    sleep 0.25
done

env GREENLAUNCH_JUDGE_SMTP="smtp://127.0.0.1:$port" GREENLAUNCH_JUDGE_SMTP_CA="$scratch/cert.pem" \
    timeout 100 "$program" >"$scratch/log" 2>&1
status=$?
grep -q '\[  PASSED  \] 1 test' "$scratch/log" || status=1
[ "$status" -eq 0 ] || grep -vE '^\[ RUN|SKIP|skipped' "$scratch/log" | tail -n 12 | sed 's/^/# /'
check "$status" 'Exim takes one message of who signs in, and of nobody else'
for _ in $(seq 40); do
    [ "$(messages)" -eq 0 ] || break
    sleep 0.25
done
[ "$(messages)" -eq 1 ]
check $? 'it delivered one'
grep -q 'P=esmtpsa X=TLS1\.[23].*A=plain:ada' "$scratch/mainlog"
check $? 'that came over TLS from who signed in'
grep -q 'plain authenticator failed .*set_id=mallory' "$scratch/mainlog"
check $? 'and turned away who could not'
! grep -rqF "$GREENLAUNCH_SMTP_PASSWORD" "$scratch/new" "$scratch/mainlog" "$scratch/log"
check $? 'the password stands in no message and no log'
[ ! -s "$scratch/paniclog" ]
check $? 'and it had nothing to complain of'

python3 - "$scratch"/new/message-* <<'END' >"$scratch/log" 2>&1
import email, email.policy, json, sys
raw = open(sys.argv[1], 'rb').read()
message = email.message_from_bytes(raw, policy=email.policy.default)
text, attached = message.iter_parts()
assert message['subject'] == 'Hourly intensity à la carte [GL-7f3a91c2]', message['subject']
assert message['message-id'].startswith('<GL-7f3a91c2.'), message['message-id']
assert len(message.get_all('message-id')) == len(message.get_all('date')) == 1
assert message['to'] == 'wishes@provider.example', message['to']
assert 'An *hourly* figure € per region & by API = 100%\n\n.dot\nFrom here: "quotes"' in \
    text.get_content().replace('\r\n', '\n'), text.get_content()
assert json.loads(attached.get_content()) == {'capability': 'intensity.hourly'}
assert not message.defects and not text.defects, message.defects
assert max(map(len, raw.splitlines())) <= 998
END
status=$?
[ "$status" -eq 0 ] || sed 's/^/# /' "$scratch/log"
check "$status" 'what it delivered reads as it was meant'
exit "$failed"
