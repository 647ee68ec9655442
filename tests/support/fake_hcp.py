#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The side of HCP Terraform that a run task talks to, over TLS on loopback:
fake_hcp.py FOLDER CERT KEY PLAN. Writes FOLDER/port when it listens, FOLDER/log (a line a request:
method, path, whether the bearer came) and FOLDER/ID.N.json for every callback. What a plan's id
begins with says how it behaves: late (204 twice), never (204), old (422), evil (leads to another host), gone
(404), broken (no JSON behind it); flaky refuses its first callback."""
import http.server
import json
import pathlib
import ssl
import sys

folder, cert, key, plan = map(pathlib.Path, sys.argv[1:5])
seen = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def note(self):
        bearer = self.headers.get("Authorization", "-")
        with (folder / "log").open("a") as log:
            log.write(f"{self.command} {self.path} {bearer}\n")

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def times(self, what):
        seen[what] = seen.get(what, 0) + 1
        return seen[what]

    def do_GET(self):
        self.note()
        kind, _, name = self.path.strip("/").partition("/")
        if kind == "archive":
            return self.reply(200, b"{ no plan" if name.startswith("broken") else plan.read_bytes())
        if kind != "plan" or self.headers.get("Authorization") is None:
            return self.reply(401)
        if name.startswith("never") or (name.startswith("late") and self.times(name) <= 2):
            return self.reply(204)
        if name.startswith("old"):
            return self.reply(422)
        if name.startswith("gone"):
            return self.reply(404)
        host = "127.0.0.2" if name.startswith("evil") else "localhost"
        port = self.server.server_address[1]
        return self.reply(307, headers=[("Location", f"https://{host}:{port}/archive/{name}")])

    def do_PATCH(self):
        self.note()
        name = self.path.rsplit("/", 1)[1]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        number = self.times("callback " + name)
        if name.startswith("flaky") and number == 1:
            return self.reply(503)
        if self.headers["Content-Type"] != "application/vnd.api+json":
            return self.reply(415)
        json.loads(body)
        (folder / f"{name}.{number}.json").write_bytes(body)
        return self.reply(200, b"{}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
(folder / "port.new").write_text(str(server.server_address[1]))
(folder / "port.new").rename(folder / "port")
server.serve_forever()
