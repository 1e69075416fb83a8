"""Accounts of WeChat and QQ: `wxid_…`, and what stands behind a word that names them."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import ALNUM, DIGITS, value_after
from yuzui.privacy.surroundings import is_word

_ACCOUNT = ALNUM | frozenset("_-")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    label = text[start:end].lower()
    if label == "wxid_":
        last = end
        while last < len(text) and text[last] in _ACCOUNT and last - end < 24:
            last += 1
        if last - end >= 8 and not is_word(text, start - 1):
            yield Hit("wechat_id", start, last, 0.95, "wxid")
        return
    if label[0].isascii() and label[0].isalpha() and is_word(text, start - 1):
        return
    if "qq" in label:
        found = value_after(text, end, DIGITS, reach=8)
        if found and 5 <= found[1] - found[0] <= 11 and text[found[0]] != "0" and not is_word(text, found[1]):
            yield Hit("qq_id", *found, 0.8, "qq", because(label=True))
        return
    found = value_after(text, end, _ACCOUNT, reach=8)
    # 6 to 20 characters, a letter or underscore first (Tencent's rule); a mobile number is its own kind
    if (
        found
        and (found[0] > end or not label.isascii())
        and 6 <= found[1] - found[0] <= 20
        and not text[found[0]].isdigit()
        and _is_account(text[found[0] : found[1]])
    ):
        yield Hit("wechat_id", *found, 0.8, "wechat", because(label=True))


def _is_account(value: str) -> bool:
    return any(char in "0123456789_-" for char in value) and not value.lower().startswith(
        ("http", "www", "app", "wxid_")
    )


DETECTOR = Detector(
    levels={"wechat_id": "confidential", "qq_id": "confidential"},
    patterns=(
        Pattern(regex="wxid_", ignore_case=True),
        Pattern(regex="(?:微信|薇信|威信|v信|vx|wechat|weixin|加v|qq)", ignore_case=True),
    ),
    check=_check,
)
