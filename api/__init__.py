"""The edge to the network: a library of profiles behind HTTP, and the client that talks to one."""
