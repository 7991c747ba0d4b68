"""What a database that was restored from a backup says is newer than what was said before."""

from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b

BACK = "UPDATE judged_window SET sequence = 1, result = NULL WHERE sequence > 0"


async def test_a_result_after_a_restore_supersedes_those_that_were_lost(
    evaluator: Evaluator,
) -> None:
    """Readers keep the highest sequence: counted from the backup's, theirs would be higher."""
    await evaluator.learn_town()
    said: list[int] = []
    for number in range(3):
        await evaluator.take(b.waited(f"A-{number}", 10))
        await evaluator.publish()
        said.append((await evaluator.result())["sequence"])
    assert said == sorted(set(said))
    await evaluator.pool.execute(BACK)
    await evaluator.take(b.waited("A-9", 10))
    await evaluator.publish()
    assert (await evaluator.result())["sequence"] > said[-1]
