"""The application: a Registry that carries a study through its life, and `check` as a critical reader."""
