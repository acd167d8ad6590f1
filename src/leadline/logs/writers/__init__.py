"""Tables written in formats that others read."""
