"""A registry on another machine, read and written through its API."""
