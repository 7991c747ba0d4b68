"""A database of before, with its cases, becomes one of now without judging anything again."""

from shared.database import migrate
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b

AS_IT_WAS = """
CREATE TABLE before AS SELECT * FROM verdict;
DROP VIEW verdict;
ALTER TABLE before RENAME TO verdict;
DROP TABLE case_in_window, alarm;
ALTER TABLE measured_case DROP COLUMN verdicts, ALTER COLUMN began_at DROP NOT NULL,
    ALTER COLUMN data TYPE bytea USING convert_to(data, 'UTF8');
UPDATE measured_case SET began_at = NULL WHERE began_kind IS NULL;
ALTER TABLE judged_window DROP COLUMN window_no;
ALTER TABLE rejudging DROP COLUMN after_began;
DROP INDEX case_of_service;
CREATE INDEX case_of_service ON measured_case (municipality, service, case_id);
CREATE INDEX case_began ON measured_case (municipality, service, began_kind, began_at);
DELETE FROM schema_migration WHERE name LIKE 'evaluator/0015%';
"""
PLACES = """
SELECT w.window_id, w.unit, p.status::text, p.case_id, p.part, p.slice, p.alarm_at
FROM case_in_window p JOIN judged_window w USING (window_no)
"""
TABLES = (
    "SELECT * FROM verdict",
    "SELECT * FROM alarm",
    "SELECT case_id, revision, began_kind, began_at FROM measured_case",
    PLACES,
)


async def everything(evaluator: Evaluator) -> list[list[str]]:
    return [sorted(map(repr, await evaluator.pool.fetch(table))) for table in TABLES]


async def test_verdicts_move_to_their_cases(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta())
    await evaluator.know("2026-09-10 00:00")
    issued = "2026-09-07 10:00"
    await evaluator.take(
        b.waited("A-1", 12, ticket_issued=issued),
        b.waited("A-2", 30, ticket_issued=issued, historical=True),
        b.case("A-3", ticket_issued=issued, exclusions=("turno_duplicado",)),
        b.case("A-4", ticket_issued="2026-09-20 10:00"),
        b.case("A-5", instants={}),
    )
    before = await everything(evaluator)
    assert [len(rows) for rows in before] == [4, 1, 5, 4]
    await evaluator.pool.execute(AS_IT_WAS)
    url = evaluator.settings.database_url.get_secret_value()
    assert any(name.startswith("evaluator/0015") for name in await migrate(url, "evaluator"))
    await evaluator.pool.expire_connections()
    evaluator.restart()
    assert await everything(evaluator) == before
    await evaluator.know("2026-10-02 00:00")
    assert await evaluator.status("A-4") == "failed"
    await evaluator.publish()
    assert await evaluator.difference() == 0
    assert await evaluator.disagreements() == []
