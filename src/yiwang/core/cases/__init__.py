"""The case loop: workflow as data, commands decided into events, events folded into state, history chained."""
