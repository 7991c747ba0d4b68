"""`python -m tests.mutation [--fresh] [--report] [MODULE...]`: try what has no verdict yet, then
write docs/mutation.md.

Stop it at any time and start it again: verdicts are kept in .cache/mutation. `--fresh` forgets
them, `--report` only writes the page. CARTAS_MUTATION_FORKS says how many are tried at once.
"""

import sys

from tests.mutation import report
from tests.mutation.mutants import modules
from tests.mutation.trials import run, tests_digest
from tests.mutation.verdicts import FILE, Verdicts


def main(arguments: list[str]) -> int:
    if "--fresh" in arguments:
        FILE.unlink(missing_ok=True)
    named = [each for each in arguments if not each.startswith("-")]
    verdicts = Verdicts(tests_digest())
    failed = 0
    if "--report" not in arguments:
        chosen = [each for each in modules() if not named or any(name in each for name in named)]
        failed = run(chosen, verdicts)
    return failed or report.write(verdicts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
