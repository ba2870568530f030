"""The registry of devices, and what their messages say before it is written."""
