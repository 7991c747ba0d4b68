"""`python -m tests.corpus`: write docs/promises.md."""

from tests.corpus.page import PAGE, text

PAGE.write_text(text(), encoding="utf-8")
