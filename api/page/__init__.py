"""The web page: templates, style and scripts, and the words around what the library tells. Knows no HTTP."""

from api.page.pages import STATIC, StaticFile, rendered, static_file

__all__ = ["STATIC", "StaticFile", "rendered", "static_file"]
