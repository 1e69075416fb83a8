"""Postal addresses in Latin script by their shape: house number and street word, unit, city, state, postcode; PO boxes.

Street words of the United States are those of USPS Publication 28, appendix C1
(https://pe.usps.com/text/pub28/28apc_002.htm, 2025); those of other languages are  knowledge.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import UPPER, value_after
from yuzui.privacy.surroundings import is_word

KIND = "postal_address"
_MOST = 160  # characters of one address
_STREETS_WORDS = """
    alley aly avenue ave av bayou beach bend bluff blf blvd boulevard bottom branch bridge brook burg bypass
    camp canyon cape causeway center centre circle cir cliff club common course court ct cove creek crescent
    cres crest crossing xing crossroad curve dale dam drive dr estate estates expressway expy extension fall
    falls ferry field fields ford forest forge fork forks fort freeway garden gardens gate gateway glen glens
    green greens grove groves harbor haven heights highway hwy hill hills hollow inlet island isle junction jct
    key knoll knolls lake lakes landing lane ln loaf lock locks lodge loop mall manor meadow meadows mews mill
    mills mission motorway mount mountain neck orchard oval overpass park parks parkway pkwy parkways pass
    passage path pike pine pines place pl plain plains plaza plz point prairie radial ramp ranch rapid rapids
    ridge rdg river road rd roads route row run shoal shoals shore shores skyway spring springs spur spurs
    square sq stravenue stream street st streets str summit terrace ter terr throughway trace track trafficway
    trail trl trailer tunnel turnpike tpke underpass valley via viaduct view views village ville vista walk
    walks way ways well wells close parade rise mead quay wharf broadway bowery hof platz promenade esplanade
    drove chase croft yard
"""
_STREETS: Final = frozenset(_STREETS_WORDS.split())
_BEFORE_WORDS = """
    rue avenue av boulevard bd chemin impasse allee place quai route via viale piazza corso largo strada calle c
    avda avenida paseo plaza carrer rua travessa praca estrada ulica ul ulice aleja al os plac rruga bulevar
    strada str sokak jalan jl phase 2nd
"""
_BEFORE: Final = frozenset(_BEFORE_WORDS.split())
"""Street words that stand before the name, as the Romance and Slavic languages have it."""
_ENDINGS_WORDS = """
    katu kuja polku tie gatan gata vagen vag vegen veien vei veg vej gade gaten alle straat laan weg plein
    singel kade gracht strasse straße str gasse allee damm stigen stien bakken svinget toftea grand stig backe
    parken utca ut ter krt dijk steeg hof pad ring holmen plads torv plan
"""
_ENDINGS: Final = tuple(_ENDINGS_WORDS.split())
_UNIT_WORDS = """
    apt apartment suite ste unit flat floor fl room rm bldg building box lot door kv etg
"""
_WORDS_OF_UNITS: Final = frozenset(_UNIT_WORDS.split())
_LOWER_BEFORE: Final = frozenset(("rue", "avenue", "avenida", "calle", "ulica", "ul", "boulevard", "strada", "rua"))
"""Those that people also begin with a small letter, and that are no English words."""
_HINTS: Final = _STREETS | _BEFORE
_SURE_ENDINGS: Final = tuple(one for one in _ENDINGS if len(one) >= 4)
_UNITS_BEFORE_WORDS = """
    u u. utca ut ut. ulica ter krt str str. st st. cesta ulice
"""
_UNITS_BEFORE: Final = frozenset(_UNITS_BEFORE_WORDS.split())
_DIRECTIONS_WORDS = """
    n s e w ne nw se sw north south east west northeast northwest southeast southwest
"""
_DIRECTIONS: Final = frozenset(_DIRECTIONS_WORDS.split())
_STATES_WORDS = """
    AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK
    OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR GU VI AS MP AA AE AP ON QC BC AB MB SK NS NB NL PE YT NT NU
    NSW VIC QLD TAS ACT
"""
_STATES: Final = frozenset(_STATES_WORDS.split())
_COUNTRIES_WORDS = """
    usa us u.s. u.s.a. states america kingdom uk england scotland wales ireland canada australia zealand germany
    deutschland france italy italia spain espana portugal netherlands belgium austria switzerland sweden norway
    denmark finland iceland poland czech republic slovakia slovenia hungary romania bulgaria greece cyprus
    croatia serbia estonia latvia lithuania ukraine russia turkey israel egypt africa tunisia morocco brazil
    brasil mexico argentina chile uruguay colombia peru india china japan korea singapore malaysia indonesia
    philippines thailand vietnam greenland luxembourg
