# SPDX-License-Identifier: Apache-2.0
"""Receivers that others wrote, for tests/integration/venues.sh: venue_judge.py WHAT FOLDER
smtp: aiosmtpd with STARTTLS and authentication, messages to FOLDER/message-N
events: the CloudEvents SDK behind http.server, events to FOLDER/event-N
echo: a page with a form that is filled from its own address
Writes FOLDER/port when it listens; ends with its standard input."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import ssl
import sys
import threading

folder = pathlib.Path(sys.argv[2])
count = 0


def listening(port):
    whole = folder / "port.new"
    whole.write_text(str(port))
    whole.rename(folder / "port")
    sys.stdin.read()


def smtp():
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    def authenticate(server, session, envelope, mechanism, data):
        right = data.login == b"ada" and data.password == os.environ["GREENLAUNCH_SMTP_PASSWORD"].encode()
        return AuthResult(success=right and session.ssl is not None, handled=False)

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            global count
            count += 1
            (folder / f"message-{count}").write_bytes(envelope.content)
            (folder / f"envelope-{count}").write_text(f"{envelope.mail_from} {envelope.rcpt_tos}")
            return "250 taken"

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    controller = Controller(Handler(), hostname="127.0.0.1", port=0, tls_context=context,
                            require_starttls=True, auth_required=True,
                            authenticator=authenticate)
    # port 0: the controller's own trial connection needs the real one
    import socket
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    listening(controller.port)
    controller.stop()


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def say(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Events(Quiet):
    def do_OPTIONS(self):
        origin = self.headers["WebHook-Request-Origin"]
        self.say(200, (("WebHook-Allowed-Origin", origin), ("WebHook-Allowed-Rate", "100")))

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = dict(self.headers.items())
        try:
            event = read_event(headers, body)
            text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            key = os.environ["GREENLAUNCH_WEBHOOK_SECRET"].encode()
            made = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
            if headers["webhook-signature"] != "v1," + made:
                raise ValueError("signature")
        except Exception as trouble:  # whatever the SDK finds wrong
            (folder / "trouble").write_text(repr(trouble))
            self.say(400)
            return
        count += 1
        (folder / f"event-{count}").write_text(json.dumps(event))
        self.say(204)


def read_event(headers, body):
    try:
        from cloudevents.http import from_http
    except ImportError:  # the SDK's second version
        from cloudevents.v1.http import from_http
    event = from_http(headers, body)
    return {"id": event["id"], "type": event["type"], "source": event["source"],
            "specversion": event["specversion"], "subject": event["subject"], "data": event.data}


PAGE = b"""<!doctype html><meta charset=utf-8><form><input name=title><textarea name=body>
</textarea></form><pre id=out></pre><script>
const given = new URL(location).searchParams;
for (const name of ['title', 'body']) document.forms[0][name].value = given.get(name);
document.getElementById('out').textContent = btoa(String.fromCharCode(
    ...new TextEncoder().encode(document.forms[0].body.value)));
document.title = document.forms[0].title.value;
</script>"""


class Echo(Quiet):
    def do_GET(self):
        self.say(200, (("Content-Type", "text/html"),), PAGE)


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    listening(server.server_address[1])


{"smtp": smtp, "events": lambda: serve(Events), "echo": lambda: serve(Echo)}[sys.argv[1]]()
