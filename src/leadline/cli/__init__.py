"""The command line: thin, no logic. Every command is a file in `commands`, imported light and working late."""
