"""Secrets that somebody might log, and lines that hold none. Nothing here opens anything; each is
put together from parts so that nobody who looks for keys in sources finds any."""

from __future__ import annotations

from dataclasses import dataclass

_LETTERS = "q7lm2zt9rb4xc8vn1kd6hs3wp5yg0jf"
_MIXED = "q7Lm2Zt9Rb4Xc8Vn1Kd6Hs3Wp5Yg0Jf"


def some(count: int, *, of: str = _LETTERS) -> str:
    """That many characters that look random; small ones, that no rule for base64 finds."""
    return (of * (count // len(of) + 1))[:count]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Lines, the parts of them that are secret, and what they say besides."""

    pattern: str
    """The only one that finds it."""
    lines: tuple[str, ...]
    secret: tuple[str, ...]
    stays: tuple[str, ...] = ()


def _one(pattern: str, before: str, secret: str, after: str = " tail") -> Planted:
    return Planted(
        pattern=pattern,
        lines=(f"{before}{secret}{after}",),
        secret=(secret,),
        stays=tuple(part for part in (before.split(" ", maxsplit=1)[0], after) if part),
    )


_BEGIN, _END = "-----BEGIN ", "-----END "
_LINE = some(30)

PLANTED: tuple[Planted, ...] = (
    Planted(
        pattern="private-key",
        lines=(f"{_BEGIN}EC PRIVATE KEY-----", _LINE, "the next line"),
        secret=(_LINE,),
        stays=("the next line",),
    ),
    Planted(
        pattern="private-key",
        lines=(
            f"{_BEGIN}RSA PRIVATE KEY-----",
            "Proc-Type: 4,ENCRYPTED",
            "DEK-Info: AES-256-CBC," + "5A1B" * 4,
            "",
            *(some(64, of=_LETTERS[n:] + _LETTERS[:n]) for n in range(6)),
            some(25)[::-1] + "8w==",
            f"{_END}RSA PRIVATE KEY-----",
            "after it",
        ),
        secret=("5A1B" * 4, some(64), some(25)[::-1]),
        stays=("after it",),
    ),
    Planted(
        pattern="private-key",
        lines=(
            'config {"pem": "' + f"{_BEGIN}OPENSSH PRIVATE KEY-----\\n" + "b3BlbnNzaC1r" + "\\n"
            f"{_END}OPENSSH PRIVATE KEY-----" + '\\n", "user": "acme"}',
        ),
        secret=("b3BlbnNzaC1r",),
        stays=('"user": "acme"',),
    ),
    Planted(
        pattern="end-of-private-key",
        lines=("tailOfAKey9", f"{_END}PRIVATE KEY-----", "and on"),
        secret=("tailOfAKey9",),
        stays=("and on",),
    ),
    _one("aws-key-id", "id ", "AK" + "IA" + "Q3EGXN5T7UZ2WLMA"),
    _one("github", "cloned with ", "gh" + "p_" + some(36)),
    _one("github-fine", "cloned with ", "github" + "_pat_" + some(12) + "_" + some(30)),
    _one("gitlab", "pushed with ", "gl" + "pat-" + some(20)),
    _one("slack", "posted by ", "xo" + "xb-" + "123456789012-" + some(24)),
    _one("slack-app", "socket of ", "xa" + "pp-1-A0123-" + some(24)),
    _one("hook", "to https://hooks.slack.com/services/", "T01/B02/" + some(24)),
    _one("sk-key", "called with ", "s" + "k-proj-" + some(32)),
    _one("stripe", "paid by ", "s" + "k_live_" + some(24)),
    _one("google-key", "maps ", "AI" + "za" + "-".join([some(11)] * 3)),
    _one("google-oauth", "login ", "ya" + "29." + some(30)),
    _one("npm", "publish ", "np" + "m_" + some(36)),
    _one("pypi", "upload ", "py" + "pi-agei" + some(40, of="ab1_")),
    _one("hugging-face", "model ", "h" + "f_" + some(34)),
    _one("digitalocean", "droplet ", "do" + "p_v1_" + "0a1b2c3d" * 8),
    _one("vault", "unsealed ", "hv" + "s." + some(24)),
    _one("eks-token", "kubectl ", "k8s-aws-v1" + ".aHR0cHM6Ly9zdHM"),
    _one("pulumi", "logged in ", "pu" + "l-" + "0a1b2c3d4e" * 4),
    _one("pulumi-ciphertext", "state ", "v" + "1:" + some(16) + ":" + some(24)),
    _one(
        "jwt", "session ", "ey" + "JhbGciOiJFUzI1NiJ9." + some(30) + "." + some(20) + "-" + some(9)
    ),
    _one("url-password", "postgres://corral:", "hunter2!", "@db.acme:5432/work"),
    _one("url-password", "https://oauth2:", "hunter3", "@git.example.org/a.git"),
    _one("authorization", "Authorization: Basic ", "dXNlcjpwYXNz", ""),
    _one("authorization", '{"authorization": "Digest ', "abc9", '", "path": "/v1"}'),
    _one("bearer", "curl said Bearer ", some(16), " was refused"),
    _one("cookie", "Set-Cookie: ", "sid=abc123; Path=/", ""),
    _one("signed-address", "GET /file?se=2026&sig=", "q7Lm2Zt9%2B", "&x=1"),
    _one("named", "AWS_SECRET_ACCESS_KEY=", "wJalrX/bPxRfi"),
    _one("named-in-quotes", '{"password": "', "correct horse", '", "user": "acme"}'),
    _one("named-in-json-in-json", '"{\\"api_key\\": \\"', "abc123def", '\\", \\"n\\": 1}"'),
    _one("named-in-single-quotes", "db.password = '", "it is a secret", "' # local"),
    _one("named", "X-Vault-Token: ", "root-of-all", ""),
    _one("option", "ran mysql --password ", "hunter2hunter2"),
    _one("base64", "blob ", some(48, of=_MIXED)),
    _one("base64-line", "", "/".join([some(9, of=_MIXED)] * 5), ""),
)

ORDINARY: tuple[str, ...] = (
    "Listening on http://0.0.0.0:8080/health",
    "pulled registry.example.org/agent@sha256:" + "0123456789abcdef" * 4,
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by someone@example.org",
    "usage: prompt_tokens=1512 completion_tokens: 212, total tokens: 1724",
    "request 550e8400-e29b-41d4-a716-446655440000 took 12.5ms",
    '{"level":"info","msg":"done","tokens":512,"path":"/usr/lib/python3.11/site-packages/x.py"}',
    "Traceback (most recent call last):",
    '  File "/work/agent/main.py", line 12, in <module>',
    "    raise ValueError('no such key: name')",
    "2026-11-23T12:00:00Z stdout F this line only looks like containerd's",
    "Zeile mit Umlauten: äöüß, 日本語, 🚀",
    "at com.example.VeryLongClassNameOfAnEnterpriseFramework.AbstractSingleton(Main.java:42)",
    "GET https://api.example.org/v1/items?page=2&sort=name 200",
    "/home/agent/workspace/MyProject2/components/observability/stack/values",
    "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "ssh-keygen wrote the public half: ok",
    "tokenizer loaded: cl100k_base, max_tokens=4096",
    "password incorrect for user joe",
    "  password changed",
    "primary_key: identifier_of_it, sort_key=created_at, PRIMARY KEY (tenant)",
    "passwords must match; secretName: db-login",
    "docker run -u 1000:1000 image; git clone ssh://git@github.com/org/repo.git",
    "GET http://api:8080/users/joe@example.org?code=404",
    "map[Accept:[*/*] Content-Type:[application/json]]",
    "task-management-of-something-long is done; cookies: none",
    '{"required":["token","user_identifier"],"type":"password"}',
    "",
    "ok",
)
