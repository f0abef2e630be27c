"""The mirror's walls, each with what takes it out of nginx' configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Change = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Wall:
    """`directives` are the names of those that it consists of."""

    directives: tuple[str, ...]
    change: Change


def without(line: str, instead: str = "", *, also: tuple[str, ...] = ()) -> Wall:
    """Each line that is so, by a regular expression, becomes another; ValueError where none is."""

    def change(text: str) -> str:
        found, count = re.subn(rf"^ *{line}\n", instead, text, flags=re.MULTILINE)
        if not count:
            raise ValueError(f"no such line: {line}")
        return found

    name = re.match(r"[a-z_]+", line)
    assert name is not None
    return Wall(directives=(name[0], *also), change=change)


def _block(begins: str) -> str:
    """A block of one line within."""
    return rf"{begins} \{{\n.*\n *\}}"


READY = 'location = /ready { return 200 "ready"; }\n        '
"""The first mirror says in its place that nginx is there."""


def _no_default(text: str) -> str:
    start = text.index("    # Whoever names no mirror is told so.")
    rest = text[text.index("    server {", text.index("return 421")) :]
    named = "listen "
    return text[:start] + rest.replace(named, f"{READY}{named}", 1)


def _any_page(text: str) -> str:
    return re.sub(r'location ~ "[^\n]*" \{', 'location ~ "^/(?<page>.*)$" {', text)


def _more_behind_pages(text: str) -> str:
    return re.sub(r'(location ~ "[^\n]*)\$" \{', r'\1" {', text)


WALLS: Mapping[str, Wall] = {
    "certificate": without("proxy_ssl_verify on;", "proxy_ssl_verify off;\n"),
    "certificate's name": without("proxy_ssl_name .*;", "proxy_ssl_name registry.npmjs.org;\n"),
    "server name": without("proxy_ssl_server_name on;"),
    "host": without("proxy_set_header Host .*;", "proxy_set_header Host $http_host;\n"),
    "form": without("proxy_set_header Accept .*;", "proxy_set_header Accept $http_accept;\n"),
    "encoding": without("proxy_set_header Accept-Encoding .*;"),
    "name of the client": without("proxy_set_header User-Agent .*;"),
    "headers": without("proxy_pass_request_headers off;"),
    "body": without("proxy_pass_request_body off;"),
    "method": without(_block(r"if \(\$request_method .*\)"), also=("return",)),
    "GET alone": without("proxy_method GET;"),
    "no body": without(_block(r"if \(\$has_body\)"), also=("map",)),
    "size of a body": without("client_max_body_size 1;", "client_max_body_size 1k;\n"),
    "no chunks": without(_block(r"if \(\$http_transfer_encoding\)")),
    "no query": without(_block(r"if \(\$args\)")),
    "mirrors' names": Wall(directives=("server", "server_name", "listen"), change=_no_default),
    "pages": Wall(directives=("location", "proxy_pass"), change=_any_page),
    "ends of pages": Wall(directives=("location",), change=_more_behind_pages),
    "registries' word on keeping": without("proxy_ignore_headers .*;"),
    "cookies": without("proxy_hide_header Set-Cookie;"),
    "promises of TLS": without("proxy_hide_header Strict-Transport-Security;"),
    "key by page": without("proxy_cache_key .*;", 'proxy_cache_key "one";\n'),
    "key by form": without(r'proxy_cache_key "(\S+) .*;', 'proxy_cache_key "\\1 $page";\n'),
    "key by registry": without("proxy_cache_key .*;", 'proxy_cache_key "$page";\n'),
    "large files": without(r"proxy_no_cache \$unkept_file;"),
    "large lists": without(r"proxy_no_cache \$unkept_list;"),
    "addresses": without("sub_filter .*;"),
    "all addresses": without("sub_filter_once off;"),
    "addresses in every form": without("sub_filter_types .*;"),
    "connections": without("limit_conn sandboxes .*;", also=("limit_conn_zone",)),
    "beginnings that end": without("client_header_timeout .*;"),
    "journal": without("access_log .* packages;", "access_log off;\n", also=("log_format",)),
    "version": without("server_tokens off;"),
}
"""By name."""
