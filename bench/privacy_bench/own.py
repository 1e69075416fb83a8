"""A labelled corpus that needs no folder: sentences written here, values drawn from a seed, so anyone can repeat it.

It is easier than what people write, so its figures say what a detector is for, not what it reaches in the wild: there
are three forms of each value (with a word that names it, bare in a sentence, and in a JSON document) and as many
sentences that hold nothing sensitive but look as if they did.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable
from typing import Any

from privacy_bench.corpora import Row, Span
from yuzui.privacy.checksums import luhn_check_digit, mod97, resident_id_check, social_credit_check

SEED = 20_261_126
PER_FORM = 40
Draw = random.Random

CUED = {
    "cn_resident_id": ("身份证号：{}，请登记。", "My Chinese ID number is {}."),
    "cn_mobile": ("我的手机号是{}，晚上打给我。", "Call my mobile {} after six."),
    "cn_social_credit_code": ("统一社会信用代码 {} 已核对。", "Unified social credit code: {}"),
    "cn_travel_permit": ("港澳通行证号码{}，有效期十年。", "回乡证 {} 已过期。"),
    "hk_id": ("香港身份证 {} 的持有人", "Her HKID is {}."),
    "tw_id": ("台湾身分证字号：{}", "Taiwan national ID {} was checked."),
    "bank_card": ("银行卡号 {}，开户行在成都。", "Charge it to my card {} please."),
    "iban": ("汇款到 IBAN {}。", "Transfer it to IBAN {} today."),
    "us_ssn": ("美国社保号 SSN {}", "SSN: {}"),
    "email": ("邮箱 {}，谢谢。", "Write to {} about it."),
    "ip_address": ("服务器 IP 是 {}，连不上。", "The host at IP {} is down."),
    "passport": ("护照号 {}，签证在办。", "Passport number {}, valid until May."),
    "vehicle_plate": ("车牌号{}停在楼下。", "车牌 {} 违章两次。"),
    "date_of_birth": ("出生日期：{}", "Date of birth: {}"),
    "password": ("密码：{}", "password = {}"),
    "url_credentials": ("地址 {} 里有密码", "Clone {} first."),
    "connection_string": ("数据库连接 {} 换了", 'DATABASE_URL="{}"'),
    "jwt": ("令牌 {} 过期了", "Use the token {} for it."),
    "crypto_wallet": ("钱包地址 {}", "Send it to the wallet {}."),
    "vin": ("车架号 {}", "VIN {} was recalled."),
    "wechat_id": ("微信号：{}，加我。", "我的微信 {}"),
    "qq_id": ("QQ号：{}", "加我QQ {}"),
}
BARE = {
    "cn_resident_id": ("{}", "他说是{}没错。"),
    "cn_mobile": ("{}，别忘了。", "Try {} instead."),
    "bank_card": ("用{}付的。", "It was {} that was charged."),
    "iban": ("{}", "Please use {} as before."),
    "email": ("转给{}即可。", "cc {} on this"),
    "ip_address": ("ping {} 不通", "ssh admin@{}"),
    "url_credentials": ("curl {}", "见 {}"),
    "connection_string": ("{}", "见 {} 一行"),
    "jwt": ("{}", "Bearer {}"),
}
"""Kinds whose shape alone must be enough."""
HARMLESS = (
    "订单号 {d12} 已发货，预计三天到。",
    "Build {d4}.{d2}.{d2} finished in {d3} s on node {d2}.",
    "第 {d2} 章第 {d3} 页，见表 {d2}。",
    "SELECT * FROM orders WHERE id = {d8} LIMIT {d3};",
    "The levee moved {d4} m³/s in {year}, up {d2} % on the year.",
    "版本 v{d1}.{d2}.{d1}，提交 {h7}，耗时 {d4} 毫秒。",
    "for i in range({d6}): total += prices[i] * {d2}",
    "ISBN-like shelf mark QA{d2}.{d3}, copy {d1}",
    "{year}-0{d1}-1{d1}T0{d1}:3{d1}:1{d1}Z INFO queue={d3} batch={d5}",
    "误差为 {d1}.{d6}，样本数 {d5}，p < 0.0{d1}。",
    "sha256 {h64} of the archive",
    "Priced at {d4} USD per {d3} units, minimum {d2}.",
)


def rows() -> list[Row]:
    """The same rows every time: `PER_FORM` of each form of each kind, and one harmless row for each of them."""
    draw = random.Random(SEED)
    found: list[Row] = []
    for kind, make in MAKERS.items():
        for number in range(PER_FORM):
            value = make(draw)
            found.append(_row(f"{kind}-cued-{number}", CUED[kind][number % 2], kind, value))
            if kind in BARE:
                found.append(_row(f"{kind}-bare-{number}", BARE[kind][number % 2], kind, make(draw)))
            field = f'{{"id": {number}, "{kind}": "{{}}", "status": "ok"}}'
            found.append(_row(f"{kind}-json-{number}", field.replace("{{", "{").replace("}}", "}"), kind, make(draw)))
    harmless = [
        Row(id=f"harmless-{number}", text=_filled(HARMLESS[number % len(HARMLESS)], draw), spans=(), facts={})
        for number in range(len(found))
    ]
    return found + harmless


def _row(id: str, pattern: str, kind: str, value: str) -> Row:
    before, _, after = pattern.partition("{}")
    if "«" in value:  # only what stands between the marks is sensitive
        head, _, rest = value.partition("«")
        value, _, tail = rest.partition("»")
        before, after = before + head, tail + after
    span = Span(len(before), len(before) + len(value), kind)
    facts: dict[str, Any] = {}  # Any: JSON
    return Row(id=id, text=before + value + after, spans=(span,), facts=facts)


def _filled(pattern: str, draw: Draw) -> str:
    text = pattern.replace("{year}", str(draw.randint(1990, 2026)))
    for size in (1, 2, 3, 4, 5, 6, 8, 12):
        while (mark := f"{{d{size}}}") in text:
            text = text.replace(mark, str(draw.randint(1, 9)) + _digits(draw, size - 1), 1)
    for size in (7, 64):
        while (mark := f"{{h{size}}}") in text:
            text = text.replace(mark, "".join(draw.choices("0123456789abcdef", k=size)), 1)
    return text


def _digits(draw: Draw, count: int) -> str:
    return "".join(draw.choices(string.digits, k=count))


def _resident_id(draw: Draw) -> str:
    region = draw.choice(("110105", "310101", "440305", "510104", "610113", "330106"))
    born = f"{draw.randint(1950, 2008)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}"
    first = region + born + _digits(draw, 3)
    check = resident_id_check(first)
    return first + (check if draw.random() < 0.5 else draw.choice(string.digits))  # half of what people type is wrong


def _mobile(draw: Draw) -> str:
    number = draw.choice(("139", "138", "150", "186", "177", "199")) + _digits(draw, 8)
    return draw.choice((number, f"{number[:3]} {number[3:7]} {number[7:]}", f"+86 {number}"))


def _social_credit(draw: Draw) -> str:
    first = "91" + draw.choice(("110105", "310101", "510104")) + "MA" + _digits(draw, 7)
    return first + social_credit_check(first)


def _card(draw: Draw) -> str:
    payload = draw.choice(("4", "51", "622202", "6228")) + _digits(draw, 14)
    payload = payload[:15]
    number = payload + luhn_check_digit(payload)
    return draw.choice((number, " ".join([number[at : at + 4] for at in range(0, 16, 4)])))


def _iban(draw: Draw) -> str:
    account = _digits(draw, 18)
    return f"DE{98 - mod97(account + '131400'):02}{account}"


def _hong_kong(draw: Draw) -> str:
    letter, digits = draw.choice("ABCDEGKPRVYZ"), _digits(draw, 6)
    total = 36 * 9 + (ord(letter) - 55) * 8 + sum(int(one) * (7 - at) for at, one in enumerate(digits))
    check = -total % 11
    return f"{letter}{digits}({'A' if check == 10 else check})"


def _taiwan(draw: Draw) -> str:
    letter = draw.choice("ABCDEFGH")
    code = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(letter)
    digits = draw.choice("12") + _digits(draw, 7)
    total = code // 10 + code % 10 * 9 + sum(int(one) * (8 - at) for at, one in enumerate(digits))
    return f"{letter}{digits}{-total % 10}"


def _jwt(draw: Draw) -> str:
    def part(text: bytes) -> str:
        return base64.urlsafe_b64encode(text).decode().rstrip("=")

    body = f'{{"sub":"{_digits(draw, 8)}","exp":{_digits(draw, 9)}}}'.encode()
    head = b'{"alg":"HS256","typ":"JWT"}'
    return f"{part(head)}.{part(body)}.{part(draw.randbytes(32))}"


def _word(draw: Draw, least: int = 5, most: int = 9) -> str:
    return "".join(draw.choices(string.ascii_lowercase, k=draw.randint(least, most)))


def _password(draw: Draw) -> str:
    return _word(draw) + _digits(draw, 4)


def _pairs(draw: Draw) -> str:
    return f"User Id={_word(draw)};Password={_password(draw)}"


def _tail(draw: Draw) -> str:
    return "".join(draw.choices("ABCDEFGH23456789", k=4)) + _digits(draw, 1)


def _secret(draw: Draw) -> str:
    return "".join(draw.choices(string.ascii_letters + string.digits, k=draw.randint(10, 16))) + draw.choice("!#%*")


def _vin(draw: Draw) -> str:
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    values = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    chars = [draw.choice(letters) for _ in range(11)] + list(_digits(draw, 6))
    check = sum(values[one] * weight for one, weight in zip(chars, weights, strict=True) if weight) % 11
    chars[8] = "X" if check == 10 else str(check)
    return "".join(chars)


MAKERS: dict[str, Callable[[Draw], str]] = {
    "cn_resident_id": _resident_id,
    "cn_mobile": _mobile,
    "cn_social_credit_code": _social_credit,
    "cn_travel_permit": lambda draw: draw.choice("CHM") + _digits(draw, 8),
    "hk_id": _hong_kong,
    "tw_id": _taiwan,
    "bank_card": _card,
    "iban": _iban,
    "us_ssn": lambda draw: f"{draw.randint(100, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}",
    "email": lambda draw: f"{_word(draw)}.{_word(draw)}@{_word(draw)}.{draw.choice(('com', 'cn', 'de', 'org'))}",
    "ip_address": lambda draw: ".".join([str(draw.randint(11, 254)) for _ in range(4)]),
    "passport": lambda draw: draw.choice(("E", "G")) + _digits(draw, 8),
    "vehicle_plate": lambda draw: draw.choice("京沪粤川浙陕") + draw.choice("ABCDE") + _tail(draw),
    "date_of_birth": lambda draw: f"{draw.randint(1950, 2008)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
    "password": _secret,
    "url_credentials": lambda draw: f"https://{_word(draw)}:«{_password(draw)}»@git.{_word(draw)}.com/a.git",
    "connection_string": lambda draw: f"Server=db.{_word(draw)}.net;Database={_word(draw)};{_pairs(draw)}",
    "jwt": _jwt,
    "crypto_wallet": lambda draw: "0x" + "".join(draw.choices("0123456789abcdef", k=40)),
    "vin": _vin,
    "wechat_id": lambda draw: draw.choice("abcxyz") + _word(draw, 6, 10) + _digits(draw, 3),
    "qq_id": lambda draw: str(draw.randint(1, 9)) + _digits(draw, draw.randint(7, 9)),
}  # fmt: skip  # a table
"""Kind → a new value of it."""
