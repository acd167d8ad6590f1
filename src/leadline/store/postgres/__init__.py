"""The shared engine: a store in one schema of a PostgreSQL database."""
