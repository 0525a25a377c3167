"""Importing this registers every scenario."""
from . import ageing, ip, link, malformed, services, transport, upstream  # noqa: F401
