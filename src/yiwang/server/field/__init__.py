"""The field app: tasks, an offline shell, photos that come ahead of their verb."""
