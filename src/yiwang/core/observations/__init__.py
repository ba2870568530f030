"""Observations 观测: how messages of devices are read (`payloads`) and in which units (`units`), what a reading is worth (`quality`),
and which alarms follow from it (`conditions`, `detecting`, `series`)."""
