"""What a client asks: the options of an address, and the filter among them, as expressions on rows."""
