"""The same secrets as programs really write them: escaped, in colour, as headers in lists, in files
of credentials. What is in the way is what a pattern must get over."""

from __future__ import annotations

from tests.observability.logs.planted import Planted, some

_GITHUB = "gh" + "p_" + some(36)
_OPENAI = "s" + "k-proj-" + some(32)
_BASIC = "dXNlcjpwYXNz"
_BLUE, _PLAIN = "\x1b[36m", "\x1b[0m"


def _form(pattern: str, line: str, secret: str) -> Planted:
    assert line.count(secret) == 1
    return Planted(pattern=pattern, lines=(line,), secret=(secret,))


FORMS: tuple[Planted, ...] = (
    # Before the token stands an escaped character, the last letter of a colour, or a number.
    _form("github", '{"log":"cloned with\\n' + _GITHUB + '"}', _GITHUB),
    _form("github", "GET /?q=token%20" + _GITHUB, _GITHUB),
    _form("sk-key", _BLUE + _OPENAI + _PLAIN, _OPENAI),
    _form("sk-key", '{"log":"\\u001b[36m' + _OPENAI + '"}', _OPENAI),
    # Forms of tokens that are newer or rarer.
    _form("github", "ran as gh" + "s_" + some(20) + "." + some(30)[::-1], some(30)[::-1]),
    _form("gitlab", "runner gl" + "rtr-" + some(20), some(20)),
    _form("gitlab", "application gl" + "oas-" + some(40), some(40)),
    _form("sk-key", "s" + "k-ant-api03-" + some(40) + "-AA", some(40)),
    _form("slack", "xo" + "xe.xo" + "xp-1-" + some(30), some(30)),
    _form("stripe", "wh" + "sec_" + some(16) + "/" + some(12)[::-1], some(12)[::-1]),
    _form("google-key", "key AQ" + ".Ab8" + some(40), some(40)),
    _form("google-oauth", "refreshed 1/" + "/0" + some(40), some(40)),
    _form("jwt", "ey" + "JhbGciOiJkaXIifQ.." + some(16) + "." + some(20)[::-1], some(20)[::-1]),
    _form("jwt", "registry auth ey" + "J1c2VybmFtZSI6-" + some(20), some(20)),
    _form("vendor", "dckr" + "_pat_" + some(27), some(27)),
    _form("vendor", "gl" + "sa_" + some(32), some(32)),
    _form("vendor", "gs" + "k_" + some(52), some(52)),
    _form("vendor", "azure abc8" + "Q~" + some(34), some(34)),
    _form("vendor", "to bot123456789" + ":AA" + some(33), some(33)),
    _form("vendor", "S" + "G." + some(22) + "." + some(43), some(43)),
    _form("vendor", "tskey" + "-auth-" + some(12) + "-" + some(30)[::-1], some(30)[::-1]),
    _form("hook", "https://discord.com/api/webhooks/12345/" + some(40), some(40)),
    # Sessions of AWS.
    _form("named-in-quotes", '"SessionToken": "IQoJ' + some(60) + '"', some(60)),
    _form("named", "AWS_SESSION_TOKEN=IQoJb3//abc/def/ghi==", "/abc/def"),
    _form("named-element", "<SecretAccessKey>wJalr/bPxRfi/ab</SecretAccessKey>", "wJalr/bPxRfi"),
    # Passwords in addresses.
    _form("url-password", "postgres://corral:p@ss4word@db/work", "ss4word"),
    _form("url-password", "redis://:hunter22@cache:6379", "hunter22"),
    _form("url-token", "https://" + some(30) + "@sentry.example.org/4", some(30)),
    _form("code-in-address", "GET /callback?code=" + some(40) + "&state=x", some(40)),
    # Headers: as Python, Go, Node and JSON print them.
    _form("header-in-pair", f"[(b'Authorization', b'Basic {_BASIC}')]", _BASIC),
    _form("header-in-pair", f'["Authorization", "Basic {_BASIC}"]', _BASIC),
    _form("header-in-pair", "[(b'Set-Cookie', b'sid=abc123; Path=/')]", "abc123"),
    _form("header-in-pair", "[(b'x-api-key', b'" + some(20) + "')]", some(20)),
    _form("authorization", f"map[Authorization:[Basic {_BASIC}] Accept:[*/*]]", _BASIC),
    _form("authorization", f"{{ authorization: [ 'Basic {_BASIC}' ] }}", _BASIC),
    _form("authorization", f'{{"Authorization": ["Basic {_BASIC}"]}}', _BASIC),
    _form(
        "authorization",
        'Authorization: Digest username="joe", realm="x", response="0123456789abcdef"',
        "0123456789abcdef",
    ),
    _form("cookie", "map[Cookie:[sid=abc123def]]", "abc123def"),
    _form("cookie", "<Cookie session=abc123def for example.org/>", "abc123def"),
    # A key in YAML, each line of which is further to the right.
    Planted(
        pattern="private-key",
        lines=(
            "  key: |",
            "    -----BEGIN " + "PRIVATE KEY-----",
            *("    " + some(64, of=some(62)[n:] + some(62)[:n]) for n in range(4)),
            "    " + some(25)[::-1],
            "    -----END " + "PRIVATE KEY-----",
            "  port: 22",
        ),
        secret=(some(64), some(25)[::-1]),
        stays=("key: |", "port: 22"),
    ),
    Planted(
        pattern="end-of-private-key",
        lines=("    tailOfAKey9", "    -----END " + "PRIVATE KEY-----", "and on"),
        secret=("tailOfAKey9",),
        stays=("and on",),
    ),
    # Files of credentials, on one line and on several.
    _form("netrc", "machine example.org login joe password hunter22", "hunter22"),
    Planted(
        pattern="netrc-line",
        lines=("machine example.org", "  login joe", "  password hunter22"),
        secret=("hunter22",),
        stays=("machine example.org", "login joe"),
    ),
    _form("docker-login", f'{{"auths":{{"ghcr.io":{{"auth":"{_BASIC}"}}}}}}', _BASIC),
    _form("named", f"//registry.example.org/:_auth={_BASIC}", _BASIC),
    _form("named", "    token: abcdef.0123456789abcdef", "0123456789abcdef"),
    _form("named", "    client-key-data: LS0tLS1CRUdJTi/abc/def/ghi", "/abc/def"),
    _form("user-option", "+ curl -u joe:hunter22 https://example.org", "hunter22"),
    # Names and values: in colours, escaped twice, cut, with quotes inside, side by side.
    _form("named", f"{_BLUE}password{_PLAIN}={_BLUE}hunter2hunter{_PLAIN}", "hunter2hunter"),
    _form("named", "password1=hunter22", "hunter22"),
    _form("named", "password=&quot;hunter22&quot;", "hunter22"),
    _form("named", "GET /?password%3Dhunter22", "hunter22"),
    _form("variable", "export OPENAI_KEY=" + some(32), some(32)),
    _form("variable", "'DEPLOY_KEY': 'hunter 22 and more'", "hunter 22"),
    _form("variable", 'env={"DEPLOY_KEY": "' + some(32) + '"}', some(32)),
    _form("named", "OCP_SUBSCRIPTION_KEY=" + some(32), some(32)),
    _form("named-in-json-in-json", '\\\\\\"password\\\\\\": \\\\\\"hunter22\\\\\\"', "hunter22"),
    _form("named-in-json-in-json", '{\\"password\\": \\"abcd\\\\u0026of it\\"}', "of it"),
    _form("named-in-single-quotes", "password = 'it\\'s a secret'", "a secret"),
    _form("named-in-single-quotes", "{'password': b'hunter 22'}", "hunter 22"),
    _form("named-in-quotes", '{"password": "hunter 22 and mor', "hunter 22"),
    _form("named-in-quotes", '{"password": ["hunter 22"]}', "hunter 22"),
    _form("named-beside", '{"name":"DB_PASSWORD","value":"hunter 22"}', "hunter 22"),
    _form("named-beside", '{\\"name\\":\\"DB_PASSWORD\\",\\"value\\":\\"hunter 2\\"}', "hunter 2"),
)