"""
_COUNTRIES: Final = frozenset(_COUNTRIES_WORDS.split())
_MONTHS_WORDS = """
    january february march april may june july august september october november december jan feb mar apr jun
    jul aug sep sept oct nov dec am pm percent year years month months day days hours
"""
_MONTHS: Final = frozenset(_MONTHS_WORDS.split())
_SMALL_WORDS = """
    de del della delle dei di da do dos das la le les el los las du des van von der den het of the al am im y e
    i
"""
_SMALL: Final = frozenset(_SMALL_WORDS.split())
_CUES: Final = (
    "resides at", "residing at", "reside at", "lives at", "living at", "live at", "lived at", "lived in", "address is",
    "address:", "address to", "address", "located at", "stay at", "staying at", "ship to", "shipped to", "deliver to",
    "delivered to", "sent to", "mail to", "return to", "meet me at", "home at", "house at", "anschrift:", "adresse:",
    "domiciled at", "moved to", "office at", "corner of", "is at",
)  # fmt: skip  # a list of phrases


_POSTCODE: Final = UPPER | frozenset("-")
_UNIT_TRIGGERS: Final = ("apt", "suite", "ste", "unit", "flat")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    trigger = text[start:end].lower()
    if "box" in trigger:
        yield Hit(KIND, start, _extend(text, end), 0.9, "box")
        return
    if "code" in trigger or trigger == "plz" or trigger[0] in "邮郵":
        yield from _check_postcode(text, start, end)
        return
    if trigger[:3] in ("apo", "fpo", "dpo"):
        yield Hit(KIND, _line_before(text, start), end, 0.9, "military")
        return
    if trigger.startswith("corner"):
        last = _corner(text, end - 1)
        if last:
            yield Hit(KIND, start, last, 0.6, "crossing")
        return
    if trigger.startswith(_UNIT_TRIGGERS):
        first = _before_unit(text, start)
        if first >= 0:
            yield Hit(KIND, first, _extend(text, start), 0.8, "unit")
        return
    first = _first_of_number(text, start) if text[start].isdigit() else _first_of_word(text, start)
    if first < 0:
        return
    if text[start].isdigit() and not _may_be_street(text, first):
        return
    last, confidence = _street(text, first)
    if last:
        first = _with_numbers_before(text, first)
        yield Hit(KIND, first, _extend(text, last), confidence, "street")


def _check_postcode(text: str, start: int, end: int) -> Iterable[Hit]:
    found = value_after(text, end, _POSTCODE, reach=16)
    if found is None or is_word(text, start - 1):
        return
    value = text[found[0] : found[1]]
    if 3 <= len(value) <= 10 and any(char.isdigit() for char in value) and not is_word(text, found[1]):
        yield Hit(KIND, *found, 0.7, "postcode", because(label=True))


def _may_be_street(text: str, first: int) -> bool:
    """A quick no for most numbers: no street word follows and nothing announces an address."""
    line = text[first : first + 64]
    words = line.partition("\n")[0].lower().replace(",", " ").replace(".", " ").split()
    if len(words) < 2 or words[1] in _MONTHS:
        return False
    return (
        not _HINTS.isdisjoint(words[1:8])
        or any(word.endswith(_ENDINGS) for word in words[1:5])
        or _is_announced(text, first)
    )


def _line_before(text: str, at: int) -> int:
    """The start of `PSC 1234, Box 5678` or of a ship's name in front of a military post office."""
    first = at
    while first and text[first - 1] in " ,\n>?":
        first -= 1
    least = max(0, first - 30)
    for marker in ("psc ", "unit ", "cmr ", "uss ", "uscgc ", "usns ", "usnv "):
        found = (
            text.lower().rfind(marker, least, first)
            if len(text) < 4096
            else least + text[least:first].lower().rfind(marker)
        )
        if found >= least:
            return found
    return at


