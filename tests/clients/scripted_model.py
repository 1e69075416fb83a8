"""A model that follows a script, whatever wire it is asked over: what it is asked, and what it says.

The script is named in the last user text that has `script:NAME`. Everything is a function of the conversation, and what
a real vendor would refuse with a 400 (a tool result without its call, a thought that came back changed) is refused here.

    plain      a sentence
    weather    thinks, calls two tools at once, then one without arguments, then answers with what the tools said
    schema     the JSON value that the schema or the forced tool asks for
    think      thinks, then answers
    again      says whether the thought of the turn before came back
    picture    says what picture arrived
    shell      reads two files at once and lists the folder with a coding agent's own tool, then says what it saw
    leak       thinks of, says and mails what nobody told it, then says it again
    leak-hard  after some words, says what is to be refused
    mirror     thinks of, says and mails what was asked, then says it again with what the tool said
    long       many pieces, slowly
    length     stops because it may not write more
    refuse     the vendor's filter stops it
    cut        the stream ends in the middle
    fail       an error event in the middle of the stream
    status-N   answers with that HTTP status
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Json = dict[str, Any]  # Any: JSON values

PLAIN = "Water is wet — 水是湿的. 💧"
VALUE = {"city": "Oslo", "degrees": 3}
CITIES = {"Oslo": 3, "北京": 9}
WEATHER_TEXT = "Let me look."
THOUGHT = "The user asks about two cities, so both are looked up."
DEEP_THOUGHT = "Six times seven.\nThat is well known."
LEAKED = "Write to wang@corp.cn,\ncard number 4111 1111 1111 1111, \u6216\u8005\u7535\u8bdd 138 0013 8000."
LEAKED_NUMBER = 4111111111111111
LEAKED_HARD = "The river is high and the levee is old, so be careful this spring. His ssn: 536-90-4399, as it is known."
FILES = {"one.txt": "waterfall", "two.txt": "limestone"}
"""What a coding agent is to find, by file."""
SHELLS = {"exec_command": "cmd", "Bash": "command", "shell": "command", "run_shell_command": "command"}
"""The tool of a coding agent that runs a command, and its argument for it."""
LONG_PIECES = 400
CUT_AFTER = 3

Finish = Literal["stop", "tools", "length", "filter"]


class Refused(Exception):
    """The HTTP status and the words of a vendor that does not take a request."""

    def __init__(self, message: str, status: int = 400, details: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.details = details
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    text: str
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    id: str
    name: str
    arguments: str
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    call_id: str
    text: str
    name: str = ""


@dataclass(slots=True, kw_only=True)
class Turn:
    """What one side said; a turn of the model holds what it called, a turn of the user what came of it."""

    is_model: bool
    text: str = ""
    thoughts: list[Thought] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    wire: str
    model: str
    stream: bool
    turns: tuple[Turn, ...]
    tools: dict[str, Json]
    """Name → JSON schema."""
    must_call: str = ""
    """Name of a tool, or `*` for any."""
    schema: Json | None = None
    wants_json: bool = False
    wants_thoughts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the vendor says it consumed; `input` includes `cached` and `written`, `output` includes `reasoning`."""

    input: int = 120
    cached: int = 40
    written: int = 10
    output: int = 25
    reasoning: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    thought: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()
    finish: Finish = "stop"
    counts: Counts = Counts()
    id: str = ""
    """Of the answer: clients take two answers of one id for the same."""
    pause_s: float = 0.0
    ends: Literal["whole", "cut", "error"] = "whole"

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed."""
        return [self.text[at : at + 5] for at in range(0, len(self.text), 5)]


def proof_of(*said: str) -> str:
    """The signature of what the model thought or called; base64, as vendors have them."""
    return b64encode(hashlib.sha256("\0".join(said).encode()).digest()).decode()


def veil(thought: str) -> str:
    """What vendors encrypt, base64: not secret here; what counts is that it comes back as it was."""
    return b64encode(f"{proof_of('thought', thought)} {thought}".encode()).decode()


def unveil(data: str) -> str:
    """The thought in `data`; raise `Refused` if it is not what was given out. Either alphabet of base64."""
    try:
        proof, _, thought = b64decode(data.replace("-", "+").replace("_", "/"), validate=True).decode().partition(" ")
    except ValueError:
        proof = thought = ""
    if proof != proof_of("thought", thought):
        raise Refused("the encrypted thought could not be verified")
    return thought


def id_of(name: str, arguments: str) -> str:
    """The id of a call; letters, because digits could be a phone number."""
    digest = hashlib.sha256(f"{name} {arguments}".encode()).hexdigest()
    return "call_" + "".join(chr(ord("a") + int(digit, 16)) for digit in digest[:12])


def counts_of(script: str, round_: int = 0) -> Counts:
    """What the scripted vendor says an answer consumed."""
    return Counts(input=120 + 10 * round_, reasoning=5 if script in ("think", "weather") and round_ == 0 else 0)


def script_of(question: Question) -> tuple[str, int]:
    """The script, and how many turns with calls the model has made in it."""
    for position in range(len(question.turns) - 1, -1, -1):
        turn = question.turns[position]
        found = re.search(r"script:([a-z0-9-]+)", turn.text) if not turn.is_model else None
        if found:
            return found[1], sum(bool(later.calls) for later in question.turns[position + 1 :] if later.is_model)
    return "plain", 0


def answer(question: Question) -> Answer:
    """What the model says; raise `Refused` as its vendor would."""
    _check_calls(question)
    script, round_ = script_of(question)
    if script.startswith("status-"):
        raise Refused("the script wants it so", int(script.removeprefix("status-")))
    said = _SCRIPTS.get(script, _plain)(question, round_)
    counts = counts_of(script, round_)
    if not question.wants_thoughts or not said.thought:
        said, counts = replace(said, thought=""), replace(counts, reasoning=0)
    digest = hashlib.sha256(repr((question.wire, question.model, question.turns)).encode()).hexdigest()
    return replace(said, counts=counts, id=digest[:24])


def _check_calls(question: Question) -> None:
    """Every call is answered in the next turn, once, and nothing else is; arguments are JSON."""
    asked: set[str] = set()
    for turn in question.turns:
        answered = [result.call_id for result in turn.results]
        if set(answered) != asked or len(answered) != len(asked):
            raise Refused(f"tool results {sorted(answered)} do not answer the calls {sorted(asked)}")
        for call in turn.calls:
            if not isinstance(_json(call.arguments), dict):
                raise Refused(f"arguments of {call.name} are no JSON object: {call.arguments!r}")
        asked = {call.id for call in turn.calls}
    if asked:
        raise Refused(f"no results for the calls {sorted(asked)}")


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


Script = Callable[[Question, int], Answer]

# ---- scripts ---------------------------------------------------------------------------------------------------------


def _plain(question: Question, round_: int) -> Answer:
    return Answer(text=PLAIN)


def _weather(question: Question, round_: int) -> Answer:
    if round_ == 0:
        calls = tuple(_call("weather", city=city) for city in CITIES)
        return Answer(thought=THOUGHT, text=WEATHER_TEXT, calls=calls, finish="tools")
    if round_ == 1:
        return Answer(calls=(_call("now"),), finish="tools")
    found = [_said_by(question, "weather", city=city) for city in CITIES]
    return Answer(text=f"{' and '.join(found)} at {_said_by(question, 'now')}.")


def _said_by(question: Question, name: str, **arguments: object) -> str:
    """What the call gave; ids do not matter here, because clients and gateways may name calls anew."""
    calls = {call.id: call for turn in question.turns for call in turn.calls}
    for turn in question.turns:
        for result in turn.results:
            call = calls[result.call_id]
            if (call.name, _json(call.arguments)) == (name, arguments):
                return _unwrapped(result.text)
    raise Refused(f"nothing was said by {name} {arguments}")


def _unwrapped(text: str) -> str:
    """Gemini's results are objects: what clients wrap a text in comes as JSON over other wires."""
    value = _json(text)
    if isinstance(value, dict):
        value = next((value[name] for name in ("result", "output", "content", "return_value") if name in value), text)
    return value if isinstance(value, str) else text


