"""The steps of a carta version: draft, approve, publish, retire, certify.

Each is idempotent: taken again with the same content it changes nothing and is not recorded twice.
Each waits for the others of its municipality, loads of files included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.cartas.domain import Fault
from services.cartas.domain.drafts import address_of, read_draft, warnings_code
from services.cartas.domain.life import (
    Acta,
    Life,
    Step,
    ended_before,
    fault_of_end,
    faults_of_terms,
    life_of,
    warnings_of_end,
    warnings_of_terms,
)
from services.cartas.domain.versions import Stored
from services.cartas.store import catalogue as store
from services.cartas.store import versions
from services.cartas.store.versions import Draft, Taken
from services.cartas.use_cases.errors import (
    FaultsError,
    TermsError,
    UnacknowledgedError,
    UnknownVersionError,
    WrongStateError,
)
from services.cartas.use_cases.loading import as_event
from services.cartas.use_cases.town import Town, read_town, unknown_carta, unknown_version
from shared.contracts import topics
from shared.contracts.cartas import CartaData, Status
from shared.messaging import Transaction

LONGEST_CERTIFICATE = timedelta(days=10 * 366)


@dataclass(frozen=True, slots=True)
class Target:
    """Which version a step is about, and which post takes it."""

    municipality: str
    carta: str
    version: int
    post: str

    def taken(self, step: Step, tx: Transaction) -> Taken:
        return Taken(self.municipality, self.carta, self.version, step, self.post, tx.now)


async def draft(tx: Transaction, content: bytes, *, post: str) -> Target:
    """Keep a draft; a carta has one on its way, and drafting again replaces what it says.

    Raises FaultsError where the file does not say whose draft it is, NotAllowedError,
    WrongStateError where the version on its way is approved already. Other faults of the file are
    kept with it and refuse its approval.
    """
    address, faults = address_of(content)
    if address is None:
        raise FaultsError(faults)
    town = await read_town(tx.connection, address.municipality, tx.now, lock=True)
    town.require_coordination(post)
    known = await versions.on_its_way(tx.connection, address.municipality, address.carta)
    if known is not None and known.state == versions.APPROVED:
        raise WrongStateError(
            f"la versión {known.version} de {known.carta} ya está aprobada: publíquela o retírela "
            "antes de hacer otro borrador"
        )
    text = content.decode("utf-8-sig")
    last = await versions.last_version(tx.connection, address.municipality, address.carta)
    version = last + 1 if known is None else known.version
    target = Target(address.municipality, address.carta, version, post)
    if known is None or known.content != text:
        new = Draft(
            address.municipality, address.carta, version, versions.DRAFTED, text, None, tx.now
        )
        await versions.keep_draft(tx.connection, (known and replace(known, content=text)) or new)
        await versions.add_steps(tx.connection, [target.taken(Step.DRAFTED, tx)])
    return target


async def approve(tx: Transaction, target: Target, acta: Acta, *, acknowledged: str = "") -> None:
    """Approve a draft by an acta: from then on its words and its days are settled.

    Raises FaultsError, TermsError, UnacknowledgedError (warnings other than `acknowledged`),
    NotAllowedError, UnknownVersionError, WrongStateError.
    """
    town, found = await _drafted(tx, target)
    if found.state != versions.DRAFTED:
        _same_approval(found, acta)
        return
    reading = read_draft(found.content.encode(), town.around, found.version, acta)
    if reading.declared is None:
        raise FaultsError(reading.faults)
    before = town.around.last_before(target.carta, target.version)
    reasons = faults_of_terms(acta, before, town.today)
    if reasons:
        raise TermsError(reasons)
    warnings = warnings_of(reading.warnings, acta, before=before, today=town.today)
    _require_note(warnings, acknowledged)
    data = reading.declared.data
    approval = data.approval.model_copy(update={"post": target.post})
    data = data.model_copy(update={"approval": approval})
    approved = replace(found, state=versions.APPROVED, data=data)
    await versions.keep_draft(tx.connection, approved)
    taken = replace(_with_acta(target.taken(Step.APPROVED, tx), data), warnings=tuple(warnings))
    await versions.add_steps(tx.connection, [taken])


def _require_note(warnings: Sequence[str], acknowledged: str) -> None:
    """Raise UnacknowledgedError unless exactly these warnings were taken note of."""
    if warnings and warnings_code(warnings) != acknowledged.strip().lower():
        raise UnacknowledgedError(warnings, warnings_code(warnings))


def warnings_of(
    found: Iterable[Fault], acta: Acta, *, before: CartaData | None, today: date
) -> list[str]:
    """Return all warnings as lines: those of the draft with their place, then those of the days."""
    lines = [line_of(each) for each in found]
    return lines + warnings_of_terms(acta.first, before, today)


def line_of(fault: Fault) -> str:
    """Return a fault or warning of a draft as one line."""
    return f"línea {fault.line}: " + (f"{fault.path}: " if fault.path else "") + fault.message


def _same_approval(found: Draft, acta: Acta) -> None:
    """Raise WrongStateError unless the version was approved by this very acta."""
    data = found.data
    same = data is not None and acta == Acta(
        data.approval.body,
        data.approval.record,
        data.approval.date,
        data.valid_from,
        data.valid_to,
        data.approval.document,
    )
    if found.state == versions.APPROVED and same:
        return
    raise WrongStateError(_where_it_stands(found))


def _where_it_stands(found: Draft) -> str:
    name = f"la versión {found.version} de {found.carta}"
    if found.state == versions.WITHDRAWN:
        return f"{name} se retiró antes de publicarse; haga otro borrador"
    assert found.data is not None
    done = "aprobada" if found.state == versions.APPROVED else "publicada"
    return f"{name} ya está {done}, por el acta {found.data.approval.record}"


async def publish(tx: Transaction, target: Target) -> None:
    """Publish an approved version; the one before ends on the eve of its first day.

    Raises TermsError where its first day passed while another version held, FaultsError where what
    it refers to is gone, NotAllowedError, UnknownVersionError, WrongStateError.
    """
    town, found = await _drafted(tx, target)
    if found.state == versions.PUBLISHED:
        return
    if found.state != versions.APPROVED or found.data is None:
        raise WrongStateError(_not_approved(found))
    data = found.data
    before = town.around.last_before(target.carta, target.version)
    approval = data.approval
    acta = Acta(approval.body, approval.record, approval.date, data.valid_from, data.valid_to)
    reasons = faults_of_terms(acta, before, town.today)
    if reasons:
        advice = "retire esta versión y apruebe otra vez el borrador con otros días"
        raise TermsError([*reasons, advice])
    reading = read_draft(found.content.encode(), town.around, found.version, acta)
    if reading.declared is None:
        raise FaultsError(reading.faults)
    await _end_before(tx, target, town, before=before, first=data.valid_from)
    # The certificate may have been renewed since the approval.
    certified = {"certified_until": reading.declared.data.certified_until}
    data = data.model_copy(update=certified)
    await _keep(tx, Stored(data, reading.declared.declared))
    await versions.keep_draft(tx.connection, replace(found, state=versions.PUBLISHED))
    taken = _with_acta(target.taken(Step.PUBLISHED, tx), data)
    await versions.add_steps(tx.connection, [taken])


def _not_approved(found: Draft) -> str:
    if found.state == versions.WITHDRAWN:
        return _where_it_stands(found)
    return f"la versión {found.version} de {found.carta} es un borrador: primero se aprueba"


async def _end_before(
    tx: Transaction, target: Target, town: Town, *, before: CartaData | None, first: date
) -> None:
    if before is None or (ended := ended_before(before, first)) == before:
        return
    await _keep(tx, Stored(ended, town.cartas[before.carta, before.version].declared))
    taken = replace(target, version=before.version).taken(Step.ENDED, tx)
    reason = f"la sigue la versión {target.version}"
    await versions.add_steps(tx.connection, [_with_end(taken, before, ended, reason=reason)])


async def retire(
    tx: Transaction, target: Target, *, last: date | None, reason: str, acknowledged: str = ""
) -> None:
    """End a version on `last` (today where it is None), or withdraw one that never held.

    What never held has no last day; one that is given for it is refused, for the two are opposites.
    An end that leaves days without a version before the next one begins is asked about first.
    Raises TermsError, UnacknowledgedError, NotAllowedError, UnknownVersionError, WrongStateError.
    """
    town = await read_town(tx.connection, target.municipality, tx.now, lock=True)
    town.require_coordination(target.post)
    data = town.carta(target.carta, target.version)
    if data is None:
        await _withdraw_draft(tx, target, last=last, reason=reason)
    elif life_of(data, town.today) is Life.PUBLISHED:
        _refuse_last_day(target, last)
        await _withdraw_published(tx, target, town, data=data, reason=reason)
    else:
        end = _End(last or town.today, reason, acknowledged)
        await _end(tx, target, town, data=data, end=end)


def _refuse_last_day(target: Target, last: date | None) -> None:
    if last is not None:
        reason = (
            f"la versión {target.version} aún no rige: se retira entera, sin último día; si ha de "
            f"regir hasta el {last}, retírela cuando haya empezado, o apruebe otra que termine ese "
            "día"
        )
        raise TermsError([reason])


async def _withdraw_draft(
    tx: Transaction, target: Target, *, last: date | None, reason: str
) -> None:
    _, found = await _drafted(tx, target)
    if found.state == versions.WITHDRAWN:
        return
    _refuse_last_day(target, last)
    await versions.keep_draft(tx.connection, replace(found, state=versions.WITHDRAWN))
    taken = replace(target.taken(Step.RETIRED, tx), reason=reason)
    await versions.add_steps(tx.connection, [taken])


async def _withdraw_published(
    tx: Transaction, target: Target, town: Town, *, data: CartaData, reason: str
) -> None:
    """A version that never held: the one that it ended goes on as before."""
    later = [k for k in town.cartas if k[0] == data.carta and k[1] > data.version]
    if any(town.cartas[key].data.status is Status.ACTIVE for key in later):
        raise WrongStateError(f"primero retire la versión {max(later)[1]}, que la sigue")
    retired = data.model_copy(update={"status": Status.RETIRED})
    await _keep(tx, Stored(retired, town.cartas[data.carta, data.version].declared))
    taken = replace(target.taken(Step.RETIRED, tx), reason=reason)
    await versions.add_steps(tx.connection, [taken])
    await _restore_before(tx, target, town)


async def _restore_before(tx: Transaction, target: Target, town: Town) -> None:
    before = town.around.last_before(target.carta, target.version)
    if before is None:
        return
    steps = await versions.steps_of(
        tx.connection, target.municipality, target.carta, version=before.version
    )
    if not steps or steps[-1].step is not Step.ENDED:
        return
    restored = before.model_copy(update={"valid_to": steps[-1].valid_to_before})
    await _keep(tx, Stored(restored, town.cartas[before.carta, before.version].declared))
    taken = replace(target, version=before.version).taken(Step.RESTORED, tx)
    reason = f"la versión {target.version} se retiró antes de entrar en vigor"
    await versions.add_steps(tx.connection, [_with_end(taken, before, restored, reason=reason)])


@dataclass(frozen=True, slots=True)
class _End:
    """How a version ends: its last day, why, and which warnings were taken note of."""

    last: date
    reason: str
    acknowledged: str


async def _end(tx: Transaction, target: Target, town: Town, *, data: CartaData, end: _End) -> None:
    if data.status is Status.RETIRED or data.valid_to == end.last:
        return
    fault = fault_of_end(data, end.last, town.today)
    if fault is not None:
        raise TermsError([fault])
    warnings = warnings_of_end(end.last, town.around.first_after(data.carta, data.version))
    _require_note(warnings, end.acknowledged)
    ended = data.model_copy(update={"valid_to": end.last})
    await _keep(tx, Stored(ended, town.cartas[data.carta, data.version].declared))
    taken = _with_end(target.taken(Step.RETIRED, tx), data, ended, reason=end.reason)
    await versions.add_steps(tx.connection, [replace(taken, warnings=tuple(warnings))])


async def certify(tx: Transaction, target: Target, *, until: date | None, document: str) -> None:
    """Keep until which day (inside) the carta is certified; None: it is not, any more.

    The certificate is of the carta and promises nothing: its date changes without a new version.
    Raises TermsError, NotAllowedError, UnknownVersionError.
    """
    town = await read_town(tx.connection, target.municipality, tx.now, lock=True)
    town.require_coordination(target.post)
    data = town.carta(target.carta, target.version)
    if data is None or data.status is Status.RETIRED:
        if not await versions.last_version(tx.connection, town.code, target.carta):
            raise unknown_carta(town, target.carta)
        raise UnknownVersionError(f"no está publicada la versión {target.version} de la carta")
    if until is not None and until < town.today:
        advice = "diga el último día del que rige; sin fecha, la carta queda sin certificado"
        raise TermsError([f"el certificado vence el {until}, que ya pasó: {advice}"])
    if until is not None and until > town.today + LONGEST_CERTIFICATE:
        raise TermsError([f"el certificado vence el {until}: ¿es correcto el año?"])
    if data.certified_until == until:
        return
    certified = data.model_copy(update={"certified_until": until})
    await _keep(tx, Stored(certified, town.cartas[data.carta, data.version].declared))
    words = f"certificada hasta el {until}" if until else "sin certificado"
    taken = replace(target.taken(Step.CERTIFIED, tx), document=document, reason=words)
    await versions.add_steps(tx.connection, [taken])


async def _drafted(tx: Transaction, target: Target) -> tuple[Town, Draft]:
    town = await read_town(tx.connection, target.municipality, tx.now, lock=True)
    town.require_coordination(target.post)
    found = await versions.draft(
        tx.connection, target.municipality, target.carta, version=target.version
    )
    if found is not None:
        return town, found
    name = f"la versión {target.version} de {target.carta}"
    if town.carta(target.carta, target.version) is not None:
        raise WrongStateError(f"{name} ya está publicada: vino en un archivo con su acta")
    raise await unknown_version(tx.connection, town, target.carta, target.version)


async def _keep(tx: Transaction, stored: Stored) -> None:
    await store.keep(tx.connection, [stored], tx.now)
    tx.publish(topics.CARTAS, as_event(stored.data, tx.now))


def _with_acta(taken: Taken, data: CartaData) -> Taken:
    return replace(
        taken,
        body=data.approval.body,
        record=data.approval.record,
        dated=data.approval.date,
        document=data.approval.document,
        valid_from=data.valid_from,
        valid_to=data.valid_to,
    )


def _with_end(taken: Taken, before: CartaData, after: CartaData, *, reason: str) -> Taken:
    return replace(
        taken,
        valid_from=after.valid_from,
        valid_to=after.valid_to,
        valid_to_before=before.valid_to,
        reason=reason,
    )
