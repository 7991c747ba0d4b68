"""What a catalogue names and nothing answers to: accepted, and said to its author."""

from collections.abc import Collection, Iterable, Sequence

from services.cartas.domain.cartas import DeclaredCarta
from shared.authoring.faults import Fault
from shared.authoring.fields import Section, suggested
from shared.contracts.cartas import CartaData, PostData, Role, Status


def warn_of_nobody(root: Section, posts: Collection[PostData]) -> None:
    """Name what no post does: steps of escalation without one, mail, the coordination's steps."""
    if not any(post.mailbox for post in posts):
        root.warn("puestos", "ningún puesto tiene correo: los avisos no llegarán a nadie")
    if not any(post.role is Role.COORDINATION for post in posts):
        message = "ningún puesto tiene «rol: coordinacion»: nadie podrá aprobar ni publicar"
        root.warn("puestos", f"{message} versiones")
    levels = tuple(dict.fromkeys(post.level for post in posts))
    for step in root.sections("escalamiento", "nivel") if levels else ():
        level = step.optional_text("a")
        if level not in levels:
            message = f"ningún puesto tiene el nivel «{level}»: nadie recibirá ese paso"
            step.warn("a", message + suggested(str(level), levels))


def shared_services(cartas: Sequence[DeclaredCarta]) -> Iterable[Fault]:
    """Yield each service that two cartas in force on one day promise: legitimate, never silent."""
    before: list[CartaData] = []
    for each in cartas:
        yield from services_elsewhere(each, before)
        before.append(each.data)


def services_elsewhere(carta: DeclaredCarta, others: Iterable[CartaData]) -> Iterable[Fault]:
    """Yield each service of a carta that another in force on one of its days has, too."""
    own, said = carta.data, set()
    for other in others:
        if other.carta == own.carta or not _meet(own, other):
            continue
        for service in own.services:
            if service in other.services and (service, other.carta) not in said:
                said.add((service, other.carta))
                message = f"el servicio «{service}» también es de la carta «{other.carta}»"
                yield Fault(carta.line, carta.path, f"{message}: sus casos cuentan en las dos")


def _meet(one: CartaData, two: CartaData) -> bool:
    if Status.RETIRED in (one.status, two.status):
        return False
    starts_late = one.valid_to is not None and two.valid_from > one.valid_to
    ended_early = two.valid_to is not None and two.valid_to < one.valid_from
    return not starts_late and not ended_early
