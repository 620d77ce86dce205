"""A student leaves the machine: merged, as GGUF files, on the hub."""
