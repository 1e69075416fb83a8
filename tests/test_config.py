"""The configuration: what is right works as it stands, what is wrong is named by its TOML path with what to write."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from yuzui import config
from yuzui.accounting.price_factors import parse_factors
from yuzui.config import Config, load, read
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import NameRules
from yuzui.providers.catalogue import load_rows

TARGET = '[[targets]]\nname = "a"\nprovider = "scripted"\nmodel = "scripted"\nprice = "free"\n'
VENDOR = '[[targets]]\nname = "v"\nprovider = "openai"\nmodel = "m"\n'

EXAMPLE = """
[server]
port = 8080

[[targets]]
name = "house/qwen"
provider = "vllm"                        # a row of openai_compatible.toml, or a codec's file name
base_url = "http://127.0.0.1:8000/v1"
model = "Qwen/Qwen3-32B"
premises = "own"                         # own | vendor
clearance = "restricted"
jurisdiction = "CN"
price = "free"                           # or as below; left out: the price library

[[targets]]
name = "deepseek/chat"
provider = "deepseek"
model = "deepseek-chat"
api_key = { env = "DEEPSEEK_API_KEY" }
premises = "vendor"
clearance = "internal"
jurisdiction = "CN"
price = { currency = "USD", input = 0.28, cached_input = 0.028, output = 0.42 }   # per million tokens

[[models]]                               # virtual models; `auto`, `own`, `vendor` exist without being named
name = "assistant"
candidates = ["house/qwen", "deepseek/chat"]
policy = "own_first"
fallback = true

[sensitivity]
levels = ["public", "internal", "confidential", "restricted"]
default = "internal"

