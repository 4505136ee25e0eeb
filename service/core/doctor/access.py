"""Is everything set up, and can Cliniko be read with what is set up? Pure.

Sources: Cliniko API, "Sharding", "Authentication" and "User-Agent"; Cliniko help, "User security roles".
"""

from __future__ import annotations

from collections.abc import Iterator

from service.core.doctor.model import Area, Finding, Observed, Severity, Unread, Why
from service.core.model import Mode

FORBIDDEN = "403"
UNAUTHORIZED = "401"

MODES = {
    Mode.WATCH: "it only says what it would do",
    Mode.PROPOSE: "it asks before each change",
    Mode.ENFORCE: "it makes changes by itself",
}


def contact_email(seen: Observed) -> Iterator[Finding]:
    """Cliniko may block requests that name nobody to write to."""
    if not seen.contact_email:
        yield Finding(
            "contact_email", Area.SETTINGS, Severity.MUST_FIX,
            "There is no contact e-mail address, which Cliniko wants in every request.",
            "Set GOVERNOR_CLINIKO__CONTACT_EMAIL to an address that somebody reads.",
        )  # fmt: skip


def kill_switch(seen: Observed) -> Iterator[Finding]:
    """Nothing is changed while it is on."""
    if seen.kill_switch:
        yield Finding(
            "kill_switch", Area.SETTINGS, Severity.MUST_FIX,
            "The kill switch is on, so nothing is changed anywhere.",
            "Take GOVERNOR_KILL_SWITCH away, or set it to false, once the governor may act.",
        )  # fmt: skip


def channels(seen: Observed) -> Iterator[Finding]:
    """Nobody is told anything through a channel without an address."""
    for name in seen.unaddressed:
        yield Finding(
            "channels", Area.SETTINGS, Severity.LOOK_AT,
            f"The channel {name} of the rule file has no address, so nobody is told anything through it.",
            f"Set GOVERNOR_NOTIFY__{name.replace('-', '_').upper()}, then try it: `governor notify test {name}`.",
        )  # fmt: skip


def rule_file(seen: Observed) -> Iterator[Finding]:
    """Without a good one there is nothing to decide by."""
    if seen.refused:
        yield Finding(
            "rule_file", Area.SETTINGS, Severity.MUST_FIX,
            f"The rule file is refused: {seen.refused}",
            "Mend what it names; `governor rules check` looks at it again.",
        )  # fmt: skip
    elif seen.rules is None:
        yield Finding(
            "rule_file", Area.SETTINGS, Severity.MUST_FIX,
            "There is no rule file yet, so only the accounts were looked at.",
            f"Run `governor init {seen.clinic} --google CUSTOMER_ID --meta act_...`; it writes a first one from what is there.",
        )  # fmt: skip
    else:
        campaigns, mode = len(seen.rules.campaigns), seen.rules.mode
        sentence = f"The rule file is good: {len(seen.rules.rules)} rules, {campaigns} campaigns, mode {mode}: {MODES[mode]}."
        yield Finding("rule_file", Area.SETTINGS, Severity.FINE, sentence)


def key(seen: Observed) -> Iterator[Finding]:
    """There, accepted, and of which shard."""
    if isinstance(seen.diaries, Unread):
        yield from _unread(seen, seen.diaries)
    else:
        yield Finding("key", Area.CLINIKO, Severity.FINE, "The API key is accepted and may read every list that is needed.")
    yield from _shard(seen)


def _shard(seen: Observed) -> Iterator[Finding]:
    if seen.key is None:
        return
    if seen.key.overridden:
        sentence = "GOVERNOR_CLINIKO__BASE_URL is set, so Cliniko is looked for there and not where the key says."
        yield Finding("shard", Area.CLINIKO, Severity.LOOK_AT, sentence, "Take it away unless this is a test.")
    if not seen.key.suffixed:
        yield Finding(
            "shard", Area.CLINIKO, Severity.LOOK_AT,
            f"The API key names no shard after its last hyphen, so {seen.key.shard} is assumed; only the oldest keys do that.",
            "If Cliniko refuses it, copy the key again, to its very end.",
        )  # fmt: skip
    else:
        yield Finding("shard", Area.CLINIKO, Severity.FINE, f"The API key names the shard {seen.key.shard}.")


def _unread(seen: Observed, unread: Unread) -> Iterator[Finding]:
    if unread.why is Why.NOT_SET_UP:
        if seen.contact_email or seen.key is None:  # a missing address is said elsewhere
            sentence, advice = (
                _said(unread.message),
                "Make the key in Cliniko: My info > Manage API keys, as a user of its own.",
            )
            yield Finding("key", Area.CLINIKO, Severity.MUST_FIX, sentence, advice)
    elif unread.code == FORBIDDEN:
        advice = "In Cliniko, Settings > Users: give the key's user a role that sees this list; Receptionist sees all of them."
        yield Finding("role", Area.CLINIKO, Severity.MUST_FIX, _said(unread.message), advice)
    elif unread.code == UNAUTHORIZED:
        advice = "Copy the key again, or make a new one in Cliniko; if the account was moved, the key has a new ending."
        yield Finding("key", Area.CLINIKO, Severity.MUST_FIX, _said(unread.message), advice)
    elif "time_zone_identifier" in unread.message:
        sentence = "A location has no time zone, so nothing can be said about its days."
        yield Finding("zones", Area.CLINIKO, Severity.MUST_FIX, sentence, "Give every location one in Cliniko.")
    elif unread.why is Why.UNREACHABLE:
        sentence = f"Cliniko could not be asked, so nothing in it was checked: {unread.message}."
        yield Finding("reachable", Area.CLINIKO, Severity.MUST_FIX, sentence, "Try again; if it lasts, look at the network.")
    else:
        sentence = f"Cliniko answered in a way that cannot be used, so nothing in it was checked: {unread.message}."
        advice = "Try again; if it lasts, the key's shard or GOVERNOR_CLINIKO__BASE_URL may be wrong."
        yield Finding("reachable", Area.CLINIKO, Severity.MUST_FIX, sentence, advice)


def _said(message: str) -> str:
    """A message of ours as a sentence."""
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."
