"""What a mirror is asked that it refuses, and what must not be sent on."""

from __future__ import annotations

PYPI, NPM, GO = (f"{name}.packages.internal" for name in ("pypi", "npm", "go"))

LIST = "GET /simple/demo/"

REFUSED: dict[str, tuple[str, str, str, tuple[int, ...]]] = {
    # what begins the request, its host, the rest, and how it is refused
    **{f"{each} a page": (f"{each} /simple/demo/", PYPI, "", (405,))
       for each in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE")},
    "CONNECT to anywhere": ("CONNECT evil.example.org:443", "evil.example.org", "", (400, 405)),
    "an upload to PyPI": ("POST /legacy/", PYPI, "Content-Length: 4\r\n\r\nevil", (405,)),
    "npm publish": ("PUT /demo", NPM, "Content-Length: 2\r\n\r\n{}", (405,)),
    "a GET with a body": (LIST, PYPI, "Content-Length: 4\r\n\r\nevil", (413,)),
    "a GET in chunks": (LIST, PYPI, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
    "length and chunks": (
        LIST, PYPI, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 413)
    ),
    "two lengths": (LIST, PYPI, "Content-Length: 0\r\nContent-Length: 9\r\n\r\n", (400,)),
    "another host": ("GET /", "evil.example.org", "", (421,)),
    "metadata's address": ("GET /latest/meta-data/", "169.254.169.254", "", (421,)),
    "another host by its whole address": ("GET http://evil.example.org/x", PYPI, "", (421,)),
    "the registry by its whole address": ("GET https://pypi.org/simple/demo/", PYPI, "", (421,)),
    "two hosts": (LIST, PYPI, "Host: evil.example.org\r\n\r\n", (400,)),
    "a user in the host": (LIST, f"{PYPI}@evil.example.org", "", (400, 421)),
    "a page of another registry": (LIST, NPM, "", (404,)),
    "a query": (f"{LIST}?x=1", PYPI, "", (404,)),
    "out of the list by dots": ("GET /simple/../legacy/", PYPI, "", (404,)),
    "out of the root by dots": ("GET /../../etc/passwd", PYPI, "", (400, 404)),
    "dots that are encoded": ("GET /simple/%2e%2e/legacy/", PYPI, "", (404,)),
    "slashes that are encoded": ("GET /simple/demo%2f..%2f..%2flegacy/", PYPI, "", (404,)),
    "encoded twice": ("GET /simple/%252e%252e%252flegacy/", PYPI, "", (404,)),
    "a new line in the path": ("GET /demo%0d%0aX-Evil:1", NPM, "", (404,)),
    "an end in the path": ("GET /demo%00.tgz", NPM, "", (400, 404)),
    "a fragment": ("GET /demo%23x", NPM, "", (404,)),
    "a query that is encoded": ("GET /demo%3fwrite=true", NPM, "", (404,)),
    "npm's search": ("GET /-/v1/search", NPM, "", (404,)),
    "npm's accounts": ("GET /-/whoami", NPM, "", (404,)),
    "npm's audit": ("POST /-/npm/v1/security/audits", NPM, "", (405,)),
    "PyPI's pages for people": ("GET /project/demo/", PYPI, "", (404,)),
    "another checksum database": ("GET /sumdb/evil.example.org/latest", GO, "", (404,)),
    "a method that is none": ("G\x00T /", PYPI, "", (400,)),
}  # fmt: skip


def words(name: str) -> bytes:
    """One of them as it goes over the wire."""
    first, host, rest, _ = REFUSED[name]
    head = f"{first} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
    return (head + (rest or "\r\n")).encode()


BESIDES = {
    "X_Forwarded_Host": "evil.example.org",
    "X_Forwarded_For": "1.2.3.4",
    "X_Original_URL": "/legacy/",
    "X_Rewrite_URL": "/legacy/",
    "Forwarded": "host=evil",
    "Authorization": "Bearer secret",
    "Cookie": "a=b",
    "Range": "bytes=0-1",
    "X_HTTP_Method_Override": "PUT",
    "User_Agent": "data to be carried out",
    "Accept": "data to be carried out",
    "Accept_Encoding": "gzip",
    "Referer": "http://evil",
    "If_None_Match": "evil",
    "Upgrade": "websocket",
}
"""Headers that a client sends besides."""

SENT_ON = [
    "Accept-Encoding: identity",
    "Accept: text/html",
    "Host: pypi.org",
    "User-Agent: corral-packages",
]
"""All that a registry gets with a page of PyPI."""
