"""The command centre: every case on one map from columns in memory, and the figures beside it."""
