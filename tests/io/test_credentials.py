"""Tokens are fetched once for many callers, ahead of their end, and never shown; signatures use the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from urllib.parse import parse_qs

import pytest

from fake_time import FakeTimeLoop, run
from fault_upstream import Call, FaultUpstream
from yuzui.core.chat import ChatRequest, Meaning, Message, TextPart
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.errors import UpstreamFault, UpstreamRefused, UpstreamUnreachable
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.sigv4 import sign
from yuzui.core.target import Auth, Target
from yuzui.io.credentials import EXCHANGE_TIMEOUT_S, MOST_TOKENS, PAUSE_S, Credentials, TokenLine
from yuzui.io.token_requests import TokenRequest
from yuzui.io.upstream import Endpoint, HttpUpstream
from yuzui.privacy.egress import check_egress
from yuzui.providers import bedrock
from yuzui.providers._contract import WireRequest

ENTRA = Auth(kind="entra_id", settings={"tenant_id": "t", "client_id": "c", "client_secret": "s3cret"})
OTHER = Auth(kind="entra_id", settings={"tenant_id": "t", "client_id": "other", "client_secret": "s3cret"})


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now_ns(self) -> int:
        return 1_795_682_415_000_000_000 + int(self.now_s * 1e9)

    def monotonic(self) -> float:
        return self.now_s


class Issuer:
    """Hands out tokens `t1`, `t2`, … that live `life_s`; `gate` holds answers back, `answers` overrides them."""

    def __init__(self, life_s: float = 3600) -> None:
        self.life_s = life_s
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.answers: list[tuple[int, bytes] | Exception] = []

    async def send(self, request: TokenRequest) -> tuple[int, bytes]:
        self.asked += 1
        number = self.asked
        await self.gate.wait()
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return 200, b'{"access_token":"t%d","expires_in":%d}' % (number, self.life_s)


async def token(credentials: Credentials, auth: Auth = ENTRA) -> str:
    headers = await credentials.headers(auth, method="POST", url="https://x.test/", headers={}, body=b"")
    assert headers.keys() == {"authorization"}
    return headers["authorization"].removeprefix("Bearer ")


def told(story: Callable[[Credentials, Issuer, Hands], Awaitable[None]], life_s: float = 3600) -> None:
    """`story` on a loop whose time jumps, with a clock that the story moves."""

    async def main(loop: FakeTimeLoop) -> None:
        issuer, clock = Issuer(life_s), Hands()
        credentials = Credentials(issuer.send, clock)
        await story(credentials, issuer, clock)
        await credentials.close()

    run(main)


async def settle() -> None:
    """Let what is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_one_token_serves_until_four_fifths_of_its_life() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        assert await token(credentials) == "t1"
        clock.now_s = 2879
        assert await token(credentials) == "t1"
        assert issuer.asked == 1

    told(story)


def test_a_new_one_is_fetched_in_the_background_while_the_old_one_serves() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        await token(credentials)
        clock.now_s = 2881
        issuer.gate.clear()
        assert await token(credentials) == "t1"  # at once: nobody waits for the new one
        await settle()
        assert [await token(credentials) for _ in range(3)] == ["t1"] * 3
        assert issuer.asked == 2  # by one caller at a time
        issuer.gate.set()
        await settle()
        assert await token(credentials) == "t2"

    told(story)


def test_those_who_find_no_token_wait_for_one_exchange() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        issuer.gate.clear()
        waiting = [asyncio.create_task(token(credentials)) for _ in range(20)]
        await settle()
        issuer.gate.set()
        assert await asyncio.gather(*waiting) == ["t1"] * 20
        assert issuer.asked == 1

    told(story)


def test_a_caller_that_leaves_takes_no_token_from_the_others() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        issuer.gate.clear()
        first, second = asyncio.create_task(token(credentials)), asyncio.create_task(token(credentials))
        await settle()
        first.cancel()
        await settle()
        issuer.gate.set()
        assert await second == "t1"
        assert first.cancelled()
        assert issuer.asked == 1

    told(story)


def test_a_failed_refresh_is_no_failure_while_the_old_token_is_good() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        await token(credentials)
        clock.now_s = 3000
        issuer.answers = [(503, b""), UpstreamUnreachable("no line")]
        assert await token(credentials) == "t1"
        await settle()
        assert await token(credentials) == "t1"
        await settle()
        assert issuer.asked == 2  # not again before the pause is over
        clock.now_s += PAUSE_S
        assert await token(credentials) == "t1"
        await settle()
        assert issuer.asked == 3
        clock.now_s = 3580  # the old one is too near its end to be sent
        assert await token(credentials) == "t4"

    told(story)


