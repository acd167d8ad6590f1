"""The registry for automated researchers: a few typed tools over the Model Context Protocol."""
