"""The HTTP API under /api/v1: typed reads, signed writes, described by one OpenAPI document."""
