"""The command line, the only place that knows the library, the captures and the service alike."""
