"""What can be counted in a request without understanding it: length, scripts, digits, code, questions, demands.

A fixed list of named numbers, all of them bounded, in one order (`NAMES`) that an artefact repeats and a reader checks.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

MOST_CHARACTERS: Final = 8192
"""Of a text, half from each end; its true length is a feature of its own."""

_WORDS: Final = re.compile(r"[^\W\d_]+")
_NUMBERS: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_OPTIONS: Final = re.compile(r"^[ \t]*\(?[A-Ja-j][).:、]", re.MULTILINE)
_CODE_STARTS: Final = (
    "def ", "class ", "import ", "from ", "return", "for (", "while (", "if (", "#include", "public ", "function ",
    "const ", "let ", "var ", "SELECT ", "async ", "fn ", "package ",
)  # fmt: skip
_SIGNS: Final = {
    "asks_what": ("what which who whom whose when where", "什么 哪 谁 何时"),
    "asks_how_many": ("many much", "多少 几个"),
    "asks_why": ("why explain because reason describe", "为什么 解释 说明"),
    "negates": ("not except false least never without incorrect", "不 除了 错误"),
    "computes": ("calculate compute solve find evaluate simplify probability determine", "计算 求"),
    "proves": ("prove proof theorem lemma", "证明"),
    "supposes": ("if suppose assume given let", "如果 假设 设"),
    "multiplies": ("each per every times half twice double triple", "每 倍 一半"),
    "shares": ("percent ratio fraction average total sum remaining left", "百分 平均 一共"),
    "wants_format": ("json xml yaml csv table schema markdown bullet list format", "表格 格式 列表"),
    "transforms": ("translate summarize summarise rewrite paraphrase classify extract correct", "翻译 总结 改写 提取"),
    "writes": ("write create generate draft compose implement design", "写 生成 设计"),
    "compares": ("statement statements both none above following compare difference", "以下 比较 区别"),
    "demands": ("must exactly only most should always required", "必须 只 至少 最多"),
}
"""Groups of words, English and Chinese, that say what is wanted."""
_GROUP_OF: Final = {word: place for place, (english, _) in enumerate(_SIGNS.values()) for word in english.split()}
_CHINESE: Final = tuple(tuple(chinese.split()) for _, chinese in _SIGNS.values())

NAMES: Final = (
    "log_characters", "log_words", "log_lines", "word_length", "digits", "upper", "cjk", "other_scripts", "punctuation",
    "brackets", "log_numbers", "largest_number", "decimals", "options", "questions", "sentences", "sentence_words",
    "fences", "code_lines", "latex", "equations", "quotes", "distinct_words",
    *_SIGNS,
    "log_turns", "log_system", "log_earlier", "tools", "log_schema", "has_images", "has_files", "has_results",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the features are made of: the last message of the user, and facts about what stands around it."""

    text: str
    system_characters: int = 0
    earlier_characters: int = 0
    """Of all messages before the last one of the user."""
    turns: int = 1
    """Messages of the user, this one included."""
    tools: int = 0
    schema_characters: int = 0
    """Of the tools' and the answer format's JSON schemas."""
    has_images: bool = False
    has_files: bool = False
    has_tool_results: bool = False


def surface(asked: Asked) -> npt.NDArray[np.float32]:
    """One number per name of `NAMES`. Any text will do, also one with lone surrogates; the time is bounded."""
    text = asked.text
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS // 2] + " " + text[-MOST_CHARACTERS // 2 :]
    size = max(1, len(text))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    small = np.bincount(np.minimum(codes, 128).astype(np.int64), minlength=129)
    words = _WORDS.findall(text.lower())
    numbers = _NUMBERS.findall(text)
    digits = int(small[48:58].sum())
    upper = int(small[65:91].sum())
    letters = upper + int(small[97:123].sum())
    beyond = int(small[128])
    cjk = int(np.count_nonzero((codes >= 0x2E80) & (codes <= 0x9FFF))) if beyond else 0
    ends = int(small[46] + small[63] + small[33])
    values = [float(number.replace(",", "")) for number in numbers[:64] if len(number) < 16]
    counts = [
        math.log1p(len(asked.text)), math.log1p(len(words)), math.log1p(int(small[10])),
        sum(map(len, words)) / max(1, len(words)), digits / size, upper / max(1, letters), cjk / size,
        (beyond - cjk) / size, (size - letters - digits - beyond - int(small[32] + small[10])) / size,
        float(small[40] + small[91] + small[123]) / size * 10, math.log1p(len(numbers)),
        math.log1p(max(values, default=0.0)), float(sum("." in number for number in numbers)),
        float(min(10, len(_OPTIONS.findall(text)))), float(min(10, small[63])), math.log1p(ends),
        len(words) / max(1, ends), float(min(4, text.count("```"))), math.log1p(_code_lines(text)),
        float(small[92] + small[36] // 2) / size * 20, float(min(20, small[61])), float(small[34]) / size * 20,
        len(set(words)) / max(1, len(words)),
    ]  # fmt: skip
    phrases = _phrases(text, words, cjk)
    around = [
        math.log1p(max(0, asked.turns - 1)), math.log1p(asked.system_characters), math.log1p(asked.earlier_characters),
        float(min(32, asked.tools)), math.log1p(asked.schema_characters), float(asked.has_images),
        float(asked.has_files), float(asked.has_tool_results),
    ]  # fmt: skip
    return np.array([*counts, *phrases, *around], np.float32)


def _phrases(text: str, words: list[str], cjk: int) -> list[float]:
    counts = [0] * len(_SIGNS)
    for word in words:
        place = _GROUP_OF.get(word)
        if place is not None:
            counts[place] += 1
    if cjk:
        for place, signs in enumerate(_CHINESE):
            counts[place] += sum(map(text.count, signs))
    return [float(min(3, count)) for count in counts]


def _code_lines(text: str) -> int:
    return sum(line.lstrip().startswith(_CODE_STARTS) for line in text.split("\n"))
