"""What is taken out of every line before it leaves its node, as data.

Regular expressions of RE2 (https://github.com/google/re2/wiki/Syntax). `corral.settings.secrecy`
looks for the same kinds in values of settings, where a whole value is hidden: here only the secret
is, and what tells a secret from a name has to come from the text around it.

What none of this can know: passwords in prose, secrets in hexadecimal or of letters alone without
a name before them, anything short in base64, a value on another line than its name, and whatever
somebody writes so that it isn't found (reversed, with spaces, letter by letter, over the end of a
piece of 256 KiB). What mustn't be in logs, mustn't be logged.
"""

from __future__ import annotations

from dataclasses import dataclass

_NAMES = (
    "passw(?:or)?d|passphrase|passcode|[a-z]_pass|pwd|secret|token|_auth|credentials?"
    "|(?:api|access|account|auth|encryption|master|private|secret|session|signing|subscription)"
    "[_-]?key(?:[_-]?(?:id|data))?|key[_-]?data|client[_-]?secret"
)
_NAMES_NEED = ("pass", "pwd", "secret", "token", "_auth", "credential", "key")
_QUOTE = r"(?:\\*[\"']|&quot;|&#3[49];|%22)"
_COLOUR = r"(?:\x1b\[[0-9;]*m|\\u001[bB]\[[0-9;]*m|\\x1[bB]\[[0-9;]*m)*"
_IS = rf"{_COLOUR}\s*(?:=>|:=|[:=]|%3[ADad])\s*{_COLOUR}"
"""What stands between a name and its value: programs print in colours, and encode what they say."""
_MANY = r"(?:\[\s*)?"
"""Headers come in lists."""
_NAMED = rf"(?:{_NAMES})(?:[_-]?(?:value|[0-9]{{1,3}}))?{_QUOTE}?{_IS}{_MANY}"
_MIXED = "(?:[A-Z][A-Za-z0-9+]*[0-9+]|[0-9+][A-Za-z0-9+]*[A-Z])"
_FIRST = r"(\b|\\[abefnrtv0]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}|\[[0-9;]{1,8}m)"
"""Where a token begins: behind an escaped character, a colour too, whose last letter is one of a
word: `\nghp_…` in a string of JSON."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One kind of secret. What `kept` names of the expression's groups stays before the mark."""

    name: str
    expression: str
    kept: str = ""
    after: str = ""
    """What it ends with, and stays."""
    needs: tuple[str, ...] = ()
    """Texts, in small letters: one of them is in whatever it finds. Looking for them costs next to
    nothing; a line without any isn't compared with the expression."""

    @property
    def replacement(self) -> str:
        """What stands in its place."""
        return f"{self.kept}[redacted:{self.name}]{self.after}"


def _token(name: str, needs: str, expression: str) -> Pattern:
    return Pattern(
        name=name, needs=tuple(needs.split()), expression=_FIRST + expression, kept="${1}"
    )


