"""Secrets that only their label gives away: `password: …`, `"client_secret" = "…"`, `--token …`, `tokens: ["…"]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.randomness import is_generated, is_placeholder, is_unpronounceable
from yuzui.privacy.surroundings import is_word

KIND = "password"
_STRONG_WORDS = """
    password passwd passphrase pwd passwort mot_de_passe contrasena senha passcode 密码 口令 登录密码 密钥 秘钥
    密碼
"""
_STRONG = _STRONG_WORDS.split()
_WEAK_WORDS = """
    secret secret_key secretkey client_secret consumer_secret token_secret api_key apikey api-key access_key
    accesskey access_token auth_token authtoken oauth_token refresh_token id_token session_token private_key
    encryption_key signing_key master_key consumer_key token tokens apitoken nonce verifier signature sid
    session_id sessionid cookie credential credentials auth nkey xkey seed key salt
"""
_WEAK = _WEAK_WORDS.split()
_LABELS = "|".join(
    sorted(
        {label.replace("_", mark) for label in (*_STRONG, *_WEAK) for mark in "_ "},
        key=lambda label: (-len(label), label),
    )
)
_LABELLED = rf"(?:{_LABELS})['\"`*\])]{{0,3}}[ \t]{{0,3}}(?::=|=>|==|=|:| is |是|为)[ \t]{{0,3}}"
_SPOKEN = r"(?:password|passwd|pwd|passphrase|auth[ _]?token|token)s?[ \t]*['\"‘“(]{1,2}"
_SAID = r"(?:password|passwd|passphrase|passcode)[ \t]+[0-9A-Za-z!@#$%^&*+?~-]"
_OPTION = "--?(?:password|passwd|pass|pwd|token|secret|api-key|apikey|auth-token|access-token) "
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’"}
_MIN, _MAX = 6, 256
_ENDS = frozenset(" \t\r\n\"'`;,<>|\x1e，。；")
_CODE_TEXT = """
    none null true false undefined string optional required password passwd pwd pass secret token tokens key
    default value str int bool object self this nil var let const env bytes text hidden root admin guest user
    username login hash salt file path disabled enabled empty auto yes no string? number nonce signature session
    sha256 sha1 md5 hmac basic bearer digest plain json xml utf8 base64 hex private public primary foreign
    unique index name type id
"""
_CODE_WORDS = frozenset(_CODE_TEXT.split())
_DUMMIES_WORDS = """
    123456 1234567 12345678 123456789 1234567890 000000 111111 password1 qwerty abc123 letmein pass123 root123
    admin123 test123 my_password mypassword
