"""Process mining: the case log in the forms that other tools read, the workflow as a net, and where time goes."""
