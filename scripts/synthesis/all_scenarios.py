"""Importing this registers every scenario."""
from . import malformed  # noqa: F401