def test_a_refusal_says_what_to_change_and_is_not_repeated_at_once() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        issuer.answers = [(401, b'{"error":"invalid_client"}')] * 2
        for _ in range(3):
            with pytest.raises(UpstreamRefused, match=r"entra_id was refused \(HTTP 401, invalid_client\)") as caught:
                await token(credentials)
            assert caught.value.code == "upstream_auth"
            assert not caught.value.retryable
            assert not caught.value.may_have_run
            assert "s3cret" not in str(caught.value)
        assert issuer.asked == 1
        clock.now_s = PAUSE_S
        with pytest.raises(UpstreamRefused):
            await token(credentials)
        assert issuer.asked == 2
        clock.now_s = 2 * PAUSE_S
        assert await token(credentials) == "t3"

    told(story)


@pytest.mark.parametrize("answer", [(500, b""), (429, b""), (408, b""), UpstreamUnreachable("no line to the issuer")])
def test_an_issuer_that_is_away_may_be_back_soon(answer: tuple[int, bytes] | Exception) -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        issuer.answers = [answer]
        with pytest.raises(UpstreamUnreachable) as caught:
            await token(credentials)
        assert caught.value.retryable

    told(story)


def test_an_issuer_that_never_answers_is_given_up() -> None:
    async def main(loop: FakeTimeLoop) -> None:
        issuer = Issuer()
        issuer.gate.clear()
        credentials = Credentials(issuer.send, Hands())
        with pytest.raises(UpstreamUnreachable, match="its issuer cannot be reached"):
            await token(credentials)
        assert loop.now == pytest.approx(EXCHANGE_TIMEOUT_S)

    run(main)


def test_short_lives_are_used_too() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        assert await token(credentials) == "t1"
        clock.now_s = 15
        assert await token(credentials) == "t1"
        clock.now_s = 17
        assert await token(credentials) == "t2"

    told(story, life_s=20)


def test_each_credential_has_its_own_token_and_equal_ones_share_it() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        assert await token(credentials) == "t1"
        assert await token(credentials, OTHER) == "t2"
        assert (
            await token(credentials, Auth(kind="entra_id", settings=dict(reversed(list(ENTRA.settings.items())))))
            == "t1"
        )
        assert issuer.asked == 2

    told(story)


def test_what_changed_configurations_leave_behind_is_bounded() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        for number in range(MOST_TOKENS + 1):
            await token(credentials, Auth(kind="ibm_iam", settings={"api_key": f"k{number}"}))
        asked = issuer.asked
        await token(credentials, Auth(kind="ibm_iam", settings={"api_key": f"k{MOST_TOKENS}"}))
        assert issuer.asked == asked
        await token(credentials, Auth(kind="ibm_iam", settings={"api_key": "k0"}))
        assert issuer.asked == asked + 1

    told(story)


def test_closing_gives_up_fetches_that_still_run() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        issuer.gate.clear()
        waiting = asyncio.create_task(token(credentials))
        await settle()
        await credentials.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    told(story)


def test_requests_to_aws_are_signed_with_the_time_of_the_clock() -> None:
    settings = {"access_key": "AKIDEXAMPLE", "secret_key": "s", "region": "eu-west-1", "session_token": "st"}

    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        headers = await credentials.headers(
            Auth(kind="aws_sigv4", settings=settings), method="POST", url="https://x.test/model/m/converse",
            headers={"content-type": "application/json"}, body=b"{}",
        )  # fmt: skip
        assert headers["x-amz-date"] == "20261126T084015Z"
        assert headers["x-amz-security-token"] == "st"
        assert "Credential=AKIDEXAMPLE/20261126/eu-west-1/bedrock/aws4_request" in headers["authorization"]
        assert issuer.asked == 0

    told(story)


def test_no_secret_is_in_a_repr() -> None:
    async def story(credentials: Credentials, issuer: Issuer, clock: Hands) -> None:
        await token(credentials)
        shown = repr(credentials) + repr(vars(credentials)["_slots"].values()) + repr(ENTRA)
        assert "t1" not in shown
        assert "s3cret" not in shown

    told(story)


# ---- over a real line -----------------------------------------------------------------------------------------------


def local(url: str) -> Auth:
    return Auth(kind="ibm_iam", settings={"api_key": "key/1", "url": url})


def over_line(
    script: Callable[[Call], Awaitable[None]], check: Callable[[Credentials, FaultUpstream], Awaitable[None]]
) -> None:
    async def main() -> None:
        line = TokenLine()
        async with FaultUpstream(script) as issuer:
            credentials = Credentials(line.send, Hands())
            await check(credentials, issuer)
            await credentials.close()
            await line.close()

    asyncio.run(main())


