"""What is taken out of every line before it leaves its node, as data.

Regular expressions of RE2 (https://github.com/google/re2/wiki/Syntax). `corral.settings.secrecy`
looks for the same kinds in values of settings, where a whole value is hidden: here only the secret
is, and what tells a secret from a name has to come from the text around it.

What none of this can know: passwords in prose, secrets in hexadecimal or of letters alone without
a name before them, anything short in base64, and whatever somebody writes so that it isn't found
(reversed, with spaces, letter by letter). What mustn't be in logs, mustn't be logged.
"""

from __future__ import annotations

from dataclasses import dataclass

_NAMES = (
    "passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key"
    "|client[_-]?secret|secret[_-]?access[_-]?key|private[_-]?key|credentials?|session[_-]?key"
)

_NAMED = rf"(?:{_NAMES})(?:\\?[\"'])?\s*(?:=>|[:=])\s*"
_MIXED = "(?:[A-Z][A-Za-z0-9+]*[0-9+]|[0-9+][A-Za-z0-9+]*[A-Z])"


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One kind of secret. What `kept` names of the expression's groups stays before the mark."""

    name: str
    expression: str
    kept: str = ""
    after: str = ""
    """What it ends with, and stays."""

    @property
    def replacement(self) -> str:
        """What stands in its place."""
        return f"{self.kept}[redacted:{self.name}]{self.after}"


PATTERNS: tuple[Pattern, ...] = (
    # Over lines: the receiver joins those of a key before this sees them.
    Pattern(
        name="private-key",
        expression=r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    # What is left of one that was cut in two.
    Pattern(
        name="end-of-private-key",
        expression=r"(?:[A-Za-z0-9+/=]+(?:\r?\n|\\n))*-----END [A-Z0-9 ]*PRIVATE KEY"
        r"(?: BLOCK)?-----",
    ),
    Pattern(name="aws-key-id", expression=r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    Pattern(name="github", expression=r"\bgh[oprsu]_[A-Za-z0-9]{20,}"),
    Pattern(name="github-fine", expression=r"\bgithub_pat_[A-Za-z0-9_]{20,}"),
    Pattern(
        name="gitlab", expression=r"\bgl(?:pat|ptt|dt|rt|cbt|agent|soat|ft)-[A-Za-z0-9_.-]{16,}"
    ),
    Pattern(name="slack", expression=r"\bxox[a-z]-[A-Za-z0-9-]{8,}"),
    Pattern(name="slack-app", expression=r"\bxapp-[0-9]-[A-Za-z0-9-]{8,}"),
    Pattern(
        name="slack-hook",
        expression=r"(hooks\.slack\.com/(?:services|workflows)/)[A-Za-z0-9/_-]+",
        kept="${1}",
    ),
    Pattern(name="sk-key", expression=r"\bsk-[A-Za-z0-9_-]{16,}"),
    Pattern(name="stripe", expression=r"\b(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}"),
    Pattern(name="google-key", expression=r"\bAIza[A-Za-z0-9_-]{30,}"),
    Pattern(name="google-oauth", expression=r"\b(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{16,}"),
    Pattern(name="npm", expression=r"\bnpm_[A-Za-z0-9]{30,}"),
    Pattern(name="pypi", expression=r"\bpypi-[A-Za-z0-9_-]{30,}"),
    Pattern(name="hugging-face", expression=r"\bhf_[A-Za-z0-9]{20,}"),
    Pattern(name="digitalocean", expression=r"\bdo[opr]_v1_[a-f0-9]{40,}"),
    Pattern(name="vault", expression=r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    Pattern(name="eks-token", expression=r"\bk8s-aws-v1\.[A-Za-z0-9_-]{8,}"),
    Pattern(name="pulumi", expression=r"\bpul-[0-9a-f]{20,}"),
    Pattern(
        name="pulumi-ciphertext", expression=r"\bv1:[A-Za-z0-9+/]{12,}={0,2}:[A-Za-z0-9+/]+={0,2}"
    ),
    Pattern(
        name="jwt",
        expression=r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,3}",
    ),
    Pattern(
        name="url-password",
        expression=r"([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@\"']*:)[^\s/@\"']+@",
        kept="${1}",
        after="@",
    ),
    Pattern(
        name="authorization",
        expression=r"(?i)((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?"
        r"(?:(?:basic|bearer|token|apikey|negotiate|digest|aws4-hmac-sha256)\s+)?)[^\s\"',;]{4,}"
        r"(?:,\s*[A-Za-z]+=[^\s\"',;]+)*",
        kept="${1}",
    ),
    Pattern(
        name="bearer",
        expression=r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{12,}",
        kept="${1}",
    ),
    Pattern(
        name="cookie",
        expression=r"(?i)((?:set-)?cookie[\"']?\s*[:=]\s*[\"']?)[^\"'\r\n]{4,}",
        kept="${1}",
    ),
    Pattern(
        name="signed-address",
        expression=r"(?i)([?&](?:sig|signature|x-amz-signature|x-amz-credential|x-goog-signature)=)"
        r"[^\s&\"']+",
        kept="${1}",
    ),
    Pattern(
        name="named-in-quotes",
        expression=rf"(?i)({_NAMED}\")(?:[^\"\\]|\\.){{4,}}\"",
        kept="${1}",
        after='"',
    ),
    Pattern(
        name="named-in-json-in-json",
        expression=rf"(?i)({_NAMED}\\\")[^\"\\]{{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="named-in-single-quotes",
        expression=rf"(?i)({_NAMED}')[^']{{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="named",
        # `tokens: 512` names none, nor do five characters make one.
        expression=rf"(?i)({_NAMED})[^\s\"'\\,;&<>\[\](){{}}]{{6,}}",
        kept="${1}",
    ),
    Pattern(
        name="option",
        expression=rf"(?i)(--?(?:[a-z0-9-]*-)?(?:{_NAMES})\s+)[^\s\"'-][^\s\"']{{5,}}",
        kept="${1}",
    ),
    # Digests in hexadecimal have no upper case, and parts of a path are shorter or without digits.
    Pattern(
        name="base64-line",
        expression=r"(?m)^[a-z0-9+]*[A-Z][A-Za-z0-9+/]{39,}={0,2}$",
    ),
    Pattern(
        name="base64",
        expression=rf"[A-Za-z0-9+/]*(?:{_MIXED}[A-Za-z0-9+]{{20,}}|[A-Za-z0-9+]{{20,}}{_MIXED})"
        r"[A-Za-z0-9+/]*={0,2}",
    ),
)
