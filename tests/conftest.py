"""Every test may ask for real servers; what they are is in tests/support."""

pytest_plugins = [
    "tests.support.servers",
    "tests.support.databases",
    "tests.support.topics",
    "tests.support.shared_data",
]
