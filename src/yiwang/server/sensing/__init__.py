"""Running state 运行态: what sensors observe. The entities and their words are those of the OGC SensorThings API 1.1."""
