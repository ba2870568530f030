"""Pages of the running state 运行态: streams with what they say now, one stream in time, alarms and what became of them."""
