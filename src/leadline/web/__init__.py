"""The shared service: pages, API, log tiles, and what operates them. Needs the extra `web`."""
