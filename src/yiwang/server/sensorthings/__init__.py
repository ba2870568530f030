"""The OGC SensorThings API 1.1 (18-088) over HTTP: a face of `yiwang.server.sensing`."""