"""
_DUMMIES = tuple(_DUMMIES_WORDS.split())
_DUMMY_ENDINGS = ("123456", "_password", "-password")
_DUMMY_PARTS = (
    "env.",
    "env[",
    "env(",
    "env:",
    "_env",
    "environ",
    "process.",
    "config",
    "settings",
    "getenv",
    "os.",
    "self.",
    "this.",
)
_DIGITS = frozenset("0123456789")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    trigger = text[start:end]
    if trigger[0] == "-":
        yield from _value(text, end, is_strong="pass" in trigger or "pwd" in trigger, is_option=True)
        return
    label = trigger.lower().rstrip(" \t:=>\"'`*])([是为“‘")
    label = label.removesuffix(" is").rstrip("\"'`*]) ")
    if (
        label in ("key", "auth", "seed", "salt", "nonce", "sid", "pwd", "cookie")
        and text[start - 1 : start].isalpha()
        and not (text[start - 1].islower() and text[start].isupper())
        and not text[max(0, start - 3) : start].lower().endswith(("api", "app", "nk", "xk"))
    ):
        return  # `monkey`, `turkey`: the label is the end of another word
    if (
        label.split()
        and label.split()[0] in ("password", "passwd", "passphrase", "passcode")
        and len(label.split()) == 2
    ):
        yield from _said(text, end - 1)  # the pattern saw the first character of the value
        return
    is_strong = any(word in label for word in _STRONG)
    if end < len(text) and text[end] == "[":
        for item in _items(text, end + 1):
            yield from _value(text, item, is_strong=is_strong, is_option=False)
        return
    if trigger[-1] == "(" and text[end : end + 1] not in _QUOTES:
        return  # a call with names: `usernamePassword(credentialsId: …`
    if trigger[-1] in _QUOTES:
        end -= 1
    yield from _value(text, end, is_strong=is_strong, is_option=False)


def _said(text: str, at: int) -> Iterable[Hit]:
    """`with password 8nZ!kV4%beta`: no mark announces it, so it must mix letters and digits as prose does not."""
    last = at
    while last < len(text) and last - at < 64 and text[last] not in _ENDS:
        last += 1
    value = text[at:last].rstrip(".)]}?:")
    marks = sum(not char.isalnum() for char in value[:-1] if char not in "-_.'/")
    digits = sum(char in _DIGITS for char in value)
    letters = sum(char.isalpha() for char in value)
    if (
        len(value) >= _MIN
        and letters
        and (digits >= 2 or (marks and digits))
        and not _is_dummy(value)
        and "(" not in value
    ):
        yield Hit(KIND, at, at + len(value), 0.6, "said", because(label=True, entropy=True))


def _items(text: str, at: int) -> Iterator[int]:
    """The quotes that open the first ten items of a list."""
    for _ in range(10):
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if at >= len(text) or text[at] not in _QUOTES:
            return
        yield at
        closing = text.find(_QUOTES[text[at]], at + 1, at + _MAX)
        if closing < 0:
            return
        at = closing + 1


def _value(text: str, at: int, *, is_strong: bool, is_option: bool) -> Iterable[Hit]:
    """The value that begins at `at`, with or without quotes, if it looks like a secret."""
    closer = _QUOTES.get(text[at : at + 1], "")
    first = at + 1 if closer else at
    if text[first : first + 2] in ("{\\", '{"') or text[first : first + 3] == "u'{":
        yield from _generated_inside(text, first)
        return
    last = first
    limit = min(len(text), first + _MAX)
    while last < limit and (text[last] != closer and text[last] not in "\n\x1e" if closer else text[last] not in _ENDS):
        last += 1
    if closer and (last >= limit or text[last] != closer):
        return
    value = text[first:last] if closer else _without_pairs(text[first:last]).rstrip(".)]}\\,")
    if closer and value.endswith("\\"):
        value = value[:-1]
    following = text[first + len(value) : first + len(value) + 1]
    if not closer and following == "(":
        return  # a call
    if _is_secret(value, is_quoted=bool(closer), is_strong=is_strong, is_option=is_option):
        rule = "option" if is_option else "password" if is_strong else "secret"
        yield Hit(
            KIND,
            first,
            first + len(value),
            0.8 if is_strong else 0.7,
            rule,
            because(shape=False, label=True, entropy=not is_strong),
        )


def _without_pairs(value: str) -> str:
    """`hunter2&user=me` up to the next pair of a query."""
    at = value.find("&")
    while at >= 0:
        name, equals, _ = value[at + 1 :].partition("=")
        if equals and name.replace("_", "").isalnum():
            return value[:at]
        at = value.find("&", at + 1)
    return value


def _generated_inside(text: str, at: int) -> Iterable[Hit]:
    """Generated values in a JSON text that is the value of a label: `"token": "{\\"sig\\":\\"493s31…\\"}"`."""
    limit = min(len(text), at + 160)
    while at < limit:
        if not is_word(text, at):
            at += 1
            continue
        last = at
        while is_word(text, last) and last < at + _MAX:
            last += 1
        if last - at >= 16 and is_generated(text[at:last]):
            yield Hit(KIND, at, last, 0.7, "secret", because(shape=False, label=True, entropy=True))
        at = last


def _is_secret(value: str, *, is_quoted: bool, is_strong: bool, is_option: bool) -> bool:
    least = 4 if is_strong and is_unpronounceable(value) else _MIN
    if not least <= len(value) <= _MAX or " " in value or _is_dummy(value):
        return False
    has_digit = not _DIGITS.isdisjoint(value)
    has_letter = any(char.isalpha() for char in value)
    has_mark = any(not char.isalnum() and char not in "_.-" for char in value)
    if any(char in "()[]{}" for char in value) and not is_quoted:
        return False  # code: a call, an index, a literal
    if "." in value and not has_digit and not has_mark:
        return False  # code: an attribute
    if not is_strong:
        core = value.rstrip("=")
        if len(core) < 8 or "/" in value[:1] or value.startswith(("http", "./", "../")):
            return False
        return is_generated(core) or (
            len(core) >= 24 and has_digit and has_letter and len(set(core)) >= 12 and _is_dense(core)
        )
    if is_quoted:
        return has_letter or has_digit
    if has_letter and not has_digit and not has_mark:
        return is_unpronounceable(value)
    return (has_digit and has_letter) or (has_mark and (has_digit or has_letter)) or (has_digit and len(value) >= 8)


def _is_dense(value: str) -> bool:
    """Base64 and the like: letters of both cases and digits, no words joined by dashes or dots."""
    return (
        value != value.lower()
        and value != value.upper()
        and sum(char in "-_./" for char in value) <= len(value) // 12
        and sum(char in _DIGITS for char in value) >= 2
    )


def _is_dummy(value: str) -> bool:
    lower = value.lower()
    return (
        lower in _CODE_WORDS
        or lower in _DUMMIES
        or lower.endswith(_DUMMY_ENDINGS)
        or len(set(value)) < 3
        or value[0] in "$%{<@"
        or any(part in lower for part in _DUMMY_PARTS)
        or (len(value) >= 8 and is_placeholder(value))
    )


DETECTOR = Detector(
    levels={KIND: "restricted"},
    patterns=(
        Pattern(regex=_LABELLED, ignore_case=True),
        Pattern(regex=_SPOKEN, ignore_case=True),
        Pattern(regex=_SAID, ignore_case=True),
        Pattern(regex=_OPTION, ignore_case=True),
    ),
    check=_check,
)
