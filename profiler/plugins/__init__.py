"""Plugins of any maker, each in a process of its own: VST3 and Audio Units through pedalboard, LV2 through liblilv."""

from profiler.plugins.folders import PLUGIN_SUFFIXES, plugin_folders
from profiler.plugins.hosted import PATIENCE_SECONDS, HostedPlugin, PluginDescription, describe_plugin

__all__ = [
    "PATIENCE_SECONDS",
    "PLUGIN_SUFFIXES",
    "HostedPlugin",
    "PluginDescription",
    "describe_plugin",
    "plugin_folders",
]
