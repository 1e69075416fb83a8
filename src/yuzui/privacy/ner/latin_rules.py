"""What surrounds a name in Latin script: titles, greetings, signatures, initials, endings of companies, mail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.shared_words import FUNCTION_WORDS, PEOPLES, TECHNICAL
from yuzui.privacy.ner.spans import NameSpan
from yuzui.privacy.ner.word_lists import TITLES, Lists

_GLUE_BEFORE: Final = frozenset("@_/\\=#.")
_GLUE_AFTER: Final = frozenset("@_/\\=(")


def is_glued(text: str, start: int, end: int) -> bool:
    """Whether the span is a piece of an address of mail, a path or an identifier."""
    if start and text[start - 1] in _GLUE_BEFORE:
        return True
    if end >= len(text):
        return False
    return text[end] in _GLUE_AFTER or (text[end] == "." and text[end + 1 : end + 2].isalnum())


_TITLE_BEFORE: Final = re.compile(r"(?:\b([A-Za-zñôî]+)\.?\s{1,2})$")
_DEGREE_BEHIND: Final = re.compile(
    r",? (?:MD|M\.D\.|DDS|DO|DVM|PhD|Ph\.D\.|Esq\.?|Jr\.?|Sr\.?|LJ|LCJ|QC|KC|RN|CPA)(?![\w])"
)
_FIRST_OF_TWO: Final = re.compile(r"\b([A-ZÀ-Þ][a-zß-ÿ]+) (?:and|&) $")
_LOOK_BACK: Final = 24


def with_titles(text: str, spans: Iterable[NameSpan], lists: Lists) -> list[NameSpan]:
    """Each person's span with the title before it (`Dr. `), the degree behind it, the other one of a couple (`John and
    Alice Coltrane`), and without a genitive's end."""
    widened: list[NameSpan] = []
    for span in spans:
        if span.kind == "person":
            before = _TITLE_BEFORE.search(text, max(0, span.start - _LOOK_BACK), span.start)
            if before is not None and before[1].lower() in TITLES and before[1][0].isupper():
                span = span._replace(start=before.start(1))
            if " " in text[span.start : span.end]:
                other = _FIRST_OF_TWO.search(text, max(0, span.start - _LOOK_BACK), span.start)
                if other is not None and other[1].lower() in lists.given and other[1].lower() not in FUNCTION_WORDS:
                    span = span._replace(start=other.start(1))
            behind = _DEGREE_BEHIND.match(text, span.end)
            if behind is not None:
                span = span._replace(end=behind.end())
        if text[span.end - 2 : span.end] in ("'s", "’s") and span.end - span.start > 3:
            span = span._replace(end=span.end - 2)
        widened.append(span)
    return widened


_WORD: Final = r"[A-ZÀ-Þ][A-Za-zÀ-ɏ]*(?:['’-][A-Za-zÀ-ɏ]+)*"
_INITIALS: Final = r"(?:[A-ZÀ-Þ]\.[ -]?){1,3}"
_PARTICLE: Final = r"(?:(?:van|von|der|den|de|la|le|di|del|da|al|bin|ter) ){0,2}"
_TITLED: Final = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Lord|Lady|Dame|Justice|Herr|Frau)\b\.? "
    rf"(?:(?:Justice|{_INITIALS}) ?)?{_PARTICLE}{_WORD}(?: {_PARTICLE}{_WORD}){{0,2}}"
)
_PEER: Final = re.compile(rf"\b(?:Lord|Lady|Baroness|Baron|Earl|Duke|Duchess|Viscount)(?: {_WORD})? of {_WORD}")
_SMALL_TITLE: Final = re.compile(
    r"(?<![\w.-])(?:mr|mrs|ms|miss|dr|prof)[.,]? (?!excel|word|office|teams|access|project)[a-zß-ÿ]{3,20}\b(?!['’.]\w)"
)
_JUDGE: Final = re.compile(rf"\b{_WORD}(?: {_WORD})? (?:LJ|LCJ|JJ|JA)\b")
_NAMED: Final = re.compile(r"(?i:\bmy name is|\bmy name's|\bcall me) ([^\W\d_][\w'’-]+(?: [^\W\d_][\w'’-]+){0,2})")
_INTRODUCED: Final = re.compile(
    r"(?i:\b(?:named|i am|i['’]?m|i m|this is|known as|nicknamed|"
    r"my (?:friend|boss|wife|husband|son|daughter|brother|sister|colleague|"
    r"boyfriend|girlfriend|mother|father|manager)))(?:,| is)? ([^\W\d_][\w'’-]+(?: [^\W\d_][\w'’-]+)?)"
)
_GREETED: Final = re.compile(
    rf"(?:^|[\"“.!?\n] ?)\W{{0,3}}(?:Dear|Hi|Hello|Hey|Thanks|Thank you),? ({_WORD}(?: {_WORD}){{0,2}})"
    r"(?=[ ]?[,!:/.\n]|$)",
    re.MULTILINE,
)
_SIGNED: Final = re.compile(
    r"(?i:\b(?:(?:best|kind|warm|warmest) (?:regards|wishes)|regards|sincerely(?: yours)?|yours (?:truly|faithfully)"
    rf"|cheers)),?[ \t]*\n?\s{{0,4}}({_WORD}(?: (?:[A-Z]\. ?)?{_WORD}){{0,2}})[ \t]*(?=\n|$|[,|])"
)
_LABEL: Final = re.compile(
    rf"(?i:\b(?:full|first|last|sur|patient|customer|client|employee|contact|applicant|candidate) ?name|^\W*name)"
    rf"\W{{1,4}}({_WORD}(?:[ ,]{{1,2}}{_WORD}\.?){{0,3}})",
    re.MULTILINE,
)
_CITED: Final = re.compile(
    rf"\b{_WORD}(?:(?:,| and| &) {_WORD}){{0,2}},? et al\b\.?"
    rf"|\b{_WORD}, (?:[A-ZÀ-Þ]\.[ -]?){{0,2}}[A-ZÀ-Þ]\.(?= ?(?:[,;&(]|and\b))"
    rf"|\b{_WORD}, {_WORD} [A-ZÀ-Þ]\.(?= )"
)
_MAIL: Final = re.compile(r"\b([A-Za-z]{2,20})[._-]([A-Za-z]{2,20})\d{0,4}@[A-Za-z0-9]")
_MOST_MAILS: Final = 50

_COMPANY: Final = re.compile(
    rf"\b({_WORD})(?: (?:[A-ZÀ-Þa-zß-ÿ][\w'’-]*\.?|&)){{0,4}}? (?i:company|group|university|bank|limited|ltd|llc|inc|"
    r"corporation|corp|gmbh|plc|hospital|college|institute|foundation|holdings|pvt ltd|pte\.? ltd)\b\.?"
)
_OF_PLACE: Final = re.compile(
    r"\b(?:University|Institute|College|Bank|Ministry|Department|School|Academy|Bureau|Embassy|Church|Museum|Library|"
    rf"Chamber) of (?:the )?{_WORD}(?: (?:and |of |for )?{_WORD}){{0,3}}"
)


def rule_spans(text: str, segments: Sequence[Segment], lists: Lists) -> list[NameSpan]:
    """Names behind a title, a label, a greeting or `my name is`, in a citation or a signature, initials for persons,
    companies by their endings, and the two words of a mail address where they stand as words."""
    found: list[NameSpan] = []
    lower = text.lower()
    whole = [(one, evidence) for one, evidence, words in _WHOLE if any(word in lower for word in words)]
    has_name = "name" in lower or "call me" in lower  # most texts do not: a look spares two searches of each segment
    for segment in segments:
        start, end = segment.start, segment.end
        for expression, evidence in whole:
            for match in expression.finditer(text, start, end):
                if match[0].split(",")[0].lower() not in FUNCTION_WORDS:
                    found.append(_person(*match.span(), evidence))
        for match in _SMALL_TITLE.finditer(text, start, end):
            word = match[0].rpartition(" ")[2]
            if word not in lists.common:
                found.append(_person(*match.span(), "title"))
        if has_name:
            for match in _LABEL.finditer(text, start, end):
                found.append(_person(*match.span(1), "label"))
            for match in _NAMED.finditer(text, start, end):
                found.extend(_until_word(text, match, lists))
        for match in _INTRODUCED.finditer(text, start, end):
            found.extend(_introduced(text, match, lists))
        for match in _GREETED.finditer(text, start, end):
            if _is_no_role(match[1], lists):
                found.append(_person(*match.span(1), "greeting"))
        found.extend(_companies(text, start, end, lists))
        found.extend(_small_pairs(text, start, end, lists))
    for match in _SIGNED.finditer(text) if any(word in lower for word in _CLOSINGS) else ():
        if _is_no_role(match[1], lists):
            found.append(_person(*match.span(1), "signature"))
    found.extend(_mail_words(text, lists))
    found.extend(_anonymised(text))
    return found


_WHOLE: Final = (
    (
        _TITLED,
        "title",
        ("mr", "ms", "miss", "mx", "dr", "prof", "sir", "lord", "lady", "dame", "justice", "herr", "frau"),
    ),
    (_PEER, "title", ("lord", "lady", "baron", "earl", "duke", "duchess", "viscount")),
    (_JUDGE, "title", (" lj", " lcj", " jj", " ja")),
    (_CITED, "citation", ("et al", ".")),
)
"""Expressions of which the whole match is a person, their evidence, and what must stand in a text for any."""
_CLOSINGS: Final = ("regards", "wishes", "sincerely", "yours", "cheers")


def _person(start: int, end: int, evidence: str) -> NameSpan:
    return NameSpan(start, end, "person", 0.8, f"rule: {evidence}")


def _until_word(text: str, match: re.Match[str], lists: Lists) -> Iterator[NameSpan]:
    end = match.start(1)
    for word in match[1].split(" "):
        if word.islower() and word in lists.common and word not in lists.given:
            break
        end = text.index(word, end) + len(word)
    if end > match.start(1):
        yield _person(match.start(1), end, "my name is")


def _introduced(text: str, match: re.Match[str], lists: Lists) -> Iterator[NameSpan]:
    """`i am belal`: what follows is a name when it is no word of the language. Known given names may be words, too."""
    end = match.start(1)
    for word in match[1].split(" "):
        lower = word.lower().removesuffix("'s").removesuffix("’s")
        is_word = (
            lower in lists.common or lower in FUNCTION_WORDS or lower in TECHNICAL or lower.capitalize() in PEOPLES
        )
        if is_word and (word.islower() or lower not in lists.given or lower in FUNCTION_WORDS):
            break
        if lower.endswith(("ing", "ed", "n't")) or "'" in lower or "’" in lower or len(lower) < 3:
            break
        end = text.index(word, end) + len(lower)
    if end > match.start(1) and not is_glued(text, match.start(1), end):
        yield _person(match.start(1), end, "introduced")


def _is_no_role(words: str, lists: Lists) -> bool:
    """`Dear Sir`, `Hi All`, `Dear Hiring Manager` greet nobody by name."""
    parts = words.lower().replace(".", "").split()
    return any(
        part in lists.given or part in lists.surnames or part not in lists.common
        for part in parts
        if part not in FUNCTION_WORDS and part not in _ROLES and part not in TECHNICAL
    )


_ROLES_WORDS = (
    "sir madam sirs team everyone all friend friends colleague colleagues customer customers client hiring "
    "manager editor editors recruiter professor doctor mr mrs ms dr guys folks world again member members "
    "parents students chair board committee reader readers valued partner partners support admin chatgpt claude "
    "assistant bot"
)
_ROLES: Final = frozenset(_ROLES_WORDS.split())


def _companies(text: str, start: int, end: int, lists: Lists) -> Iterator[NameSpan]:
    at = start
    while (match := _COMPANY.search(text, at, end)) is not None:
        if _is_company(match, lists):
            yield NameSpan(*match.span(), "organization", 0.7, "rule: company")
            at = match.end()
        else:
            at = match.end(1)  # `I worked in Xyzzy company`: it may begin with a later word
    for match in _OF_PLACE.finditer(text, start, end):
        yield NameSpan(*match.span(), "organization", 0.7, "rule: institution")


def _is_company(match: re.Match[str], lists: Lists) -> bool:
    first = match[1].lower()
    if first in FUNCTION_WORDS or (first in lists.common and not match[0].istitle()):
        return False
    small = [word for word in match[0].split()[1:-1] if word.islower() and word not in _LINKS]
    return len(small) <= 1 and not any(word in FUNCTION_WORDS for word in small)


_LINKS: Final = frozenset(("of", "and", "for", "the", "de"))
_COMMON_SURNAMES_WORDS = (
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson "
    "anderson thomas taylor moore jackson martin lee perez thompson harris sanchez clark ramirez lewis robinson "
    "allen wright scott torres nguyen hill flores adams nelson baker hall rivera campbell mitchell carter "
    "roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart morris morales murphy "
    "rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward richardson watson "
    "brooks chavez wood bennett gray mendoza ruiz hughes price alvarez castillo sanders patel myers long ross "
    "foster jimenez powell jenkins perry russell sullivan bell coleman butler henderson barnes gonzales fisher "
    "vasquez simmons graham murray walsh davies evans thomas hughes o'brien ryan wang li zhang liu chen yang "
    "huang zhao wu zhou xu sun zhu hu guo lin luo zheng liang xie tang feng deng cao peng zeng singh kumar "
    "sharma khan ali ahmed hussain gupta shah das mueller müller schmidt schneider fischer weber meyer wagner "
    "becker hoffmann dubois durand rossi russo ferrari bianchi silva santos oliveira souza ivanov petrov tanaka "
    "suzuki sato"
)
_COMMON_SURNAMES: Final = frozenset(_COMMON_SURNAMES_WORDS.split())
_NO_SURNAMES: Final = frozenset(
    (
        "long",
        "price",
        "wood",
        "hill",
        "hall",
        "ward",
        "bell",
        "cooper",
        "butler",
        "foster",
        "sun",
        "das",
        "gray",
        "reed",
    )
)
"""Behind a word that may be a given name these are more often words."""
_REACHED: Final = re.compile(
    r"\b(?:email|e-mail|mail|call|text|phone|message|msg|ping|dm|ask|tell|contact|cc|invite|meet|remind|notify|thank|pay|"
    r"hire|fire|with|from|by|for|to|and|or|about) ([a-z]{2,12} [a-z]{2,12})\b(?!['’-])"
)


def _small_pairs(text: str, start: int, end: int, lists: Lists) -> Iterator[NameSpan]:
    """`email will smith and may chen`: a given name and a frequent surname behind a word that takes a person."""
    for match in _REACHED.finditer(text, start, end):
        first, last = match[1].split(" ")
        if first not in lists.given or last not in _COMMON_SURNAMES:
            continue
        is_word = first in FUNCTION_WORDS and first not in ("will", "may")
        if not is_word and not (first in lists.common and last in _NO_SURNAMES):
            yield _person(*match.span(1), "small letters")


def _mail_words(text: str, lists: Lists) -> Iterator[NameSpan]:
    pairs: dict[str, None] = {}
    for match in _MAIL.finditer(text):
        if len(pairs) < _MOST_MAILS and match[1].lower() not in lists.common:
            pairs[f"{match[1]} {match[2]}".lower()] = None
    lower = text.lower() if pairs else ""
    if len(lower) != len(text):  # else a character grew, and places would be others
        return
    for pair in pairs:
        at = lower.find(pair)
        while at >= 0:
            if not is_glued(text, at, at + len(pair)):
                yield NameSpan(at, at + len(pair), "person", 0.7, "rule: mail")
            at = lower.find(pair, at + len(pair))


# ---- persons who are only letters, as courts and doctors write them -------------------------------------------------

_UPPER: Final = r"[A-ZÀ-ÞА-ЯҐӐ-Ӿ]"
_LETTERS: Final = re.compile(rf"(?<![\w.&/-]){_UPPER}\.[ -]?{_UPPER}(?:\.[ -]?{_UPPER})?\.?(?![\w/&])")
_NO_PERSON_WORDS = (
    "us uk eu un usa dc la ny nj ad bc bce ce qc kc pm am po pob ie eg no vs sa nv ag bv ca tv pc dj ok mc ps "
    "phd md ba ma bs ms rn ec ac mp sc cv iq id ph fc jd llm llb ussr uae lp ep cd"
)
_NO_PERSON: Final = frozenset(_NO_PERSON_WORDS.split())
_SEED: Final = re.compile(
    r"(?:[“\"‘]|\[|\b(?:Miss|Mr|Mrs|Ms|named|called|victim|complainant|witness|patient|child|son|daughter|mother|father|"
    r"wife|husband|applicant)[, ]+\(?[“\"]?)"
    rf"({_UPPER})(\.?)(?=[”\"’\],;:) ]|[’']s)"
)
_NO_SEED: Final = frozenset("AI")  # words by themselves
_ACTS: Final = (
    "was|is|had|has|did|does|were|would|could|who|and|said|told|gave|claimed|stated|submitted|lodged|made|asked|denied|"
    "testified|alleged|lived|left|went|filed|appealed|married|confirmed|failed|refused|to|by|for|also|against"
)


def _anonymised(text: str) -> Iterator[NameSpan]:
    """`C.Ç.`, and a single letter that acts like a person after it was introduced as one: “K”, Miss M."""
    for match in _LETTERS.finditer(text):
        letters = re.sub(r"[^\w]", "", match[0])
        if letters.lower() not in _NO_PERSON and not (match.end() < len(text) and text[match.end()] in "@("):
            yield NameSpan(*match.span(), "person", 0.55, "rule: initials")
    seeds: dict[str, bool] = {}
    for match in _SEED.finditer(text):
        if match[1] not in _NO_SEED:
            seeds.setdefault(match[1], bool(match[2]))
    for letter, has_dot in seeds.items():
        name = re.escape(letter) + (r"\." if has_dot else "")
        bare = re.compile(rf"(?<![\w.&/-]){name}(?![\w.&/-])")
        acts = re.compile(rf"(?<![\w.&/-]){name}(?: (?:{_ACTS})\b|[’']s\b)")
        if acts.search(text) is None:
            continue
        for match in bare.finditer(text):
            yield NameSpan(*match.span(), "person", 0.55, "rule: letter for a person")
