"""Whether the tests of the rules notice when a rule changes: mutation testing.

`python -m tests.mutation` changes one thing in one function of `shared/criteria` or
`shared/worktime` at a time, by the operators of mutmut, and runs the tests that reach the changed
lines, the quickest first. A mutant that no test notices has survived. docs/mutation.md is written
from the verdicts; survivors.yaml says why each survivor may live.

It is made of mutmut's operators and not of mutmut's runner, which leaves decorated functions out
(here each validator of a model) and starts pytest anew for each mutant. Here tests are collected
once; each mutant is a fork in which the code object of one function is another.
"""
