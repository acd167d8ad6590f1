"""The blocks a protocol is made of, one file per question a reader asks of a plan."""
