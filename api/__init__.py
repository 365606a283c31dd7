"""The edge to the network. The HTTP service is not part of this version."""