[sensitivity.kinds]                      # finding kind → level; the defaults are sensible
"cn_resident_id" = "restricted"
"email" = "confidential"
"""


def parse(text: str, **environ: str) -> Config:
    return read(text, environ, source=Path("t.toml"))


def test_the_example_of_the_contract_works_as_it_stands() -> None:
    made = parse(EXAMPLE, DEEPSEEK_API_KEY="vendor-secret")
    house, deepseek = made.targets
    assert (house.name, house.codec, house.premises, house.clearance, house.jurisdiction) == (
        "house/qwen", "openai", "own", 3, "CN"
    )  # fmt: skip
    assert house.price is not None and house.price.is_free
    assert (deepseek.clearance, deepseek.api_key, deepseek.retains_data) == (1, "vendor-secret", True)
    assert deepseek.price is not None
    assert (deepseek.price.input_pico, deepseek.price.cached_input_pico) == (280_000, 28_000)
    (assistant,) = made.models
    assert (assistant.candidates, assistant.may_fall_back) == (("house/qwen", "deepseek/chat"), True)
    assert (made.sensitivity.default, made.sensitivity.kinds["email"]) == (1, 2)
    assert not made.embedded.enabled and not made.warnings and not made.price_lookups


# ---- what is wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # unknown keys, at every level
        ("x = 1\n" + TARGET, "x: unknown key; known are answers, audit, capture, embedded, masking, models, money, sensitivity, server, stored_responses, targets"),
        ("[server]\nprot = 1\n" + TARGET, "server.prot: unknown key; did you mean 'port'?"),
        (TARGET + "wieght = 2\n", "targets[0].wieght: unknown key; did you mean 'weight'?"),
        (TARGET + "timeouts = { totl_s = 3 }\n", "targets[0].timeouts.totl_s: unknown key; did you mean 'total_s'?"),
        (TARGET + 'quirks = { pth = "x" }\n', "targets[0].quirks.pth: unknown key; did you mean 'path'?"),
        (TARGET + 'api_key = { evn = "X" }\n', "targets[0].api_key.evn: unknown key; did you mean 'env'?"),
        (TARGET.replace('"free"', '{ currency = "USD", inptu = 1, output = 1 }'),
         "targets[0].price.inptu: unknown key"),
        (TARGET + '[[models]]\nname = "m"\ncandidate = ["a"]\n',
         "models[0].candidate: unknown key; did you mean 'candidates'?"),
        ('[sensitivity]\nlevles = ["a", "b"]\n' + TARGET, "sensitivity.levles: unknown key; did you mean 'levels'?"),
        ('[sensitivity.kinds]\nemial = "public"\n' + TARGET,
         "sensitivity.kinds.emial: no detector finds 'emial'; did you mean 'email'?"),
        ('[sensitivity.kinds]\naddress = "public"\n' + TARGET,
         "sensitivity.kinds.address: no detector finds 'address'; it is called 'postal_address' now"),
        ('[masking]\nkinds = ["address"]\n' + TARGET,
         "masking.kinds: no detector finds 'address'; it is called 'postal_address' now"),
        ('[[sensitivity.patterns]]\nkind = "a"\nregexp = "x"\n' + TARGET,
         "sensitivity.patterns[0].regexp: unknown key; did you mean 'regex'?"),
        ('[[sensitivity.terms]]\nkind = "a"\nterm = ["x"]\n' + TARGET,
         "sensitivity.terms[0].term: unknown key; did you mean 'terms'?"),
        ("[embedded]\nparalel = 2\n" + TARGET, "embedded.paralel: unknown key; did you mean 'parallel'?"),
        ('[money]\ncurency = "USD"\n' + TARGET, "money.curency: unknown key; did you mean 'currency'?"),
        ('[audit]\norgin = "x"\n' + TARGET, "audit.orgin: unknown key; did you mean 'origin'?"),
        # wrong types and values
        ('[server]\nport = "8080"\n' + TARGET, "server.port: expected `int`, got `str`"),
        ("[server]\nprot = 8080\n", "server.prot: unknown key; did you mean 'port'?"),
        ("[server]\nport = 65536\n" + TARGET, "server.port: expected `int` <= 65535"),
        ("[server]\nport = true\n" + TARGET, "server.port: expected `int`, got `bool`"),
        ("[server]\nheartbeat_s = 0\n" + TARGET, "server.heartbeat_s: expected `float` >= 0.1"),
        ("[server]\nheartbeat_s = nan\n" + TARGET, "server.heartbeat_s: expected `float`"),
        ("[server]\ndrain_timeout_s = inf\n" + TARGET, "server.drain_timeout_s: expected `float` <= 86400"),
        ("[audit]\npublish_interval_s = -1\n" + TARGET, "audit.publish_interval_s: expected `float`"),
        (TARGET + "max_queue = -1\n", "targets[0].max_queue: expected `int` >= 0"),
        (TARGET + "timeouts = { total_s = 0 }\n", "targets[0].timeouts.total_s: seconds above zero"),
        (TARGET + "timeouts = { total_s = nan }\n", "targets[0].timeouts.total_s: seconds above zero"),
        (TARGET + "timeouts = { total_s = inf }\n", "targets[0].timeouts.total_s: seconds above zero"),
        (TARGET + 'premises = "mine"\n', "targets[0].premises: invalid enum value 'mine'; it is one of own, vendor"),
        (TARGET + 'lacks = ["tolls"]\n',
         "targets[0].lacks[0]: invalid enum value 'tolls'; it is one of audio, files, images"),
        (TARGET + 'quirks = { auth = "basic" }\n',
         "targets[0].quirks.auth: invalid enum value 'basic'; it is one of api-key, bearer"),
        (TARGET + 'clearance = "top"\n',
         "targets[0].clearance: 'top' is no sensitivity level; the levels are public, internal"),
        ('[[targets]]\nname = "a"\n', "targets[0]: object missing required field `provider`"),
        ("targets = 3\n", "targets: expected `array`, got `int`"),
        ('[sensitivity]\nlevels = ["a"]\n' + TARGET, "sensitivity.levels needs at least two"),
        ('[sensitivity]\nlevels = ["a", "a"]\n' + TARGET, "sensitivity.levels needs at least two different names"),
        ('[sensitivity]\ndefault = "secret"\n' + TARGET, "sensitivity.default: 'secret' is no sensitivity level"),
        ("[money.rates]\nCNY = 0\n" + TARGET, "money.rates.CNY must be above zero"),
        ("[money.rates]\nCNY = nan\n" + TARGET, "money.rates.CNY must be above zero"),
        ('[money.rates]\nCNY = "x"\n' + TARGET, "money.rates.CNY is not a number: 'x'"),
        ("[money.rates]\nUSD = 2\n" + TARGET, "money.rates.USD: the book currency's own rate is 1"),
        # names and references
        (TARGET + TARGET, "targets[1].name: 'a' is used twice"),
        (TARGET.replace('"a"', '" a"'), "targets[0].name: ' a' is not a usable name"),
        (TARGET.replace('"a"', '"a\\nb"'), "targets[0].name:"),
        (TARGET.replace('provider = "scripted"', 'provider = "vlm"'),
         "targets[0].provider: 'vlm' is unknown; did you mean 'vllm'?"),
        (TARGET + '[[models]]\nname = "m"\ncandidates = ["b"]\n',
         "models[0].candidates: no target is named 'b'; known are a"),
        (TARGET + '[[models]]\nname = "m"\ncandidates = []\n', "models[0].candidates: name at least one target"),
        (TARGET + '[[models]]\nname = "a"\ncandidates = ["a"]\n', "models[0].name: 'a' is a target's name already"),
        (TARGET + '[[models]]\nname = "m"\ncandidates = ["a"]\npolicy = "cheapst"\n',
         "models[0].policy: 'cheapst' is unknown; did you mean 'cheapest'?"),
        (TARGET + '[[models]]\nname = "m"\ncandidates = ["a"]\nweights = { b = 1 }\n', "no target is named 'b'"),
        (TARGET.replace('"free"', '{ currency = "CNY", input = 1, output = 1 }'),
         "targets[0].price.currency: no rate from CNY to USD"),
        # secrets and addresses
        (VENDOR + 'api_key = "x"\n',
         'targets[0].api_key: secrets stay out of this file; write api_key = { env = "NAME" }'),
        (VENDOR + "api_key = {}\n", "targets[0].api_key: name exactly one of `env` and `file`"),
        (VENDOR + 'api_key = { env = "A", file = "b" }\n', "targets[0].api_key: name exactly one of `env` and `file`"),
        (VENDOR + 'api_key = { file = "/nowhere/key" }\n', "targets[0].api_key.file: /nowhere/key cannot be read"),
        (VENDOR + 'base_url = "http://vendor.example/v1"\n',
         "targets[0].base_url: a vendor is reached over https only"),
        (VENDOR + 'base_url = "https://user:x@vendor.example"\n', "targets[0].base_url:"),
        (VENDOR + 'base_url = "https://vendor.example?key=1"\n', "targets[0].base_url:"),
        (VENDOR + 'base_url = "file:///etc/passwd"\n', "targets[0].base_url:"),
        # the file
        ("a = 1\na = 2\n", "not valid TOML:"),
        ('[[targets]]\nname = "a"\nname = "b"\n', "not valid TOML:"),
        ("[", "not valid TOML:"),
        ("", "no target is configured; add a [[targets]] table"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert words in caught.value.message
    assert "\n" not in caught.value.message.split(words)[0]


def test_a_secret_in_the_file_is_never_repeated_by_the_message() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(VENDOR + 'api_key = "very-secret-words"\n')
    assert "very-secret" not in caught.value.message


# ---- targets -------------------------------------------------------------------------------------------------------


def test_a_vendor_on_loopback_may_be_plain_http() -> None:
    (target,) = parse(VENDOR + 'base_url = "http://127.0.0.1:9/v1/"\n').targets
    assert target.base_url == "http://127.0.0.1:9/v1"


def test_without_a_word_a_vendor_sees_the_default_level_only_and_an_own_target_everything() -> None:
    own = '[[targets]]\nname = "o"\nprovider = "vllm"\nbase_url = "http://gpu.internal:8000/v1"\nmodel = "m"\n'
    house, vendor = parse(own + VENDOR).targets
    assert (house.premises, house.clearance, house.retains_data) == ("own", 3, False)
    assert (vendor.premises, vendor.clearance, vendor.retains_data, vendor.trains_on_data) == ("vendor", 1, True, False)
    assert vendor.price is None  # unknown until the library is asked, and never free by accident
    assert "price" in vendor.price_help and "targets[1]" in vendor.price_help


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("from-file\n", "utf-8")
    text = VENDOR + f'api_key = {{ file = "{key.as_posix()}" }}\n'
    assert read(text, {}, source=None).secret_files == (key,)
    assert parse(text).targets[0].api_key == "from-file"
    assert parse(VENDOR, OPENAI_API_KEY="usual").targets[0].api_key == "usual"
    missing = parse(VENDOR + 'api_key = { env = "MINE" }\n', OPENAI_API_KEY="usual")
    assert missing.targets[0].api_key == ""  # another key than the one that was named is never sent
    assert missing.warnings == ("targets[0].api_key: the environment variable MINE is not set; v will refuse us",)


def test_timeouts_and_quirks_change_what_they_name_and_nothing_else() -> None:
    (plain,) = parse(VENDOR).targets
    (changed,) = parse(
        VENDOR + 'timeouts = { total_s = 9 }\nquirks = { drops = ["seed"], headers = { x-team = "a" } }\n'
    ).targets
    assert (changed.timeouts.total_s, changed.timeouts.connect_s) == (9, plain.timeouts.connect_s)
    assert (changed.quirks.drops, dict(changed.quirks.headers)) == (frozenset({"seed"}), {"x-team": "a"})
    assert changed.quirks.max_tokens_field == plain.quirks.max_tokens_field == "max_completion_tokens"


def test_a_price_that_looks_like_a_slip_of_the_unit_is_warned_about() -> None:
    made = parse(TARGET.replace('"free"', '{ currency = "USD", input = 0.000003, output = 1 }'))
    assert "looks like a price per token" in made.warnings[0]


def test_a_rate_makes_another_currency_usable() -> None:
    cny = TARGET.replace('"free"', '{ currency = "CNY", input = 1, output = 1 }')
    made = parse("[money.rates]\nCNY = 0.14\n" + cny)
    assert str(made.money.rates["CNY"]) == "0.14" and made.money.rates["USD"] == 1


# ---- levels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (["public", "internal", "confidential", "restricted"], {"email": 2, "bank_card": 3}),
        (["open", "closed"], {"email": 1, "bank_card": 1}),
        (["a", "b", "c"], {"email": 2, "bank_card": 2}),
        (["0", "1", "2", "3", "4", "5", "6"], {"email": 4, "bank_card": 6}),
    ],
)
def test_built_in_kinds_are_mapped_by_rank_to_the_stricter_side(levels: list[str], expected: dict[str, int]) -> None:
    rules = parse(f"[sensitivity]\nlevels = {levels!r}\n" + TARGET).sensitivity
    assert {kind: rules.kinds[kind] for kind in expected} == expected
    assert (rules.default, rules.unscannable) == (1, len(levels) - 1)


def test_the_operators_own_kinds_are_the_highest_level_unless_said_otherwise() -> None:
    text = """