def _corner(text: str, at: int) -> int:
    """Behind `Main Street and 5th Avenue`; 0 when no two names stand there."""
    words = _words(text, at, 12)
    joined = next((i for i, (word, _, _) in enumerate(words) if word in ("and", "&")), 0)
    if not 0 < joined <= 6 or joined + 1 >= len(words) or not _is_name(words[joined + 1][0]):
        return 0
    last = joined + 1
    while (
        last + 1 < len(words)
        and last - joined < 4
        and words[last + 1][1] - words[last][2] == 1
        and _is_name(words[last + 1][0])
    ):
        last += 1
    return words[last][2]


def _before_unit(text: str, at: int) -> int:
    """Where the street in front of `Apt. 12` begins: at most seven words back, on this line or the last; -1: none."""
    first = at
    while first and text[first - 1] in " ,\n\r\t>?\\" and at - first < 12:
        first -= 1
    begin = -1
    has_digit = False
    for _ in range(7):
        last = first
        while first and (text[first - 1].isalnum() or text[first - 1] in "'-./"):
            first -= 1
        word = text[first:last]
        is_prose = word.isalpha() and word.islower() and word not in _SMALL and word not in _BEFORE and begin >= 0
        if not word or is_prose or word in ("at", "is", "to", "on", "in", "and") or word.endswith((":", "//")):
            break
        if word[0].isdigit() and len(word) <= 6:
            begin, has_digit = first, True
        elif (word[0].isupper() and word.lower() not in ("mr.", "mrs.", "ms.", "dr.")) and (
            begin == last + 1 or has_digit
        ):
            begin = first if text[first - 1 : first] in (" ", "") else begin
        if first == 0 or text[first - 1] not in " ,":
            break
        first -= 1
        if first and text[first - 1] in " ,":
            first -= 1
    return begin if has_digit else -1


def _first_of_number(text: str, at: int) -> int:
    """The first digit of the number around `at`; -1 when it is a part of something else."""
    while at and text[at - 1].isdigit():
        at -= 1
    before = text[at - 1 : at]
    return -1 if before.isalnum() or before in ("$", ".", "-", "/", ":", "_", "%", "+", "=", "#", "£", "€") else at


def _first_of_word(text: str, at: int) -> int:
    """The first letter of the word around `at`; of the word before when a street word stands alone: `Lange Gasse 7`."""
    behind = at
    while at and (text[at - 1].isalpha() or text[at - 1] in "-'"):
        at -= 1
    if at < behind or text[at - 1 : at] != " " or text[at : at + 12].partition(" ")[0].lower() in _BEFORE:
        return at
    first = at - 1
    while first and (text[first - 1].isalpha() or text[first - 1] in "-'"):
        first -= 1
    return first if text[first].isupper() else at


def _with_numbers_before(text: str, first: int) -> int:
    """`846 31 Rue …`: a second number right before belongs to it."""
    at = first
    if at >= 2 and text[at - 1] == " " and text[at - 2].isdigit():
        at -= 1
        while at and text[at - 1].isdigit():
            at -= 1
        if first - at <= 8 and not text[at - 1 : at].isalnum() and text[at - 1 : at] not in ("$", ".", "-", "/", ":"):
            return at
    return first


def _words(text: str, at: int, most: int) -> list[tuple[str, int, int]]:
    """(word, start, end) of the next words on this line and what follows it; numbers count as words."""
    found: list[tuple[str, int, int]] = []
    limit = min(len(text), at + _MOST)
    while at < limit and len(found) < most:
        char = text[at]
        if char.isalnum() or char == "#":
            last = at + 1
            while last < limit and (
                text[last].isalnum() or (text[last] in "'-./" and text[last + 1 : last + 2].isalnum())
            ):
                last += 1
            found.append((text[at:last], at, last))
            at = last
        elif (
            char == "."
            and found
            and len(found[-1][0]) > 3
            and not found[-1][0].endswith("str")  # Hauptstr. 5
            and text[at + 1 : at + 2] in (" ", "\n", "")
        ):
            break  # the end of a sentence, not of an abbreviation
        elif char in " ,.\\":
            at += 1
        else:
            break
    return found


