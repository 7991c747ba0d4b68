"""The running portal."""

from tests.integration.portal.world import world

__all__ = ["world"]