[[sensitivity.patterns]]
kind = "project"
regex = "PRJ-[0-9]+"
[[sensitivity.terms]]
kind = "customer"
terms = ["Acme", "鱼嘴"]
[sensitivity.kinds]
customer = "confidential"
"""
    rules = parse(text + TARGET).sensitivity
    assert (rules.kinds["project"], rules.kinds["customer"]) == (3, 2)
    assert (rules.patterns[0].regex, rules.terms[0].terms) == ("PRJ-[0-9]+", ("Acme", "鱼嘴"))


# ---- operations, other codecs, credentials -----------------------------------------------------------------------------

ENTRA = (
    VENDOR
    + """price = "free"
[targets.auth]
kind = "entra_id"
tenant_id = "t"
client_id = "c"
client_secret = { env = "SECRET" }
"""
)


def test_a_target_says_what_it_serves_what_it_also_speaks_and_where_it_lies() -> None:
    text = VENDOR + 'price = "free"\nserves = ["embeddings"]\nalso_speaks = []\nparameters = { project_id = "p" }\n'
    found = parse(text).targets[0]
    assert (found.serves, found.also_speaks, found.parameters) == (frozenset({"embeddings"}), (), {"project_id": "p"})
    usual = parse(VENDOR + 'price = "free"\n').targets[0]
    assert (usual.serves, usual.also_speaks) == (frozenset({"chat"}), ("openai_responses",))


def test_credentials_are_read_by_reference_and_take_the_place_of_a_key() -> None:
    found = read(ENTRA, {"SECRET": "hush", "OPENAI_API_KEY": "k"}, source=Path("x.toml")).targets[0]
    assert found.auth is not None and found.auth.settings == {
        "tenant_id": "t",
        "client_id": "c",
        "client_secret": "hush",
    }
    assert found.api_key == ""
    assert "hush" not in repr(found.auth) and "hush" not in repr(found)


def test_a_secret_whose_variable_is_not_set_is_told_at_start() -> None:
    assert read(ENTRA, {}, source=Path("x.toml")).warnings == (
        "targets[0].auth.client_secret: the environment variable SECRET is not set; the target cannot be reached",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ENTRA.replace("entra_id", "kerberos"), "targets[0].auth.kind is one of aws_sigv4, baidu_iam, entra_id"),
        (ENTRA.replace("tenant_id", "tenant"), "targets[0].auth.tenant: unknown key; did you mean 'tenant_id'?"),
        (ENTRA.replace('tenant_id = "t"\n', ""), "targets[0].auth.tenant_id is missing; kind 'entra_id' needs it"),
        (ENTRA.replace('{ env = "SECRET" }', '"hush"'), 'write client_secret = { env = "NAME" }'),
        (ENTRA.replace('{ env = "SECRET" }', "{}"), "name exactly one of `env` and `file`"),
        (ENTRA.replace('"t"', "1"), "targets[0].auth.tenant_id: write a text"),
        (ENTRA.replace("[targets.auth]", 'api_key = { env = "SECRET" }\n[targets.auth]'), "write one of them"),
        (VENDOR + 'also_speaks = ["openai_respones"]\n', "did you mean 'openai_responses'?"),
        (VENDOR + 'also_speaks = ["openai_embeddings"]\n', "'openai_embeddings' is no codec for chat"),
        (VENDOR + 'serves = ["poems"]\n', "targets[0].serves[0]: invalid enum value"),
        (
            VENDOR.replace('"openai"', '"anthropic"') + 'serves = ["chat", "speech", "embeddings"]\n',
            "targets[0].serves: provider 'anthropic' cannot be asked for embeddings, speech here, only for chat, "
            "completions, count_tokens; give the model a target of another provider",
        ),
        (
            VENDOR.replace("openai", "vertex"),
            "targets[0].parameters.project_id is missing; provider 'vertex' needs that",
        ),
        (
            VENDOR.replace("openai", "watsonx"),
            "targets[0].parameters.project_id is missing; provider 'watsonx' needs one of project_id, space_id, "
            "deployment_id",
        ),
        ("[stored_responses]\nretention_days = -1\n" + TARGET, "stored_responses.retention_days"),
    ],
)
def test_what_is_wrong_with_credentials_and_operations_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, {"SECRET": "hush"}, source=Path("x.toml"))
    assert words in caught.value.message
    assert "hush" not in caught.value.message


def test_prices_per_piece_stand_beside_or_instead_of_those_per_token() -> None:
    text = VENDOR + 'price = { currency = "USD", image = 0.04, second = "0.0001", tools = { web_search = 0.01 } }\n'
    price = parse(text).targets[0].price
    assert price is not None and not price.is_free
    assert (price.image_pico, price.second_pico, price.tool_pico) == (
        40_000_000_000,
        100_000_000,
        {"web_search": 10**10},
    )
    assert price.input_pico == price.output_pico == 0
    dearer = parse(text.replace("0.04", "0.05")).targets[0].price
    assert dearer is not None and dearer.version != price.version
    with pytest.raises(ConfigError, match=r"targets\[0\].price.tools: write the price of one call"):
        parse(text.replace("{ web_search = 0.01 }", "1"))


# ---- files and defaults --------------------------------------------------------------------------------------------


def test_without_a_file_there_is_the_embedded_model_and_every_vendor_whose_key_is_set() -> None:
    alone = read("", {}, source=None)
    assert [target.name for target in alone.targets] == ["own/smollm2-135m"]
    assert alone.embedded.enabled and alone.targets[0].engine == "smollm2-135m" and alone.targets[0].clearance == 3
    both = read("", {"DEEPSEEK_API_KEY": "d", "ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": ""}, source=None)
    assert {target.provider for target in both.targets} == {"llama_cpp", "deepseek", "anthropic"}
    assert {target.api_key for target in both.targets if target.provider == "deepseek"} == {"d"}
    assert all(both.price_lookups[target.name] for target in both.targets if target.premises == "vendor")
    assert "tools" not in alone.targets[0].features
    assert read("", {"WATSONX_API_KEY": "w"}, source=None).targets == alone.targets  # who pays stands in a file only


@pytest.mark.parametrize("enabled", [True, False])
def test_with_a_file_the_embedded_model_runs_only_when_it_says_so(enabled: bool) -> None:
    made = parse(f"[embedded]\nenabled = {str(enabled).lower()}\n" + TARGET)
    assert [target.name for target in made.targets] == (["own/smollm2-135m", "a"] if enabled else ["a"])


def test_the_file_in_the_folder_is_found_and_named_in_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None, {}).source is None
    Path("yuzui.toml").write_text(TARGET, "utf-8")
    assert load(None, {}).source == Path("yuzui.toml")
    Path("yuzui.toml").write_text("x = 1", "utf-8")
    with pytest.raises(ConfigError, match=r"^yuzui\.toml: x: unknown key"):
        load(None, {})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist; write one with `yuzui init`"),
        (b"x = '\xff'", "cannot be read"),
        (b"\xff\xfe[\x00", "cannot be read"),
        (b"#" * (config.MAX_FILE_BYTES + 1), "is larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "c.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(path) in caught.value.message and words in caught.value.message


def test_the_snapshot_is_named_by_its_content() -> None:
    same: list[Any] = [parse(TARGET).snapshot_id, parse(TARGET).snapshot_id]
    assert same[0] == same[1]
    assert parse(TARGET + "weight = 2\n").snapshot_id != same[0]
    # Without a file the environment decides which targets there are.
    assert read("", {}, source=None).snapshot_id != read("", {"OPENAI_API_KEY": "x"}, source=None).snapshot_id


def test_price_factors_stand_beside_a_price_from_anywhere_and_replace_the_providers() -> None:
    assert parse(VENDOR).targets[0].price_factors == {"service_tier=flex": Fraction(1, 2)}
    said = parse(VENDOR + 'price_factors = { service_tier = { flex = 0.4, priority = "5/3" }, speed = { fast = 6 } }\n')
    assert said.targets[0].price is None, "left to the price library"
    assert said.targets[0].price_factors == {
        "service_tier=flex": Fraction(2, 5), "service_tier=priority": Fraction(5, 3), "speed=fast": Fraction(6),
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"targets\[0\]\.price_factors\.tier: unknown field"):
        parse(VENDOR + "price_factors = { tier = { flex = 0.5 } }\n")


def test_what_a_row_says_of_factors_can_be_read() -> None:
    rows = {name: row.price_factors for name, row in load_rows().items() if row.price_factors}
    assert rows.keys() == {"openai", "openai_responses", "anthropic", "groq"}
    for name, factors in rows.items():
        assert parse_factors(factors, name)


def test_names_are_searched_where_the_extra_is_unless_said_otherwise() -> None:
    base = "[embedded]\nenabled = true\n"
    assert read(base, {}, source=None).sensitivity.names == NameRules()
    said = read(base + "[sensitivity.names]\nenabled = true\nalso = ['location']\ndeadline_ms = 50\n", {}, source=None)
    names = said.sensitivity.names
    assert names.enabled is True and names.deadline_ms == 50 and "location" in names.kinds
    kinds = said.sensitivity.kinds
    assert (kinds["person"], kinds["organization"], kinds["postal_address"], kinds["location"]) == (2, 1, 2, 0)
    with pytest.raises(ConfigError, match="write true, false or"):
        read(base + '[sensitivity.names]\nenabled = "yes"\n', {}, source=None)
    with pytest.raises(ConfigError, match="also: 'places'; write some of location, age"):
        read(base + '[sensitivity.names]\nalso = ["places"]\n', {}, source=None)
    with pytest.raises(ConfigError, match="deadline_ms"):
        read(base + "[sensitivity.names]\ndeadline_ms = 0\n", {}, source=None)
