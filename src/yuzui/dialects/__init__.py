"""What clients speak: bytes ↔ core.chat, one file each, no sockets."""