def test_a_token_comes_over_http() -> None:
    async def script(call: Call) -> None:
        await call.json({"access_token": "real", "expires_in": 3600})

    async def check(credentials: Credentials, issuer: FaultUpstream) -> None:
        auth = local(f"http://127.0.0.1:{issuer.port}")
        assert [await token(credentials, auth) for _ in range(2)] == ["real", "real"]
        (call,) = issuer.calls
        assert call.head.startswith(b"POST /identity/token HTTP/1.1\r\n")
        assert parse_qs(call.body.decode())["apikey"] == ["key/1"]

    over_line(script, check)


def test_baidus_signed_host_is_the_one_that_is_sent() -> None:
    async def script(call: Call) -> None:
        await call.json({"token": "bce-v3/x/y"})

    async def check(credentials: Credentials, issuer: FaultUpstream) -> None:
        url = f"http://127.0.0.1:{issuer.port}"
        auth = Auth(kind="baidu_iam", settings={"access_key": "a", "secret_key": "s", "url": url})
        assert await token(credentials, auth) == "bce-v3/x/y"
        (call,) = issuer.calls
        assert call.head.startswith(b"GET /v1/BCE-BEARER/token?expireInSeconds=86400 HTTP/1.1\r\n")
        assert b"host: 127.0.0.1:%d\r\n" % issuer.port in call.head.lower()

    over_line(script, check)


async def redirect(call: Call) -> None:
    await call.write(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")


async def flood(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n" + b" " * 9_000_000)


async def hang_up(call: Call) -> None:
    call.reset()


@pytest.mark.parametrize(("script", "said"), [(redirect, "HTTP 302"), (flood, "too large"), (hang_up, "no connection")])
def test_what_goes_wrong_on_the_line_is_a_fault_without_the_secret(
    script: Callable[[Call], Awaitable[None]], said: str
) -> None:
    async def check(credentials: Credentials, issuer: FaultUpstream) -> None:
        with pytest.raises(UpstreamFault, match=said) as caught:
            await token(credentials, local(f"http://127.0.0.1:{issuer.port}"))
        assert "key/1" not in str(caught.value)

    over_line(script, check)


def test_a_server_that_checks_the_signature_of_what_arrives_finds_it_right() -> None:
    """The whole way of a request to Bedrock: what a client library adds or rewrites would break the signature."""
    settings = {"access_key": "AKIDEXAMPLE", "secret_key": "s", "region": "eu-west-1"}
    meaning = Meaning(messages=(Message(role="user", parts=(TextPart(text="你好"),)),))
    request = ChatRequest(dialect="x", model="auto", body={}, read_meaning=lambda body: meaning, stream=True)

    async def answer(call: Call) -> None:
        await call.json({})

    async def no_script(target: Target, wire: WireRequest) -> AsyncGenerator[bytes, None]:
        raise AssertionError("no scripted target here")
        yield b""

    async def no_endpoint(model: str) -> Endpoint | None:
        return None

    async def main() -> None:
        line = TokenLine()
        upstream = HttpUpstream(
            endpoint_of=no_endpoint, scripted=no_script, credentials=Credentials(line.send, Hands())
        )
        async with FaultUpstream(answer) as server:
            target = Target(
                name="t", provider="bedrock", codec="bedrock", model="arn:aws:bedrock:eu-west-1:1:inference-profile/x.y-v1:0",
                base_url=f"http://127.0.0.1:{server.port}", premises="vendor", clearance=0, jurisdiction="US",
                auth=Auth(kind="aws_sigv4", settings=settings),
            )  # fmt: skip
            wire = bedrock.CODEC.write_request(request, target, output_cap=None)
            allowed = AllowedSet(frozenset({"t"}))
            decision = Decision(
                model="m", policy="pinned", level=0, allowed=allowed, plan=(target,), refused=(), why=""
            )  # fmt: skip  # one decision
            scanned = check_egress(decision, target, Sensitivity(level=0, causes=(), kinds={}), wire, wire.body)
            async with upstream.open(scanned, target, allowed) as reply:
                await reply.read()
            (call,) = server.calls
        await upstream.close()
        await line.close()
        first, *lines = call.head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in lines)}
        names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        again = sign(
            "POST", f"http://{headers['host']}{first.split()[1]}",
            {name: headers[name] for name in names if name != "x-amz-date"}, call.body,
            access_key="AKIDEXAMPLE", secret_key="s", region="eu-west-1", service="bedrock",
            at=datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%S%z"),
        )  # fmt: skip
        assert again["authorization"] == headers["authorization"]
        assert "accept" in names
        assert "host" in names

    asyncio.run(main())
