from tests.corpus.page import PAGE, text


def test_the_committed_page_is_the_corpus() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "run python -m tests.corpus"
