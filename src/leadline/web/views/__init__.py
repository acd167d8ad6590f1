"""What pages show, worked out from the record before any template sees it."""
