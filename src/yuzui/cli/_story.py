"""Knows how an audit record reads as a story: what was found, what that allowed, who was tried, what it cost."""

from __future__ import annotations

from yuzui.audit.record import (
    AnswerRecord,
    AttemptRecord,
    CauseRecord,
    CostRecord,
    DeclassificationRecord,
    RequestRecord,
    RoutedRecord,
    TrialRecord,
    UsageRecord,
    VaultRecord,
    WatchRecord,
)
from yuzui.cli._text import listed, show_money, show_ms

REASONS = {
    "clearance": "its clearance is below the request's sensitivity",
    "jurisdiction": "its jurisdiction is forbidden to this caller",
    "premises": "this caller stays on own premises",
    "retention": "it keeps what it is sent, and this caller forbids that",
    "training": "it trains on what it is sent, and this caller forbids that",
    "unknown_price": "nobody knows its price, so nobody could pay it",
    "unknown_price_factor": "nobody knows what the tier or speed that was asked for makes of its price",
    "lacks_feature": "it cannot do what the request asks",
    "context_too_small": "the request does not fit its context",
}
SOURCES = {
    "floor": "the key's floor",
    "default": "the default for every request",
    "finding": "found in the text",
    "conversation": "the conversation so far",
    "detector_failure": "a detector failed, so it counts as the highest",
    "unscanned": "a part that no detector can read",
    "judge": "the organisation's own model says so",
}
WISHES = {
    "completions": "text that goes on",
    "count_tokens": "a count of tokens",
    "embeddings": "embeddings",
    "rerank": "a ranking",
    "moderations": "a moderation",
    "transcription": "a transcription",
    "speech": "speech",
    "images": "pictures",
}
"""Operations other than a chat, as what was asked for."""
RULES = {
    "certified": "the certificate",
    "reference_better": "the reference is expected to answer better",
    "unlike": "the request is unlike the examples, so the reference",
    "no_certificate": "no certificate, so the reference",
    "promise_broken": "watching found that the promise does not hold, so the reference",
    "not_permitted": "the allowed set",
    "cascade": "a cascade that ended before the candidate's answer was judged",
    "accepted": "a cascade that accepted the candidate's answer",
    "escalated": "a cascade that did not take the candidate's answer, so the reference",
}
ROLES = {
    "candidate": "asked first, not handed on",
    "sample": "asked again, for its votes",
    "check": "a second opinion",
    "judge": "said how likely the answer is right",
}
KEPT = {
    "certified": "certified: {routed.chosen} answered under the certificate",
    "reference": "reference: {routed.reference} itself answered, so nothing was lost against it",
    "none": "none: neither the reference nor a certified choice answered",
    "": "nobody was asked",
}
Story = list[tuple[str, list[str]]]
"""Headings with their lines."""


def tell(record: RequestRecord, index: int, leaf_hash: bytes) -> Story:
    """The whole story of one request, in the order in which it happened."""
    if record.declassified is not None:
        return _decision(record, record.declassified, index, leaf_hash)
    if record.vault is not None:
        return _vault(record, record.vault, index, leaf_hash)
    if record.watch is not None:
        return _watch(record, record.watch, index, leaf_hash)
    if record.trial is not None:
        return _trial(record, record.trial, index, leaf_hash)
    story: Story = [
        ("Request", [f"{record.id} at {record.at}"]),
        ("Asked by", [_caller(record)]),
        ("Asked for", [_wish(record)]),
        *([("Part of", [f"{record.part_of}: the gateway asked it for itself"])] if record.part_of else []),
        ("Sensitivity", _label(record)),
        ("May go to", [listed(record.allowed)] if record.sensitivity else ["was not decided: it was refused before"]),
    ]
    if record.refused:
        story.append(("May not", _refused(record)))
    if record.why or record.plan:
        story.append(("Decision", [record.why or f"{record.policy}: {listed(record.plan)}"]))
    if record.routed is not None:
        story.append(("Guarantee", _routed(record.routed)))
    if record.trials:
        story.append(("Trials", [f"{name}: {_role(role)}" for name, role in record.trials.items()]))
    if record.attempts:
        story.append(("Attempts", [f"{n}. {_attempt(attempt)}" for n, attempt in enumerate(record.attempts, 1)]))
    story.append(("Outcome", _outcome(record)))
    if record.dropped:
        story.append(("Dropped", [f"{listed(record.dropped)}: the target cannot take it"]))
    if record.kept:
        story.append(("Kept", ["the answer, encrypted, for `previous_response_id`"]))
    story.append(("Tokens", [_usage(record)]))
    story.append(("Cost", [_cost(record)]))
    story.append(("Time", [_time(record)]))
    story.append(("Receipt", [f"entry {index} of the audit log, leaf hash {leaf_hash.hex()}",
                              f"prove it: yuzui audit prove {record.id}"]))  # fmt: skip
    return story


