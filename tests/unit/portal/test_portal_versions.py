from services.portal.api.cartas import by_carta
from services.portal.peers import JSON


def version(number: int, life: str, carta: str = "RC-01") -> JSON:
    return {"carta": carta, "version": number, "life": life}


def test_a_carta_is_headed_by_the_version_in_force() -> None:
    lives = ("retirada", "borrador", "publicada", "vigente", "retirada")
    found = [version(5 - place, life) for place, life in enumerate(lives)]
    grouped = by_carta([*found, version(1, "retirada", "RC-02")])
    assert [each["version"] for each in grouped["RC-01"]] == [2, 4, 3, 5, 1]
    assert [each["version"] for each in grouped["RC-02"]] == [1]
