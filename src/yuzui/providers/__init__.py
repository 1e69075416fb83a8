"""What upstreams speak: core.chat ↔ bytes, one file each, no sockets."""