def _street(text: str, first: int) -> tuple[int, float]:
    """(where the street with its number ends, how sure); 0 when none begins at `first`."""
    words = _words(text, first, 9)
    if not words:
        return 0, 0.0
    has_number = words[0][0][0].isdigit()
    begins = 1 if has_number else 0
    if begins >= len(words) or (has_number and len(words[0][0]) > 7):
        return 0, 0.0
    if has_number and words[begins][0].isdigit() and begins + 1 < len(words):
        begins += 1  # two numbers before the name
    at = _end_of_name(text, words, begins)
    if at < 0 or at == begins:
        return 0, 0.0
    opening = _with_numbers_before(text, first)
    is_announced = _is_announced(text, opening)
    if has_number:
        street = next((i for i in range(at - 1, begins, -1) if _plain(words[i][0]) in _STREETS), 0)
        if street and (is_announced or opening < first or not _is_year(words[0][0])):
            return _behind_street(words, street), 0.85
    following = words[at][0] if at < len(words) else ""
    is_house = following[:1].isdigit() and len(following) <= 5 and "/" not in following
    before = _plain(words[begins][0])
    if before in _BEFORE and at - begins >= 2 and (is_house or (has_number and len(before) > 2)):
        return (words[at][2] if is_house else words[at - 1][2]), 0.75
    for i in range(begins, min(at, begins + 4)):
        word = _plain(words[i][0])
        if (word.endswith(_ENDINGS) and len(word) > 5) or (i > begins and word in _UNITS_BEFORE):
            if i == at - 1 and is_house:
                return words[at][2], 0.8
            if has_number and (is_announced or not _is_year(words[0][0])) and word.endswith(_SURE_ENDINGS):
                return words[i][2], 0.7
    if is_announced and (has_number or is_house):
        return (words[at][2] if is_house and len(following) <= 4 else words[at - 1][2]), 0.6
    return 0, 0.0


def _end_of_name(text: str, words: list[tuple[str, int, int]], begins: int) -> int:
    """The index behind the words that can be the name of a street; -1 when a date or an amount stands there."""
    at = begins
    while at < len(words) and at - begins < 6:
        word, start, _ = words[at]
        if at > begins and "," in text[words[at - 1][2] : start]:
            break
        if _plain(word) in _MONTHS and (at == begins or at + 1 == len(words) or words[at + 1][0][0].isdigit()):
            return -1
        if not (
            _is_name(word)
            or (_plain(word) in _SMALL and at + 1 < len(words))
            or (at > begins and (_plain(word) in _STREETS or _plain(word) in _UNITS_BEFORE))
            or (at == begins and word in _LOWER_BEFORE)
        ):
            break
        at += 1
    return at


def _plain(word: str) -> str:
    return word.lower().rstrip(".")


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdigit() and word[:2] in ("18", "19", "20")


def _behind_street(words: list[tuple[str, int, int]], at: int) -> int:
    """Behind the last street word and a direction: `Allison Street Northeast`, `Crystal Falls Road`."""
    while at + 1 < len(words) and words[at + 1][1] - words[at][2] == 1:
        following = words[at + 1][0]
        lower = following.lower()
        if (lower in _STREETS and following[0].isupper()) or (
            lower in _DIRECTIONS and (following[0].isupper() or len(lower) > 2)
        ):
            at += 1
        else:
            break
    if (
        at + 1 < len(words)
        and words[at + 1][0][0].isdigit()
        and len(words[at + 1][0]) <= 4
        and words[at + 1][1] - words[at][2] == 1
    ):
        return words[at + 1][2]
    return words[at][2]


def _is_name(word: str) -> bool:
    return word[0].isupper() or (word[0].isdigit() and word[-2:].lower() in ("st", "nd", "rd", "th"))


def _is_announced(text: str, at: int) -> bool:
    before = text[max(0, at - 28) : at].lower().rstrip(" ,:\n>?")
    return before.endswith(tuple(cue.rstrip(":") for cue in _CUES))


