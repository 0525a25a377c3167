"""Importing this registers every scenario."""
from . import ip, link, malformed  # noqa: F401
