"""Signatures, by the examples that their makers publish and by what differs from them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from warden.inbound.signatures import NotSignedError, secret_of, verified

# https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
GITHUB_SECRET, GITHUB_BODY = b"It's a Secret to Everybody", b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

# https://docs.slack.dev/authentication/verifying-requests-from-slack
SLACK_SECRET, SLACK_TIME = b"8f742231b10e8888abcd99yyyzzz85a5", 1531420618
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmib"
    b"IGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK = {
    "X-Slack-Request-Timestamp": str(SLACK_TIME),
    "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
STANDARD_SECRET = "whsec_" + base64.b64encode(b"a key of two dozen bytes").decode()
NOW = 1_700_000_000


def judged(
    scheme: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: bytes,
    header: str = "",
    now: float = NOW,
) -> bytes:
    """As a request with these headers."""
    return verified(
        scheme, header=header, secret=secret, headers=CIMultiDict(headers), body=body, now=now
    )


def standard(body: bytes, *, name: str = "msg_1", stamp: int = NOW) -> dict[str, str]:
    """A request's headers as that specification has them."""
    key = secret_of("standard-webhooks", STANDARD_SECRET)
    made = hmac.digest(key, f"{name}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": name,
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }


def stripe(body: bytes, secret: bytes, *, stamp: int = NOW) -> dict[str, str]:
    """A request's header as Stripe has it, with the signature of an older scheme beside it."""
    made = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={'0' * 64},v1={made},v0=6ffb"}


def test_githubs_own_example() -> None:
    name = "X-Hub-Signature-256"
    arguments = {"secret": GITHUB_SECRET, "header": name}
    for text in (GITHUB_SIGNATURE, GITHUB_SIGNATURE.removeprefix("sha256=")):
        judged("hmac-sha256", {name: text}, GITHUB_BODY, **arguments)  # type: ignore[arg-type]
    with pytest.raises(NotSignedError, match="another one"):
        judged(
            "hmac-sha256",
            {name: GITHUB_SIGNATURE},
            GITHUB_BODY + b"!",
            secret=GITHUB_SECRET,
            header=name,
        )


def test_slacks_own_example() -> None:
    judged("slack", SLACK, SLACK_BODY, secret=SLACK_SECRET, now=SLACK_TIME + 299)
    for seconds in (301, -301):
        with pytest.raises(NotSignedError, match="300 s"):
            judged("slack", SLACK, SLACK_BODY, secret=SLACK_SECRET, now=SLACK_TIME + seconds)


def test_stripes_scheme_takes_any_of_its_signatures_and_no_older_one() -> None:
    secret = b"whsec_of_stripes_own"
    judged("stripe", stripe(b"{}", secret), b"{}", secret=secret)
    for wrong in (
        f"t={NOW},v0={'0' * 64}",
        f"v1={'0' * 64}",
        f"t={NOW},t={NOW + 1},v1={'0' * 64}",
        f"t={NOW},v1=",
        "",
    ):
        with pytest.raises(NotSignedError, match="one t="):
            judged("stripe", {"Stripe-Signature": wrong}, b"{}", secret=secret)
    late = stripe(b"{}", secret)["Stripe-Signature"].replace(f"t={NOW}", f"t={NOW + 1}")
    with pytest.raises(NotSignedError, match="another one"):
        judged("stripe", {"Stripe-Signature": late}, b"{}", secret=secret)


def test_standard_webhooks() -> None:
    key = secret_of("standard-webhooks", STANDARD_SECRET)
    headers = standard(b"{}")
    judged("standard-webhooks", headers, b"{}", secret=key)
    older = f"v1,{base64.b64encode(bytes(32)).decode()}"
    both = headers | {"webhook-signature": f"{older} {headers['webhook-signature']}"}
    judged("standard-webhooks", both, b"{}", secret=key)
    for name, value in {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(NOW + 1),
        "webhook-signature": older,
    }.items():
        with pytest.raises(NotSignedError, match="another one"):
            judged("standard-webhooks", headers | {name: value}, b"{}", secret=key)
    # Of `a.1` at 2 and `a` at 1.2 the same would be signed.
    with pytest.raises(NotSignedError, match="without dots"):
        judged("standard-webhooks", standard(b"{}", name="a.1"), b"{}", secret=key)
    assert secret_of("standard-webhooks", "whsec_not base64") == b""


@pytest.mark.parametrize("scheme", ["hmac-sha256", "slack", "stripe", "standard-webhooks"])
def test_nothing_is_signed_with_an_empty_or_short_secret(scheme: str) -> None:
    for secret in (b"", b"x" * 15):
        made = hmac.new(secret, b"", hashlib.sha256).hexdigest()
        with pytest.raises(NotSignedError, match="no secret"):
            judged(scheme, {"X-Sig": made}, b"", secret=secret, header="X-Sig")


@given(body=st.binary(max_size=64), other=st.binary(max_size=64), key=st.binary(min_size=16))
def test_what_is_signed_is_the_body_alone(body: bytes, other: bytes, key: bytes) -> None:
    made = hmac.new(key, body, hashlib.sha256).hexdigest()
    found = judged("hmac-sha256", {"X-Sig": made}, body, secret=key, header="x-sig")
    assert found == bytes.fromhex(made)
    if other != body:
        with pytest.raises(NotSignedError):
            judged("hmac-sha256", {"X-Sig": made}, other, secret=key, header="X-Sig")


@given(text=st.text(max_size=80))
def test_no_text_but_the_signature_is_one(text: str) -> None:
    name = "X-Sig"
    with pytest.raises(NotSignedError):
        judged("hmac-sha256", {name: text}, b"{}", secret=b"x" * 16, header=name)
