"""The pages: one file each, one function from (site, view, asked) to an answer."""