def _extend(text: str, end: int) -> int:
    """Over unit, city, state, country and postcode behind a street, as far as one of these still comes."""
    at = last = end
    limit = min(len(text), end + 110)
    names = 0
    is_behind_unit = has_state = False
    while at < limit:
        skipped = at
        while skipped < limit and text[skipped] in " ,\n\r\t>?\\.-()/":
            skipped += 1
        gap = text[at:skipped]
        if (
            skipped >= limit
            or gap.count("\n") > 2
            or ((". " in gap or "? " in gap) and "\n" not in gap)
            or not (text[skipped].isalnum() or text[skipped] == "#")
        ):
            break
        behind = skipped + 1
        while behind < limit and (text[behind].isalnum() or text[behind] in "'-"):
            behind += 1
        word = text[skipped:behind].rstrip("-'")
        behind = skipped + len(word)
        lower = word.lower()
        if not word or (not gap and at != end):
            break
        if lower in _WORDS_OF_UNITS or word == "#":
            number = _words(text, behind, 1)
            if not number or not (number[0][0][0].isdigit() or len(number[0][0]) == 1) or number[0][1] - behind > 3:
                break
            at = last = number[0][2]
            names = 0
            is_behind_unit = True
            continue
        if word in _STATES or lower in _COUNTRIES or lower == "nan":
            at = last = behind
            names = 0
            has_state = word in _STATES
            is_behind_unit = False
            continue
        has_digits = any(char.isdigit() for char in word)
        if has_digits:
            if not 3 <= len(word) <= 10 or not (_looks_like_postcode(word)) or _goes_on_as_number(text, behind):
                break
            at = last = behind
            if len(word) <= 4:  # `SW1A 2AA`, `340 12`
                following = _words(text, behind, 1)
                if (
                    following
                    and following[0][1] - behind == 1
                    and 2 <= len(following[0][0]) <= 3
                    and following[0][0][0].isdigit()
                ):
                    at = last = following[0][2]
            is_behind_unit = not has_state and not names and word.isdigit()  # 75001 Paris
            names = 0
            continue
        if (
            (word[0].isupper() or lower in _SMALL)
            and names < 4
            and ("," in gap or "\n" in gap or names or is_behind_unit)
        ):
            names += 1
            at = behind
            if is_behind_unit and gap == " " and names <= 2 and word[0].isupper():
                last = behind  # `Apt. 576 Voormezele`
            continue
        break
    return last


def _looks_like_postcode(word: str) -> bool:
    digits = sum(char.isdigit() for char in word)
    return (
        (word.replace("-", "").isdigit() and 4 <= digits <= 9)
        or (word.isupper() and 1 <= digits <= 4 and len(word) <= 7)
        or (word.isdigit() and digits == 3)
    )


def _goes_on_as_number(text: str, at: int) -> bool:
    """`085 175 7641`: not a postcode but a telephone number in the next line."""
    return text[at : at + 1] in ("-", ".", "/", ":") and text[at + 1 : at + 2].isdigit()


DETECTOR = Detector(
    levels={KIND: "confidential"},
    patterns=(
        Pattern(regex=r"[0-9][A-Za-z]?,? +(?:[A-Z]|[0-9]{1,3}(?:st|nd|rd|th))"),
        Pattern(
            regex=r"(?:katu|kuja|gatan|gata|vagen|vegen|veien|vej|gade|gaten|straat|laan|weg|strasse|straße"
            r"|str\.?|gasse|allee|utca|plein|gracht|kade|alle|stigen|stien) [0-9]",
            ignore_case=True,
        ),
        Pattern(
            regex=r"(?:rue|avenue|avenida|avda\.|calle|carrer|rua|via|viale|piazza|corso|chemin|impasse"
            r"|boulevard|ulica|ul\.|rruga|paseo|plaza|travessa) [A-Za-z]+ [A-Za-z0-9]",
            ignore_case=True,
        ),
        Pattern(regex=r"p\.? ?o\.? ?box:? ?#?[0-9]{1,6}", ignore_case=True),
        Pattern(regex=r"(?:postbox|(?:psc|unit|cmr) [0-9]{1,5},? box) ?[0-9]{1,6}", ignore_case=True),
        Pattern(regex=r"(?:apo|fpo|dpo),? (?:aa|ae|ap),? [0-9]{5}", ignore_case=True),
        Pattern(regex=r"(?:apt\.?|apartment|suite|unit|flat) ?#?[0-9]", ignore_case=True),
        Pattern(regex=r"corner of [A-Z0-9]"),
        Pattern(regex=r"(?:zip|postal) ?code|postcode|plz", ignore_case=True),
        Pattern(regex="(?:邮编|邮政编码|郵遞區號|郵編)"),
    ),
    check=_check,
)
