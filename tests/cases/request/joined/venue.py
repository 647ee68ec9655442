# SPDX-License-Identifier: Apache-2.0
"""One request that others made and spoke of; it takes votes and comments, and may be closed."""
import http.server
import json
import os

issue = {"number": 7, "html_url": "https://github.com/o/r/issues/7", "title": "Carbon by the hour",
         "state": "open", "comments": 3, "reactions": {"+1": 12}}


class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        body = dict(issue, comments=issue["comments"] + os.path.exists("spoken"))
        if path == "/search/issues":
            body = {"total_count": 1, "items": [issue]}
        elif path.endswith("/comments") and self.command == "GET":
            body = []
        elif path.endswith("/comments"):
            issue["comments"] += 1
        elif path.endswith("/reactions"):
            issue["reactions"]["+1"] += 1
        with open("asked.txt", "a", encoding="utf-8") as asked:
            asked.write(f"{self.command} {path}\n")
        is_broken = os.path.exists("broken")
        text = b"{" if is_broken else json.dumps(body).encode()
        self.send_response(500 if is_broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PATCH = do_GET

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Venue)
with open("port.new", "w", encoding="utf-8") as port:
    port.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