def _call(name: str, **arguments: object) -> Call:
    text = json.dumps(arguments)  # with escapes, which streams cut in the middle
    return Call(id=id_of(name, text), name=name, arguments=text, proof=proof_of(name, text))


def _schema(question: Question, round_: int) -> Answer:
    tools = [name for name, schema in question.tools.items() if "degrees" in json.dumps(schema)]
    if not tools or (not question.must_call and (question.schema is not None or question.wants_json)):
        return Answer(text=json.dumps(VALUE))
    return Answer(calls=(_call(tools[-1], **VALUE),), finish="tools")


def _think(question: Question, round_: int) -> Answer:
    return Answer(thought=DEEP_THOUGHT, text="It is 42.")


def _again(question: Question, round_: int) -> Answer:
    thoughts = "".join(thought.text for turn in question.turns for thought in turn.thoughts)
    return Answer(text="I remember." if DEEP_THOUGHT in thoughts else "I do not remember.")


def _picture(question: Question, round_: int) -> Answer:
    pictures = [picture for turn in question.turns for picture in turn.pictures]
    if not pictures:
        raise Refused("there is no picture")
    return Answer(text=" ".join(hashlib.sha256(picture).hexdigest()[:12] for picture in pictures))


def _shell(question: Question, round_: int) -> Answer:
    tool = next((name for name in SHELLS if name in question.tools), "")
    if not tool:
        raise Refused(f"no tool of {sorted(question.tools)} runs commands")
    if round_ == 0:
        calls = tuple(_call(tool, **{SHELLS[tool]: f"cat {name}"}) for name in FILES)
        return Answer(thought="Both files are read at once.", text="I read them.", calls=calls, finish="tools")
    if round_ == 1:
        return Answer(calls=(_call(tool, **{SHELLS[tool]: "ls"}),), finish="tools")
    said = " ".join(result.text for turn in question.turns for result in turn.results)
    found = [word for word in (*FILES.values(), *FILES) if word in said]
    return Answer(text=f"I saw {', '.join(found)}.")


