"""Which suite an LV2 plugin comes with, told by how its URI begins, so that a missing one can be installed."""

__all__ = ["how_to_install"]

_SUITES = {  # how the URI begins, whose plugins begin so, and Debian's package of them
    "http://guitarix.sourceforge.net/plugins/": ("Guitarix", "guitarix-lv2"),
    "urn:zamaudio:": ("ZamAudio", "zam-plugins"),
    "http://calf.sourceforge.net/plugins/": ("Calf Studio Gear", "calf-plugins"),
    "http://gareus.org/oss/lv2/": ("x42", "x42-plugins"),
    "http://lsp-plug.in/plugins/lv2/": ("LSP", "lsp-plugins-lv2"),
    "http://invadarecords.com/plugins/lv2/": ("Invada", "invada-studio-plugins-lv2"),
    "http://plugin.org.uk/swh-plugins/": ("Steve Harris", "swh-lv2"),
    "http://drobilla.net/plugins/mda/": ("MDA", "mda-lv2"),
    "http://eq10q.sourceforge.net/": ("EQ10Q", "eq10q"),
    "urn:dragonfly:": ("Dragonfly", "dragonfly-reverb-lv2"),
}


def how_to_install(uri: str) -> str:
    """Return a sentence on what to install for an LV2 plugin that is not there."""
    for beginning, (suite, package) in _SUITES.items():
        if uri.startswith(beginning):
            return f"It comes with the {suite} plugins; Debian and Ubuntu: apt-get install {package}."
    return (
        "Install the plugins that it comes with; `lv2ls` lists those that are there, and LV2_PATH says where to look."
    )