def _decision(record: RequestRecord, done: DeclassificationRecord, index: int, leaf_hash: bytes) -> Story:
    """A leaf behind which no request stands: somebody lowered a label."""
    return [
        ("Decision", [f"{record.id} at {record.at}"]),
        ("By", [f"{done.by} (as the user {done.os_user} of this machine)"]),
        ("About", [f"conversation {record.conversation}, key {record.key_id or 'unknown'}"]),
        ("Label", [f"from {done.from_level} to {done.to_level}; what is found anew still counts"]),
        ("Reason", [done.reason]),
        ("Receipt", [f"entry {index} of the audit log, leaf hash {leaf_hash.hex()}"]),
    ]


def _vault(record: RequestRecord, done: VaultRecord, index: int, leaf_hash: bytes) -> Story:
    """The same: somebody looked into the vault, or erased from it."""
    about = [f"key {record.key_id or 'unknown'}"]
    about += [f"request {done.request}"] if done.request else []
    about += [f"conversation {record.conversation}"] if record.conversation else []
    return [
        ("Vault", [f"{'erased' if record.outcome == 'vault_erased' else 'opened'}: {record.id} at {record.at}"]),
        ("By", [f"{done.by} (as the user {done.os_user} of this machine)"]),
        ("About", [", ".join(about)]),
        ("Stand-ins", list(done.stand_ins)),
        ("Reason", [done.reason]),
        ("Receipt", [f"entry {index} of the audit log, leaf hash {leaf_hash.hex()}"]),
    ]


def _watch(record: RequestRecord, done: WatchRecord, index: int, leaf_hash: bytes) -> Story:
    """The same: watching found that a promise does not hold, or somebody trusts it again."""
    told = [f"{done.audited} audited answers, {done.seen} requests seen"]
    if done.mean_loss is not None and done.log_wealth is not None and done.epsilon is not None:
        told.append(f"mean loss {done.mean_loss:+.2%}, promised {done.epsilon:.2%} at most; log wealth "
                    f"{done.log_wealth:.2f}")  # fmt: skip
    if done.threshold is not None:
        told.append(f"the threshold is {done.threshold:+.4f} from now on")
    by = [("By", [f"{done.by} (as the user {done.os_user} of this machine)"]), ("Reason", [done.reason])]
    return [
        ("Promise", [f"{record.outcome.removeprefix('promise_')}: {record.id} at {record.at}"]),
        ("About", [f"model {record.model}, router {done.router}, certificate {done.certificate}"]),
        *(by if done.by else []),
        ("Found", told),
        ("Receipt", [f"entry {index} of the audit log, leaf hash {leaf_hash.hex()}"]),
    ]


def _trial(record: RequestRecord, done: TrialRecord, index: int, leaf_hash: bytes) -> Story:
    """The same: the arm of a trial was stopped, or let go on."""
    by = f"{done.by} (as the user {done.os_user} of this machine)" if done.by else "its own rule"
    return [
        ("Trial", [f"{'stopped' if record.outcome == 'trial_stopped' else 'resumed'}: {record.id} at {record.at}"]),
        ("By", [by]),
        ("About", [f"{record.model}/{done.name}, arm {done.arm}"]),
        ("Reason", [done.reason]),
        ("Receipt", [f"entry {index} of the audit log, leaf hash {leaf_hash.hex()}"]),
    ]


