# SPDX-License-Identifier: Apache-2.0
# Plays the APIs of Hetzner and DigitalOcean on one port of this machine, as far as `provider check`
# asks them, and shows a machine of ours at Hetzner's. The first argument shifts the clock of its
# answers; notes what it was asked. With a second one neither is answered before both were asked;
# SIGUSR1 begins that anew.
import datetime, email.utils, http.server, json, signal, sys, threading, urllib.parse

SHIFT = int(sys.argv[1]) if len(sys.argv) > 1 else 0
BOTH = len(sys.argv) > 2
WAIT_S = 12  # longer than anybody waits for an answer
asked, change = set(), threading.Condition()


def wait_for_both(path):
    with change:
        asked.add(path.startswith("/v2/"))
        change.notify_all()
        return not BOTH or change.wait_for(lambda: len(asked) == 2, WAIT_S)


class Handler(http.server.BaseHTTPRequestHandler):
    def date_time_string(self, timestamp=None):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=SHIFT)
        return email.utils.format_datetime(now, usegmt=True)

    def send(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code):
        self.send(status, {"error": {"code": code, "message": "as told: " + code}, "id": code,
                           "message": "as told: " + code})

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        ask = dict(urllib.parse.parse_qsl(parts.query))
        token = self.headers.get("Authorization", "")
        log.write(self.command + " " + parts.path + "\n")
        log.flush()
        if not wait_for_both(parts.path):
            return self.refuse(503, "alone")
        if "4711" not in token:
            return self.refuse(401, "unauthorized")
        if "forbidden" in token:
            return self.refuse(403, "forbidden")
        if parts.path == "/servers":
            return self.send(200, {"servers": [SERVER] if BOTH else [],
                                   "meta": {"pagination": {"next_page": None}}})
        if parts.path == "/server_types":
            places = [{"name": name, "available": "soldout" not in token}
                      for name in ("fsn1", "nbg1", "hel1", "ash", "hil", "sin")]
            return self.send(200, {"server_types": [{"name": ask.get("name"),
                                                     "locations": places}]})
        if parts.path == "/v2/account":
            return self.send(200, {"account": {"uuid": "u-1", "team": {"name": "green team"}}})
        if parts.path == "/v2/droplets":
            return self.send(200, {"droplets": []})
        return self.refuse(404, "not_found")

    def log_message(self, *ignored):
        pass


SERVER = {"id": 7, "name": "gl-seen-1", "status": "running",
          "created": "2026-07-01T00:00:00+00:00", "server_type": {"name": "cx22"},
          "location": {"name": "hel1"},
          "labels": {"greenlaunch-request": "gl-seen", "greenlaunch-attempt": "1",
                     "greenlaunch-expires": "4102444800", "greenlaunch-token-a": "a" * 32,
                     "greenlaunch-token-b": "b" * 32}}
signal.signal(signal.SIGUSR1, lambda *ignored: asked.clear())
log = open("asked", "a", encoding="ascii")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
