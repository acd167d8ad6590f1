"""The look: one accent, light and dark, tabular figures; shared by pictures and pages.

Colours are CSS custom properties, so a page and the pictures in it change together. No meaning rests
on colour: outcomes differ in shape and in fill, segments in hatching.
"""

#: Light ground: warm paper. Text on ground is at least 4.5:1 in both themes (WCAG 2.2, 1.4.3).
LIGHT = {
    "--ll-ground": "#fdfcf9",
    "--ll-raised": "#f5f3ec",
    "--ll-ink": "#1b1d20",
    "--ll-soft": "#5b6067",
    "--ll-line": "#dcd8cd",
    "--ll-accent": "#1a5c7e",
    "--ll-band": "#e2ecf0",
}
DARK = {
    "--ll-ground": "#14171a",
    "--ll-raised": "#1c2024",
    "--ll-ink": "#e9e6df",
    "--ll-soft": "#a0a6ac",
    "--ll-line": "#343a40",
    "--ll-accent": "#84c4e4",
    "--ll-band": "#1f323d",
}

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'
SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", P052, "Source Serif 4", Georgia, serif'
MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'

#: Classes the drawing functions use.
SHAPES_CSS = f"""\
.ll-picture{{display:block;width:100%;height:auto;font-family:{SANS};font-variant-numeric:tabular-nums lining-nums}}
.ll-picture text{{fill:var(--ll-ink);font-size:13px}}
.ll-picture .ll-large{{font-size:15px}}
.ll-picture .ll-strong{{font-weight:600}}
.ll-picture .ll-soft{{fill:var(--ll-soft)}}
.ll-picture .ll-small{{font-size:11.5px}}
.ll-picture .ll-on{{fill:var(--ll-ground)}}
.ll-picture .ll-halo{{paint-order:stroke;stroke:var(--ll-ground);stroke-width:5;stroke-linejoin:round}}
.ll-ground{{fill:var(--ll-ground)}}
.ll-band{{fill:var(--ll-band)}}
.ll-axis{{stroke:var(--ll-line);stroke-width:1}}
.ll-zero{{stroke:var(--ll-ink);stroke-width:1}}
.ll-edge{{stroke:var(--ll-accent);stroke-width:1;stroke-dasharray:1 3;stroke-linecap:round}}
.ll-margin{{stroke:var(--ll-ink);stroke-width:1;stroke-dasharray:5 3}}
.ll-wide{{stroke:var(--ll-accent);stroke-width:1.5}}
.ll-narrow{{stroke:var(--ll-accent);stroke-width:5}}
.ll-full{{fill:var(--ll-accent);stroke:var(--ll-accent);stroke-width:1.5}}
.ll-ring{{fill:var(--ll-ground);stroke:var(--ll-accent);stroke-width:2}}
.ll-dashed{{fill:var(--ll-ground);stroke:var(--ll-accent);stroke-width:1.75;stroke-dasharray:3 2}}
.ll-cross{{stroke:var(--ll-ground);stroke-width:1.75}}
.ll-outline{{fill:var(--ll-ground);stroke:var(--ll-accent);stroke-width:1.25}}
.ll-open{{fill:var(--ll-ground);stroke:var(--ll-soft);stroke-width:1.25;stroke-dasharray:3 3}}
.ll-tint{{fill:var(--ll-band);stroke:var(--ll-accent);stroke-width:1.25}}
.ll-hatch{{stroke:var(--ll-accent);stroke-width:1}}
.ll-curve{{fill:none;stroke:var(--ll-accent);stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}}
"""


def properties_css() -> str:
    """Custom properties for both themes; follows the reader's preference, prints as light."""
    light, dark = ("".join(f"{name}:{value};" for name, value in theme.items()) for theme in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{color-scheme:light;{light}--ll-ground:#fff;}}}}\n"
    )


def standalone_css() -> str:
    """The stylesheet a picture carries when it stands alone."""
    return properties_css() + SHAPES_CSS
