"""The filter language: SQL expressions over sample columns, parsed, checked and evaluated as data."""