PATTERNS: tuple[Pattern, ...] = (
    # Over lines: the receiver joins those of a key before this sees them.
    Pattern(
        name="private-key",
        needs=("private key",),
        expression=r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    # What is left of one that was cut in two.
    Pattern(
        name="end-of-private-key",
        needs=("private key",),
        expression=r"(?:[ \t]*[A-Za-z0-9+/=]+(?:\r?\n|\\n))*[ \t]*-----END [A-Z0-9 ]*PRIVATE KEY"
        r"(?: BLOCK)?-----",
    ),
    _token(
        "aws-key-id",
        "akia asia aroa aida abia acca",
        r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}\b",
    ),
    _token(
        "github",
        "gho_ ghp_ ghr_ ghs_ ghu_",
        r"gh[oprsu]_[A-Za-z0-9][A-Za-z0-9_.-]{19,}",
    ),
    _token(
        "github-fine",
        "github_pat_",
        r"github_pat_[A-Za-z0-9_]{20,}",
    ),
    _token(
        "gitlab",
        "glpat- glptt- gldt- glrt- glrtr- glcbt- glagent- glsoat- glft- gloas- glimt- glffct-"
        " glwt-",
        r"gl(?:pat|ptt|dt|rt|rtr|cbt|agent|soat|ft|oas|imt|ffct|wt)-"
        r"[A-Za-z0-9_.-]{16,}",
    ),
    _token(
        "slack",
        "xox",
        r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}",
    ),
    _token(
        "slack-app",
        "xapp-",
        r"xapp-[0-9]-[A-Za-z0-9-]{8,}",
    ),
    _token(
        "sk-key",
        "sk-",
        r"c?sk-[A-Za-z0-9_-]{16,}",
    ),
    _token(
        "stripe",
        "sk_ rk_ whsec_",
        r"(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9+/]{16,}={0,2}",
    ),
    _token(
        "google-key",
        "aiza aq.",
        r"(?:AIza[A-Za-z0-9_-]{30,}|AQ\.[A-Za-z0-9_-]{30,})",
    ),
    _token(
        "google-oauth",
        "ya29. gocspx- 1//0",
        r"(?:ya29\.[A-Za-z0-9_.-]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}"
        r"|1//0[A-Za-z0-9_-]{20,})",
    ),
    _token(
        "npm",
        "npm_",
        r"npm_[A-Za-z0-9]{30,}",
    ),
    _token(
        "pypi",
        "pypi-",
        r"pypi-[A-Za-z0-9_-]{30,}",
    ),
    _token(
        "hugging-face",
        "hf_",
        r"hf_[A-Za-z0-9]{20,}",
    ),
    _token(
        "digitalocean",
        "doo_v1_ dop_v1_ dor_v1_",
        r"do[opr]_v1_[a-f0-9]{40,}",
    ),
    _token(
        "vault",
        "hvs. hvb. hvr.",
        r"hv[sbr]\.[A-Za-z0-9_-]{20,}",
    ),
    _token(
        "eks-token",
        "k8s-aws-v1.",
        r"k8s-aws-v1\.[A-Za-z0-9_-]{8,}",
    ),
    _token(
        "pulumi",
        "pul-",
        r"pul-[0-9a-f]{20,}",
    ),
    _token(
        "pulumi-ciphertext",
        "v1:",
        r"v1:[A-Za-z0-9+/]{12,}={0,2}:[A-Za-z0-9+/]+={0,2}",
    ),
    # What begins as JSON does, in base64: a second part may be empty, or there is none.
    _token(
        "jwt",
        "eyj",
        r"eyJ[A-Za-z0-9_-]{12,}(?:\.[A-Za-z0-9_-]*){0,4}",
    ),
    _token(
        "vendor",
        "dckr_ dapi lin_api_ ntn_ glsa_ glc_ shpat_ shpca_ shppa_ shpss_ atatt3 nrak- sntrys_"
        " sntryu_ sbp_ sb_secret_ gsk_ xai- r8_ pplx- tskey- fm2_ hrku- lsv2_ age-secret-key-1"
        " pmak- dp.pt. dp.st. dp.ct. dp.sa. rubygems_ sg. 8q~ :aa",
        r"(?:dckr_[op]at_|dapi|lin_api_|ntn_|gl(?:sa|c)_|shp(?:at|ca|pa|ss)_|ATATT3"
        r"|NRAK-|sntry[su]_|sbp_|sb_secret_|gsk_|xai-|r8_|pplx-|tskey-[a-z]+-|fm2_|HRKU-"
        r"|lsv2_(?:pt|sk)_|AGE-SECRET-KEY-1|PMAK-|dp\.(?:pt|st|ct|sa)\.|rubygems_|SG\."
        r"|[A-Za-z0-9]{3}8Q~|(?:bot)?[0-9]{8,10}:AA)[A-Za-z0-9_=.~-]{20,}",
    ),
    Pattern(
        name="hook",
        needs=("hooks.slack.com/", "/api/webhooks/"),
        expression=r"((?:hooks\.slack\.com/(?:services|workflows)"
        r"|discord(?:app)?\.com/api/webhooks/[0-9]+)/)[A-Za-z0-9/_-]+",
        kept="${1}",
    ),
    Pattern(
        name="url-password",
        needs=("://",),
        expression=r"([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@\"']*:)[^\s/\"']+@",
        kept="${1}",
        after="@",
    ),
    Pattern(
        name="url-token",
        needs=("://",),
        expression=r"([a-zA-Z][a-zA-Z0-9+.-]*://)[A-Za-z0-9_.~%+-]{20,}@",
        kept="${1}",
        after="@",
    ),
    Pattern(
        name="authorization",
        needs=("authorization",),
        expression=rf"(?i)((?:proxy-)?authorization{_QUOTE}?{_IS}{_MANY}(?:b?{_QUOTE})?"
        r"(?:(?:basic|bearer|token|apikey|negotiate|digest|aws4-hmac-sha256)\s+)?)"
        r"(?:(?:[a-z0-9_-]+=(?:\\*\"[^\"\\]*\\*\"|[^\s\"',;\\]+),?\s*)+|[^\s\"',;\]]{4,})",
        kept="${1}",
    ),
    Pattern(
        name="bearer",
        needs=("bearer",),
        expression=r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{12,}",
        kept="${1}",
    ),
    Pattern(
        name="cookie",
        needs=("cookie",),
        expression=rf"(?i)((?:set-)?cookie(?:{_QUOTE}?{_IS}{_MANY}(?:b?{_QUOTE})?|\s+[^\s=]+=))"
        r"[^\"'\r\n\]>]{4,}",
        kept="${1}",
    ),
    Pattern(
        name="header-in-pair",
        needs=("authorization", "cookie", *_NAMES_NEED),
        expression=rf"(?i)((?:{_QUOTE}(?:(?:proxy-)?authorization|(?:set-)?cookie)"
        rf"|\(\s*b?{_QUOTE}[a-z0-9_-]*(?:{_NAMES})){_QUOTE}\s*,\s*b?{_QUOTE})[^\"'\\]{{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="signed-address",
        needs=("sig=", "signature=", "credential="),
        expression=r"(?i)([?&](?:sig|signature|x-amz-signature|x-amz-credential|x-goog-signature)=)"
        r"[^\s&\"']+",
        kept="${1}",
    ),
    Pattern(
        name="code-in-address",
        needs=("code=", "ticket=", "assertion="),
        expression=r"(?i)([?&](?:code|ticket|assertion)=)[^\s&\"']{16,}",
        kept="${1}",
    ),
    # What ends in a quote may have been cut before it.
    Pattern(
        name="named-in-quotes",
        needs=_NAMES_NEED,
        expression=rf"(?i)({_NAMED}b?\")(?:[^\"\\]|\\.){{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="named-in-json-in-json",
        needs=_NAMES_NEED,
        expression=rf"(?i)({_NAMED}\\+\")(?:[^\"\\]|\\+[^\"\\]){{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="named-in-single-quotes",
        needs=_NAMES_NEED,
        expression=rf"(?i)({_NAMED}b?')(?:[^'\\]|\\.){{4,}}",
        kept="${1}",
    ),
    # {"name": "DB_PASSWORD", "value": "…"}, as pods have it.
    Pattern(
        name="named-beside",
        needs=_NAMES_NEED,
        expression=rf"(?i)({_QUOTE}(?:name|key){_QUOTE}\s*:\s*{_QUOTE}[a-z0-9_.-]*(?:{_NAMES})"
        rf"[a-z0-9_.-]*{_QUOTE}\s*,\s*{_QUOTE}value{_QUOTE}\s*:\s*{_QUOTE})[^\"'\\]{{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="named-element",
        needs=_NAMES_NEED,
        expression=rf"(?i)(<[a-z0-9:_-]*(?:{_NAMES})(?:\s[^<>]*)?>)[^<]{{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="docker-login",
        needs=("auth",),
        expression=rf"(?i)({_QUOTE}auth{_QUOTE}\s*:\s*{_QUOTE})[a-z0-9+/=_-]{{4,}}",
        kept="${1}",
    ),
    Pattern(
        name="netrc",
        needs=("login",),
        expression=r"(?im)(\blogin\s+\S+\s+(?:account\s+\S+\s+)?password\s+)\S+",
        kept="${1}",
    ),
    Pattern(
        name="netrc-line",
        needs=("password",),
        expression=r"(?m)^(\s*password[ \t]+)\S*[^a-z\s]\S*[ \t]*$",
        kept="${1}",
    ),
    Pattern(
        name="user-option",
        needs=("-u",),
        expression=r"(\s(?:-u|--user)(?:\s+|=)[\"']?[A-Za-z][^\s:\"']*:)[^\s\"']+",
        kept="${1}",
    ),
    Pattern(
        name="named",
        needs=_NAMES_NEED,
        # `tokens: 512` names none, nor do five characters make one.
        expression=rf"(?i)({_NAMED}(?:&quot;|&#3[49];|%22)?)"
        r"(?:[^\s\"'\\,;&<>\[\](){}\x1b]|\\[^\snrt\"'\\]){6,}",
        kept="${1}",
    ),
    # In capitals, as variables of the environment are: a `sort_key` is none.
    Pattern(
        name="variable",
        needs=("_key",),
        expression=r"(\b[A-Z][A-Z0-9_]*_KEY(?:\\*[\"'])?\s*[=:]\s*)"
        r"(?:\\*\"[^\"\\\[][^\"\\]{5,}|'[^'\[][^']{5,}|[^\s\"'\\\[][^\s\"'\\]{7,})",
        kept="${1}",
    ),
    Pattern(
        name="option",
        needs=_NAMES_NEED,
        expression=rf"(?i)(--?(?:[a-z0-9-]*-)?(?:{_NAMES})\s+)[^\s\"'-][^\s\"']{{5,}}",
        kept="${1}",
    ),
    # Digests in hexadecimal have no upper case, and parts of a path are shorter or without digits.
    Pattern(
        name="base64-line",
        expression=r"(?m)^[ \t]*[a-z0-9+]*[A-Z][A-Za-z0-9+/]{39,}={0,2}$",
    ),
    Pattern(
        name="base64",
        expression=rf"[A-Za-z0-9+/]*(?:{_MIXED}[A-Za-z0-9+]{{20,}}|[A-Za-z0-9+]{{20,}}{_MIXED})"
        r"[A-Za-z0-9+/]*={0,2}",
    ),
)
