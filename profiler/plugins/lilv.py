"""The door to liblilv, which knows the LV2 plugins of this machine: its C functions by ctypes, and the few we ask.

The library is loaded when it is first used. Nodes are not freed: the process that reads them lives for one plugin.
https://drobilla.gitlab.io/lilv/c/
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from ctypes import POINTER, c_bool, c_char_p, c_double, c_float, c_uint, c_uint32, c_void_p
from functools import lru_cache
from typing import Any

from profiler.errors import GearError
from profiler.plugins.suites import how_to_install

__all__ = ["World", "lilv"]

_PACKAGE = "Debian and Ubuntu: apt-get install liblilv-0-0; macOS: brew install lilv"
_NAMES = ("liblilv-0.so.0", "liblilv-0.0.dylib", "lilv-0.dll", "liblilv-0.dll")

_FUNCTIONS: dict[str, tuple[Any, ...]] = {  # result, then arguments; everything of lilv's own is a pointer
    "lilv_world_new": (c_void_p,),
    "lilv_world_load_all": (None, c_void_p),
    "lilv_world_get": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "lilv_world_get_all_plugins": (c_void_p, c_void_p),
    "lilv_plugins_size": (c_uint, c_void_p),
    "lilv_plugins_begin": (c_void_p, c_void_p),
    "lilv_plugins_get": (c_void_p, c_void_p, c_void_p),
    "lilv_plugins_next": (c_void_p, c_void_p, c_void_p),
    "lilv_plugins_is_end": (c_bool, c_void_p, c_void_p),
    "lilv_plugins_get_by_uri": (c_void_p, c_void_p, c_void_p),
    "lilv_new_uri": (c_void_p, c_void_p, c_char_p),
    "lilv_node_as_string": (c_char_p, c_void_p),
    "lilv_node_as_float": (c_float, c_void_p),
    "lilv_nodes_begin": (c_void_p, c_void_p),
    "lilv_nodes_get": (c_void_p, c_void_p, c_void_p),
    "lilv_nodes_next": (c_void_p, c_void_p, c_void_p),
    "lilv_nodes_is_end": (c_bool, c_void_p, c_void_p),
    "lilv_plugin_get_uri": (c_void_p, c_void_p),
    "lilv_plugin_get_name": (c_void_p, c_void_p),
    "lilv_plugin_get_value": (c_void_p, c_void_p, c_void_p),
    "lilv_plugin_get_required_features": (c_void_p, c_void_p),
    "lilv_plugin_get_num_ports": (c_uint32, c_void_p),
    "lilv_plugin_get_port_by_index": (c_void_p, c_void_p, c_uint32),
    "lilv_plugin_instantiate": (c_void_p, c_void_p, c_double, c_void_p),
    "lilv_instance_free": (None, c_void_p),
    "lilv_port_get_symbol": (c_void_p, c_void_p, c_void_p),
    "lilv_port_get_name": (c_void_p, c_void_p, c_void_p),
    "lilv_port_get_value": (c_void_p, c_void_p, c_void_p, c_void_p),
    "lilv_port_is_a": (c_bool, c_void_p, c_void_p, c_void_p),
    "lilv_port_get_range": (None, c_void_p, c_void_p, POINTER(c_void_p), POINTER(c_void_p), POINTER(c_void_p)),
    "lilv_port_get_scale_points": (c_void_p, c_void_p, c_void_p),
    "lilv_scale_points_begin": (c_void_p, c_void_p),
    "lilv_scale_points_get": (c_void_p, c_void_p, c_void_p),
    "lilv_scale_points_next": (c_void_p, c_void_p, c_void_p),
    "lilv_scale_points_is_end": (c_bool, c_void_p, c_void_p),
    "lilv_scale_point_get_label": (c_void_p, c_void_p),
    "lilv_scale_point_get_value": (c_void_p, c_void_p),
    "lilv_state_new_from_world": (c_void_p, c_void_p, c_void_p, c_void_p),
    "lilv_state_restore": (None, c_void_p, c_void_p, c_void_p, c_void_p, c_uint32, c_void_p),
}


@lru_cache(maxsize=1)
def lilv() -> Any:
    """Return the library with its functions declared. Raises GearError that names the package to install."""
    for name in (*_NAMES, ctypes.util.find_library("lilv-0")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None:
            break
    else:
        raise GearError(f"LV2 plugins need the library lilv, which is not on this machine. Install it: {_PACKAGE}.")
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class World:
    """Everything that the LV2 bundles of this machine say. Raises GearError when there is no lilv."""

    def __init__(self) -> None:
        self._lilv = lilv()
        self.pointer: int = self._lilv.lilv_world_new()
        self._lilv.lilv_world_load_all(self.pointer)
        self._plugins: int = self._lilv.lilv_world_get_all_plugins(self.pointer)
        self._nodes: dict[str, int] = {}

    def uris(self) -> list[str]:
        """Return the URIs of all plugins, in order of the alphabet."""
        found = self._each("plugins", self._plugins)
        return sorted(self.text(self._lilv.lilv_plugin_get_uri(plugin)) for plugin in found)

    def plugin(self, uri: str) -> int:
        """Return the plugin of that URI. Raises GearError that says what there is."""
        found: int | None = self._lilv.lilv_plugins_get_by_uri(self._plugins, self.node(uri)) if ":" in uri else None
        if not found:
            known = self.uris()
            last = uri.rpartition("/")[2].partition("#")[0].lower()
            alike = [each for each in known if last and last in each.lower()][:3]
            raise GearError(
                f"No LV2 plugin {uri!r} is installed among {len(known)} here. "
                + (f"Close to it: {', '.join(alike)}. " if alike else "")
                + how_to_install(uri)
            )
        return found

    def node(self, uri: str) -> int:
        """Return the node that stands for a URI."""
        if uri not in self._nodes:
            self._nodes[uri] = self._lilv.lilv_new_uri(self.pointer, uri.encode())
        return self._nodes[uri]

    def nodes(self, collection: int | None) -> list[int]:
        """Return the nodes of a collection."""
        return list(self._each("nodes", collection))

    def values(self, collection: int | None) -> list[str]:
        """Return the nodes of a collection as text."""
        return [self.text(each) for each in self._each("nodes", collection)]

    def scale_points(self, plugin: int, port: int) -> list[tuple[float, str]]:
        """Return a port's named values, in order of value."""
        points = self._each("scale_points", self._lilv.lilv_port_get_scale_points(plugin, port))
        labelled = (
            (
                float(self._lilv.lilv_node_as_float(self._lilv.lilv_scale_point_get_value(point))),
                self.text(self._lilv.lilv_scale_point_get_label(point)),
            )
            for point in points
        )
        return sorted(labelled)

    def text(self, node: int | None) -> str:
        """Return a node as text, nothing as the empty one."""
        found: bytes | None = self._lilv.lilv_node_as_string(node) if node else None
        return (found or b"").decode(errors="replace")

    def _each(self, kind: str, collection: int | None) -> Iterator[int]:
        if not collection:
            return
        begin, get, following, is_end = (
            getattr(self._lilv, f"lilv_{kind}_{verb}") for verb in ("begin", "get", "next", "is_end")
        )
        at = begin(collection)
        while not is_end(collection, at):
            yield get(collection, at)
            at = following(collection, at)