def _role(role: str) -> str:
    return role if role in ("arm", "control") else f"counts for neither side: {role}"


def why_sensitive(record: RequestRecord) -> str:
    """The strongest causes in a few words: `cn_resident_id`, `the conversation so far`; "" for the default alone."""
    strongest = [cause for cause in record.causes if cause.level == record.sensitivity and cause.source != "default"]
    return ", ".join(dict.fromkeys(_short(cause) for cause in strongest))


def _refused(record: RequestRecord) -> list[str]:
    return [f"{name}: {REASONS.get(reason, reason)}" for reason, names in record.refused.items() for name in names]


def _short(cause: CauseRecord) -> str:
    if cause.source == "finding" and cause.detail:
        return cause.detail
    return "conversation" if cause.source == "conversation" else SOURCES.get(cause.source, cause.source)


def _caller(record: RequestRecord) -> str:
    if not record.key_id:
        return "nobody we know"
    team = f", team {record.team}" if record.team else ""
    return f"app {record.app}{team}, key {record.key_id}"


def _wish(record: RequestRecord) -> str:
    if not record.model:
        return "unknown: the request was refused before its body was understood"
    wish = f"{WISHES[record.operation]}, " if record.operation in WISHES else ""
    return f"{wish}model {record.model}{', streamed' if record.stream else ''} ({record.dialect})"


def _label(record: RequestRecord) -> list[str]:
    if not record.sensitivity:
        return ["was not decided: it was refused before"]
    lines = [record.sensitivity]
    for cause in record.causes:
        detail = f" ({cause.detail})" if cause.detail else ""
        lines.append(f"- {cause.level}: {SOURCES.get(cause.source, cause.source)}{detail}")
    if record.findings:
        found = [f"{count} {kind}" for kind, count in sorted(record.findings.items())]
        lines.append(f"findings: {listed(found)}")
    if record.rules:
        lines.append(f"by the rules: {listed([_times(rule, count) for rule, count in sorted(record.rules.items())])}")
    if record.masked_level:
        lines.append(f"masked it would be {record.masked_level}")
    if record.not_masked:
        lines.append(f"not to be masked: {record.not_masked}")
    return lines


def _times(rule: str, count: int) -> str:
    return rule if count == 1 else f"{rule} ({count})"


def _routed(routed: RoutedRecord) -> list[str]:
    lines = [KEPT.get(routed.guarantee, routed.guarantee).format(routed=routed)]
    detail = f" ({routed.detail})" if routed.detail else ""
    lines.append(f"decided by: {RULES.get(routed.rule, routed.rule)}{detail}")
    if routed.epsilon is not None and routed.delta is not None:
        lines.append(
            f"certificate: at most {routed.epsilon:.4g} worse than {routed.reference}, with confidence "
            f"{1 - routed.delta:.4g}, on {routed.examples} examples ({routed.data[:16]})"
            + (f", {routed.policy}" if routed.policy else "")
        )
    if routed.gain is not None:
        up_to = f", certified up to {routed.threshold:+.4f}" if routed.threshold is not None else ""
        lines.append(f"predicted gain of {routed.reference}: {routed.gain:+.4f}{up_to}")
    if routed.p_value is not None:
        lines.append(f"likeness to the examples: {routed.p_value:.3g} (1: most ordinary, 0: unlike all of them)")
    if routed.signals:
        lines.append(f"signals: {', '.join([f'{name} {value:g}' for name, value in sorted(routed.signals.items())])}")
    return [*lines, f"router: {routed.router}"]


def _attempt(attempt: AttemptRecord) -> str:
    status = f", status {attempt.upstream_status}" if attempt.upstream_status else ""
    pieces = "piece" if attempt.tokens_delivered == 1 else "pieces"
    tokens = f", {attempt.tokens_delivered} {pieces} delivered" if attempt.tokens_delivered else ""
    detail = f": {attempt.detail}" if attempt.detail else ""
    role = f" ({ROLES.get(attempt.role, attempt.role)})" if attempt.role else ""
    paid = f", {attempt.usage.input} in, {attempt.usage.output} out" if attempt.usage else ""
    paid += f", {_priced(attempt.cost)}" if attempt.cost else ""
    return f"{attempt.target}{role}: {attempt.outcome}{status}, {show_ms(attempt.duration_ms)}{tokens}{paid}{detail}"