def _mirror(question: Question, round_: int) -> Answer:
    asked = next(turn.text for turn in reversed(question.turns) if "script:mirror" in turn.text)
    asked = asked.partition("script:mirror ")[2]
    if round_ == 0:
        calls = (_call("mail", said=asked, to=[asked, "x"]),)
        return Answer(thought=f"They wrote: {asked}", text=f"I mail it: {asked}", calls=calls, finish="tools")
    return Answer(text=f"{asked} | {_said_by(question, 'mail', said=asked, to=[asked, 'x'])}")


def _leak(question: Question, round_: int) -> Answer:
    if round_ == 0:
        calls = (_call("mail", said=LEAKED, to=[LEAKED, "x"], card=LEAKED_NUMBER),)
        return Answer(thought=f"I know: {LEAKED}", text=f"I mail it: {LEAKED}", calls=calls, finish="tools")
    return Answer(text=f"Once more: {LEAKED}")


def _long(question: Question, round_: int) -> Answer:
    return Answer(text="word " * LONG_PIECES, pause_s=0.02)


def _always(said: Answer) -> Script:
    return lambda question, round_: said


_SCRIPTS: dict[str, Script] = {
    "plain": _plain,
    "weather": _weather,
    "schema": _schema,
    "think": _think,
    "again": _again,
    "picture": _picture,
    "shell": _shell,
    "leak": _leak,
    "leak-hard": _always(Answer(text=LEAKED_HARD)),
    "mirror": _mirror,
    "long": _long,
    "length": _always(Answer(text=PLAIN, finish="length")),
    "refuse": _always(Answer(finish="filter")),
    "cut": _always(Answer(text=PLAIN * 4, ends="cut")),
    "fail": _always(Answer(text=PLAIN * 4, ends="error")),
}
