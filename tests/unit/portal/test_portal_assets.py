import pytest

from services.portal.assets import without_typeface
from shared.errors import ConfigurationError

CSS = (
    ".a{font-family:GDS Transport,arial,sans-serif}"
    "/*! Copyright */@font-face{font-family:GDS Transport;src:url(/assets/fonts/x.woff2)}"
    ".b{content:url(/assets/images/govuk-crest.svg)}"
    "/*# sourceMappingURL=govuk-frontend.min.css.map */"
)


def test_the_typeface_of_gov_uk_is_never_served() -> None:
    css = without_typeface(CSS)
    assert "GDS" not in css
    assert "url(" not in css
    assert "sourceMapping" not in css
    assert css.startswith(".a{font-family:system-ui,")


def test_a_file_that_comes_in_by_another_way_is_noticed() -> None:
    with pytest.raises(ConfigurationError, match="has changed"):
        without_typeface(CSS + "@import 'x';")