def _outcome(record: RequestRecord) -> list[str]:
    simulated = " (simulated: a script answered, not a model)" if record.is_simulated else ""
    by = f" by {record.target}{simulated}" if record.target else ""
    lines = [f"{record.outcome or 'unknown'}{by}"]
    if record.masked:
        lines.append(
            f"masked: it saw stand-ins for {listed([f'{n} {kind}' for kind, n in sorted(record.masked.items())])}"
        )
    if record.withheld:
        lines.append(
            f"{record.withheld} stand-ins stayed in the answer: they would have reached a host that is not listed"
        )
    if record.foreign:
        lines.append(f"{record.foreign} words of the answer look like stand-ins and are none of this request")
    if record.answer:
        lines += _answer(record.answer)
    if record.error:
        lines.append(f"{record.error}: {record.error_message}" if record.error_message else record.error)
    return lines


def _answer(answer: AnswerRecord) -> list[str]:
    level = f", which makes it {answer.level}" if answer.level else ""
    told = (
        ("found in the answer", answer.noted, level),
        ("taken out of the answer", answer.redacted, ""),
        ("the answer was withheld because of", answer.withheld, ""),
        ("said again by the answer, after the client", answer.echoed, ""),
    )
    lines = [
        f"{what}: {listed([f'{count} {kind}' for kind, count in sorted(counts.items())])}{more}"
        for what, counts, more in told
        if counts
    ]
    if answer.failures:
        lines.append(f"the answer could not be searched ({', '.join(answer.failures)}){level}")
    return lines


def _usage(record: RequestRecord) -> str:
    usage = record.usage
    if usage is None:
        return "none"
    units = _units(usage)
    parts = [f"{usage.input} in", f"{usage.output} out"] if usage.input or usage.output or not units else []
    if usage.cached_input:
        parts.append(f"{usage.cached_input} of the input from a cache")
    if usage.cache_write:
        for_long = f", {usage.cache_write_1h} of them for an hour" if usage.cache_write_1h else ""
        parts.append(f"{usage.cache_write} written to a cache{for_long}")
    if usage.input_audio:
        parts.append(f"{usage.input_audio} of the input for sound")
    if usage.reasoning:
        parts.append(f"{usage.reasoning} of the output for reasoning")
    if usage.output_audio:
        parts.append(f"{usage.output_audio} of the output for sound")
    parts += units
    if usage.is_estimated:
        parts.append(f"estimated ({usage.note})" if usage.note else "estimated")
    return ", ".join(parts)


def _units(usage: UsageRecord) -> list[str]:
    """What is counted in other things than tokens."""
    counted = [
        (usage.images, "picture made", "pictures made"),
        (usage.characters, "character read aloud", "characters read aloud"),
        (usage.searches, "search of documents", "searches of documents"),
    ]
    units = [f"{count} {one if count == 1 else several}" for count, one, several in counted if count]
    if usage.audio_ms:
        units.append(f"{show_ms(usage.audio_ms)} of sound heard")
    units += [f"{name} called {count} time{'' if count == 1 else 's'}" for name, count in usage.server_tools.items()]
    return units


def _cost(record: RequestRecord) -> str:
    cost = record.cost
    if cost is None:
        return "nothing"
    if not cost.others:
        return _priced(cost)
    return (
        f"{show_money(cost.total, cost.book_currency)}: the answer {_priced(cost)}; the other calls "
        f"{show_money(cost.others, cost.book_currency)}"
    )


def _priced(cost: CostRecord) -> str:
    text = show_money(cost.amount, cost.currency)
    if cost.book_currency != cost.currency:
        text += f" = {show_money(cost.book, cost.book_currency)} at {cost.rate}"
    return f"{text}, price {cost.price_version}"


def _time(record: RequestRecord) -> str:
    first = f", first token after {show_ms(record.first_token_ms)}" if record.first_token_ms else ""
    return f"{show_ms(record.duration_ms)}{first}"
